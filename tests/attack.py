"""An attack on the public version of a run: find what is confidential from what is published, as an outsider would.

Three ways, each returning what it found: least squares on the zones' distances, subtraction of what is shown from sums, and a
search of every published byte for ids, names and amounts.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeResult, least_squares

from estate.place import Place, shown
from estate.runs.run import Run

ODD = 1237.0
"""Added to what the confidential buildings cost and are worth, so that their amounts could come from nowhere else."""


def hide(place: Place, sites: list[str], odd_gbp: float = ODD, called: str = "Quiet House", by_m: float = 0.0) -> Place:
    """The place with these sites confidential, odd amounts in their rows, other names, and so many metres farther east."""
    secret = place.sites.index.isin(sites)
    odd = {
        column: place.sites[column].astype(float).where(~secret, place.sites[column].astype(float) + odd_gbp)
        for column in ("running_cost_gbp_pa", "market_value_gbp", "capacity_m2")
    }
    names = {
        "name": [
            f"{called} {key}" if here else name
            for key, name, here in zip(place.sites.index, place.sites["name"], secret, strict=True)
        ]
    }
    moved = {"easting_m": place.sites["easting_m"] + np.where(secret, by_m, 0.0)}
    return replace(place, sites=place.sites.assign(confidential=secret, **odd, **names, **moved))


def four(run: Run) -> list[str]:
    """The second most used site of up to four services: nearest for many zones, and not the only one of its kind."""
    zones = run.tables["zones"]
    count = zones[zones["site_after"] != ""].groupby("service")["site_after"].value_counts()
    chosen: list[str] = []
    for service in count.index.get_level_values(0).unique():
        chosen += [site for site in count[service].index if site not in chosen][1:2]
    return chosen[:4]


NEAR_M = 200.0
"""A building is found when it is placed as near as this."""


def located(folder: Path, place: Place) -> list[str]:
    """The confidential sites that the distances in ``zones.csv`` give away.

    A distance that no shown building explains is to one that is not shown; six of them, from neighbouring zones, place it.
    """
    zones, sites = pd.read_csv(folder / "zones.csv"), pd.read_csv(folder / "sites.csv").set_index("site_id")
    home = place.zones[["easting_m", "northing_m"]]
    secret = place.sites.loc[~shown(place.sites), ["easting_m", "northing_m"]]
    found = set()
    for when in ("before", "after"):
        known = zones[zones[f"site_{when}"].isin(sites.index) & zones[f"distance_{when}_m"].notna()]
        at = sites.loc[known[f"site_{when}"], ["easting_m", "northing_m"]].to_numpy()
        line = np.hypot(*(home.loc[known["zone_id"]].to_numpy() - at).T)
        distance = known[f"distance_{when}_m"].to_numpy(float)
        detour = float(np.median(distance[line > 500] / line[line > 500]))
        explained = known.index[np.abs(distance - detour * line) < 0.2 * distance + 2]
        rest = zones.drop(index=explained).dropna(subset=[f"distance_{when}_m"])
        for _, rows in rest.groupby("service"):
            where, far = home.loc[rows["zone_id"]].to_numpy(float), rows[f"distance_{when}_m"].to_numpy(float) / detour
            for start in where:
                six = np.argsort(np.hypot(*(where - start).T))[:6]
                if len(six) < 3:
                    continue
                fit = _placed(where[six], far[six])
                off = np.hypot(*(secret.to_numpy(float) - fit.x).T)
                if np.abs(fit.fun).max() < 3 and off.min() < NEAR_M:
                    found.add(str(secret.index[off.argmin()]))
    return sorted(found)


def _placed(where: np.ndarray, far: np.ndarray) -> OptimizeResult:
    """The point that is this far from each of these."""
    return least_squares(lambda xy: np.hypot(*(where - xy).T) - far, where.mean(axis=0))


def subtracted(folder: Path, place: Place) -> list[str]:
    """The confidential sites whose running costs, one or several together, are a sum less what is shown: by agency and in all."""
    sites, agencies = pd.read_csv(folder / "sites.csv"), pd.read_csv(folder / "agencies.csv")
    shown_cost = sites.groupby("agency")["running_cost_before_gbp_pa"].sum()
    sums = agencies.set_index("agency")["cost_before_gbp_pa"]
    left = [float(sums.get(agency, 0) - shown_cost.get(agency, 0)) for agency in sums.index]
    left.append(float(sums.sum() - sites["running_cost_before_gbp_pa"].sum()))
    cost = place.sites.loc[~shown(place.sites), "running_cost_gbp_pa"]
    pounds = cost.to_dict()
    several = [group for n in range(1, len(pounds) + 1) for group in combinations(pounds, n)]
    given = [group for group in several if any(abs(gap - sum(pounds[site] for site in group)) < 1 for gap in left)]
    return sorted({str(site) for group in given for site in group})


def named(folder: Path, place: Place) -> list[str]:
    """The ids, names and odd amounts of confidential rows that are in the published bytes, and in no row that is shown."""
    text = "\n".join(_texts(folder))
    words = set(re.findall(r"[\w,]+", text))
    public = {word for value in place.zones.to_numpy().ravel() for word in _spelt(value)}
    secret: set[str] = set()
    for frame in (place.agencies, place.sites, place.access_points):
        table = frame.reset_index()
        for row, each in zip(table.to_numpy(), shown(frame), strict=True):
            (public if each else secret).update(word for value in row for word in _spelt(value))
        secret |= {*frame.index[~shown(frame)].astype(str), *frame.loc[~shown(frame), "name"]} - {""}
    return sorted(each for each in secret - public if (each in words if re.fullmatch(r"[\d,]+", each) else each in text))


def _spelt(value: object) -> set[str]:
    """A cell as a file could write it: text as it is, amounts of five figures or more with and without their commas."""
    if isinstance(value, str):
        return {value} if len(value) > 4 and re.search(r"\d", value) else set()
    if isinstance(value, float) and abs(value) >= 10_000 and value % 100:
        return {f"{value:.0f}", f"{value:,.0f}"}
    return set()


def _texts(folder: Path) -> list[str]:
    """Every published byte as text, and every cell of every GeoPackage with its coordinates."""
    texts = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            texts.append(file.read_bytes().decode("utf-8", "replace"))
        if file.suffix == ".gpkg":
            with closing(sqlite3.connect(file)) as database:
                names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
                for name in names:
                    texts += [" ".join(map(str, row)) for row in database.execute(f'SELECT * FROM "{name}"')]
    return texts


def counted(folder: Path, place: Place) -> list[str]:
    """The districts where there are more places with a service than the buildings that are shown: where a hidden one is."""
    places, sites = (pd.read_csv(folder / f"{name}.csv", keep_default_na=False) for name in ("places", "sites"))
    found = []
    for when in ("before", "after"):
        offered = sites.assign(service=sites[f"services_{when}"].str.split(r"[;,]\s*")).explode("service")
        shown_here = offered.groupby(["district", "service"])["site_id"].nunique() if "district" in offered else pd.Series()
        by_district = places[places["group"] == "district"]
        for service, value, n in by_district[["service", "value", f"places_{when}"]].itertuples(index=False):
            if n > shown_here.get((value, service), 0):
                found.append(f"{service} in {value}, {when}: {n} places, {shown_here.get((value, service), 0)} shown")
    return found
