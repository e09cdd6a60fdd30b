"""A starter place: a folder that runs as it stands, to be replaced table by table; or a first draft from OpenStreetMap."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pandas as pd

from estate.england import area_of, at_hand, cut, read
from estate.england import texts as cut_texts
from estate.errors import Issue, UsageError, Where, WriteError
from estate.start.draft import KINDS, NOTICE, Draft, draft_from_osm
from estate.tables import ZONES

_STARTER = (
    "estate.toml",
    "receipts-count.toml",
    "keep-every-library.toml",
    "whatif.toml",
    "agencies.csv",
    "sites.csv",
    "access_points.csv",
    "zones.csv",
    "rates.csv",
    "README.md",
)


def new(folder: Path, *, from_osm: str = "", area: str = "", lists: Path | None = None) -> tuple[Path, ...]:
    """Make a starter place in a folder that does not exist or is empty; the files written, in order.

    Parameters
    ----------
    folder
        Where; its name becomes the scenario's.
    from_osm
        An OpenStreetMap file, or the name of a place to download: drafts sites and access points instead of the example.
    area
        A place in England (:func:`estate.england.area_of`), cut from open lists instead of the example.
    lists
        The folder of those lists.

    Raises
    ------
    WriteError
        When there is something in the folder already, or it cannot be written.
    UsageError
        When both are asked for, there is no such area, or no lists for it.
    InputError, DownloadError
        From :func:`estate.start.draft.draft_from_osm`, or a list that cannot be read.
    """
    if from_osm and area:
        raise UsageError("a place is drafted from OpenStreetMap or cut from the lists: give --from-osm or --area")
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise _cannot(folder, error) from None
    if taken:
        issue = Issue("new.taken", f"{folder} is there already, and not empty", "name a new folder", Where(str(folder)))
        raise WriteError(issues=[issue])
    if area:
        texts = cut_texts(cut(read(at_hand(lists)), area_of(area)), scenario_name(folder))
    else:
        texts = _drafted(draft_from_osm(from_osm), folder) if from_osm else _example(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, RecursionError) as error:  # the second: a folder in a folder, a thousand deep
        raise _cannot(folder, error) from None
    return tuple(folder / name for name in texts)


def _cannot(folder: Path, error: OSError | RecursionError) -> WriteError:
    reason = error.strerror if isinstance(error, OSError) else "File name too long"
    issue = Issue("new.cannot-write", f"cannot write {folder}: {reason}", "choose another folder", Where(str(folder)))
    return WriteError(issues=[issue])


def _example(folder: Path) -> dict[str, str]:
    """The starter's files, named after the folder."""
    root = resources.files("estate") / "starter"
    found = {name: _named((root / name).read_text(encoding="utf-8"), folder) for name in _STARTER}
    axes = ('"standards.library-3-miles.limit" = ["2 miles", "3 miles", "4 miles"]', '"rules.reach" = ["3 miles", "6 miles"]')
    return {**found, "whatif.toml": found["whatif.toml"].replace("AXES", "\n".join(axes))}


def _named(text: str, folder: Path) -> str:
    title = " ".join(word.capitalize() for word in scenario_name(folder).split("-"))
    return text.replace("NAME", scenario_name(folder)).replace("TITLE", title)


def scenario_name(folder: Path) -> str:
    """A name that a scenario may have, from a folder's."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.casefold()).strip("-")[:40] or "place"


# -------------------------------------------------------------------------------------------------------------- draft


def _drafted(draft: Draft, folder: Path) -> dict[str, str]:
    """The files of a place drafted from OpenStreetMap; its zones are still to come."""
    services = sorted(draft.access_points["service"].unique())
    zones = ",".join([each.name for each in ZONES.columns] + ["easting", "northing", "district"]) + "\n"
    return {
        "estate.toml": _named(_draft_settings(services), folder),
        "agencies.csv": _csv(draft.agencies),
        "sites.csv": _csv(draft.sites),
        "access_points.csv": _csv(draft.access_points),
        "zones.csv": zones,
        "whatif.toml": _draft_whatifs(services, folder),
        "README.md": _named(_draft_readme(draft), folder),
    }


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")


def _draft_settings(services: list[str]) -> str:
    parts = [
        "# A first draft from OpenStreetMap.  README.md says what is still missing; 'estate check .' lists it.",
        'name = "NAME"',
        'title = "TITLE (draft)"',
        'description = "Drafted from OpenStreetMap: costs, values, owners and floor areas are assumptions."',
        "",
    ]
    for service in services:
        assumed = KINDS[service]
        parts += [f"[services.{service}]", f'label = "{assumed.label}"', "fitout_gbp_m2 = 500 # an assumption", ""]
    for service in services:
        parts += [
            "[[standards]]",
            f'name = "{_standard(service)}"',
            f'service = "{service}"',
            'limit = "5 miles" # an assumption: set your own',
            'tolerance = "1 mile"',
            "",
        ]
    return "\n".join([*parts, "[page]", f'attribution = ["{NOTICE}"]', ""])


def _draft_whatifs(services: list[str], folder: Path) -> str:
    """The starter's what-ifs on the draft's own standards; they run once the place does."""
    text = _named((resources.files("estate") / "starter" / "whatif.toml").read_text(encoding="utf-8"), folder)
    axes = [f'"standards.{_standard(service)}.limit" = ["4 miles", "5 miles", "6 miles"]' for service in services[:2]]
    return text.replace("AXES", "\n".join(axes)).replace("standards.library-3-miles", f"standards.{_standard(services[0])}")


def _standard(service: str) -> str:
    """The name of a draft's standard."""
    return f"{service.replace('_', '-')}-5-miles"


def _draft_readme(draft: Draft) -> str:
    found = "\n".join(f"* {note}" for note in draft.notes)
    assumed = "\n".join(
        f"| {each.service} | {each.agency} | {each.kind} | {each.capacity_m2:,.0f} | {each.area_m2:,.0f} | "
        f"{each.running_gbp_m2:,.0f} | {each.value_gbp_m2:,.0f} |"
        for each in KINDS.values()
    )
    return f"""# TITLE: a first draft

Drafted from OpenStreetMap. {NOTICE} (https://www.openstreetmap.org/copyright): rows of `sites.csv` and `access_points.csv`
that keep what the map says stay under that licence.

## What was found

{found}

## What to do now

1. **zones.csv** is empty but for its headings: add where people live (small areas with a population and a point).
2. Compare `access_points.csv` with each agency's own list; delete what is no counter (a town hall may be a theatre), add
   what the map lacks.
3. Replace assumptions by facts, and take the column's name out of the row's `illustrative`.
4. `estate check .` lists what is left; then `estate run .`

## What was assumed

Where the map gives a building's outline, `capacity_m2` is its area times its storeys times 0.85; else the size below.

| service | agency | kind of building | building m2 | counter m2 | running cost GBP per m2 a year | value GBP per m2 |
|---|---|---|---|---|---|---|
{assumed}
"""
