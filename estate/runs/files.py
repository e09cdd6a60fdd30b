"""The files of a run: written with a digest each, and read back only as they were published."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where
from estate.load.merge import unfilled
from estate.place import Place, Plan
from estate.runs.run import CERTIFICATE, DATA, FORM, MANIFEST, Run, form_of
from estate.runs.staging import RUNS
from estate.scenario import Scenario, build
from estate.tables import TABLES
from estate.travel import Pairs, TravelTables

_FRAMES = ("agencies", "sites", "access_points", "zones", "rates", "hosting", "travel")


# -------------------------------------------------------------------------------------------------- writing


def digest_of(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_data(folder: Path, place: Place, travel: TravelTables, plan: Plan) -> None:
    """Write the place, travel and plan as Parquet under ``folder/data``; the same content gives the same bytes."""
    data = folder / DATA
    data.mkdir(parents=True)
    for name in _FRAMES:
        frame = getattr(place, name)
        if frame is not None:
            frame.to_parquet(data / f"{name}.parquet")
    if place.context is not None:
        place.context.to_parquet(data / "context.parquet")
    for kind, tables in (("home", travel.home), ("between", travel.between)):
        for mode, pairs in tables.items():
            columns = {each.name: getattr(pairs, each.name) for each in fields(Pairs)}
            long = {name: column for name, column in columns.items() if len(column) == len(pairs)}
            pd.DataFrame(long).to_parquet(data / f"travel-{kind}-{mode}.parquet")
    pd.DataFrame({"site_id": place.sites.index, "open": plan.open}).to_parquet(data / "plan-sites.parquet")
    hosts = pd.DataFrame({"access_point_id": place.access_points.index, "site_id": place.sites.index[plan.host]})
    hosts.to_parquet(data / "plan-hosts.parquet")


def write_certificate(folder: Path, certificate: Mapping[str, Any]) -> None:
    """Write ``certificate.json``: a line for each case."""
    cases = ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in certificate["cases"])
    rest = json.dumps({**certificate, "cases": []}, ensure_ascii=False)
    text = rest.replace('"cases": []', f'"cases": [\n  {cases}\n ]')
    (folder / CERTIFICATE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _certificate(folder: Path) -> Any:
    """A certificate as it stands, whatever it is; None where there is none."""
    file = folder / CERTIFICATE
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(issues=[Issue("run.corrupt", f"cannot be read: {error}", "run again", Where(str(file)))]) from None


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``run.json`` with the SHA-256 of every other file of the run."""
    files = {
        str(file.relative_to(folder).as_posix()): digest_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    text = json.dumps({**manifest, "files": files}, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


# -------------------------------------------------------------------------------------------------- reading


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run; raises :class:`InputError` where there is none."""
    file = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name a folder that 'estate run' published, such as maps/worcestershire"
        raise InputError(issues=[Issue("run.missing", "is not a stored run", remedy, Where(str(folder)))]) from None
    except (OSError, ValueError) as error:
        raise InputError(issues=[Issue("run.corrupt", f"cannot be read: {error}", "run again", Where(str(file)))]) from None
    return found


def read_run(published: str | Path) -> Run:
    """A stored run, complete.

    Raises
    ------
    InputError
        When a file is missing or is not the one that was published, and, by name and with what to do, for a run that another
        version of this program stored in a way that this one does not read.
    """
    folder = Path(published)
    manifest = read_manifest(folder)
    if form_of(manifest) > FORM:
        raise InputError(issues=[_other_form(folder, manifest, f"later than any this program reads (1 to {FORM})")])
    _check_files(folder, manifest)
    data = folder / DATA
    frames = {name: _complete(name, _parquet(data / f"{name}.parquet")) for name in _FRAMES}
    context = data / "context.parquet"
    place = Place(
        **frames,  # type: ignore[arg-type]
        context=gpd.read_parquet(context) if context.exists() else None,
        issues=tuple(_issue_of(row) for row in manifest.get("issues", ())),
        digests=manifest.get("inputs", {}),
    )
    scenario = _settings(folder, manifest)
    is_open = pd.read_parquet(data / "plan-sites.parquet").set_index("site_id")["open"]
    hosts = pd.read_parquet(data / "plan-hosts.parquet").set_index("access_point_id")["site_id"]
    plan = Plan(
        open=is_open.reindex(place.sites.index).to_numpy(dtype=bool),
        host=place.sites.index.get_indexer(pd.Index(hosts.reindex(place.access_points.index))).astype(np.int64),
    )
    travel = TravelTables(
        home=dict(_tables(data, "home")),
        between=dict(_tables(data, "between")),
        method=manifest.get("travel", {}).get("method", ""),
        digest=manifest.get("travel", {}).get("digest", ""),
    )
    kinds = manifest.get("tables", {})
    tables = {name: _table(folder / f"{name}.csv", columns) for name, columns in kinds.items()}
    return Run(scenario, place, plan, travel, manifest, tables, _certificate(folder))


def _settings(folder: Path, manifest: Mapping[str, Any]) -> Scenario:
    """The settings of a run, as this version knows settings."""
    try:
        return build(manifest.get("scenario", {}), folder=folder, file=folder / MANIFEST)
    except InputError as error:
        issue = _other_form(folder, manifest, "and this program does not read its settings")
        raise InputError(issues=[issue, *error.issues]) from None


def _other_form(folder: Path, manifest: Mapping[str, Any], why: str) -> Issue:
    version = manifest.get("versions", {}).get("estate", "unknown")
    message = f"was stored by estate {version} in form {form_of(manifest)}, {why}"
    remedy = "run it again from its place folder with this version, or read it with the version that stored it"
    return Issue("run.form", message, remedy, Where(str(folder)))


def _check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Everything listed is there, and what the run is checked and redrawn from is what was published."""
    stored = {folder / name: digest for name, digest in manifest.get("files", {}).items()}
    missing = [file for file in stored if not file.is_file()]
    data = [file for file in stored if file.parent.name == DATA and file.is_file()]
    changed = [file for file in data if digest_of(file) != stored[file]]
    issues = [Issue("run.file-missing", "is missing from the run", "run again", Where(str(file))) for file in missing]
    issues += [Issue("run.file-changed", "is not what was published", "run again", Where(str(file))) for file in changed]
    if issues:
        raise InputError(issues=issues)


def _parquet(file: Path) -> pd.DataFrame | None:
    return pd.read_parquet(file) if file.exists() else None


def _complete(name: str, frame: pd.DataFrame | None) -> pd.DataFrame | None:
    """A stored table with the columns that have come since, as they are where nobody fills them in."""
    if frame is None or name not in TABLES:
        return frame
    there = {*frame.columns, *frame.index.names}
    missing = [spec for spec in TABLES[name].columns if spec.name not in there]
    return frame.assign(**{spec.name: unfilled(spec, frame.index) for spec in missing})


def _tables(data: Path, kind: str) -> Iterator[tuple[str, Pairs]]:
    none = np.zeros(0, dtype=np.int64)
    for file in sorted(data.glob(f"travel-{kind}-*.parquet")):
        frame = pd.read_parquet(file)
        columns = {each.name: frame[each.name].to_numpy() if each.name in frame else none for each in fields(Pairs)}
        yield file.stem.removeprefix(f"travel-{kind}-"), Pairs(**columns)


def _table(file: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    if not kinds:  # a table without columns has no file
        return pd.DataFrame()
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column in frame.columns:
        if kinds.get(column) == "number":
            frame[column] = pd.to_numeric(frame[column].replace("", np.nan))
    return frame


def _issue_of(row: Mapping[str, Any]) -> Issue:
    where = Where(row.get("file", ""), row.get("row"), row.get("column", ""), row.get("value", ""), row.get("id", ""))
    return Issue(row["code"], row["message"], row.get("remedy", ""), where, row["severity"], row.get("rows", ""))


def list_runs(out: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every published run under an output folder, as (name, manifest), newest first."""
    found = [
        (entry.name, read_manifest(entry))
        for entry in (sorted(out.iterdir()) if out.is_dir() else [])
        if not entry.name.startswith(".") and (entry / MANIFEST).is_file()
    ]
    return sorted(found, key=lambda each: (each[1].get("execution", {}).get("finished", ""), each[0]), reverse=True)


def earlier_runs(out: Path, name: str) -> list[tuple[Path, dict[str, Any]]]:
    """Runs of a name that were published before its last one and are still kept, as (folder, manifest), newest first.

    A run of other inputs, settings or versions stands beside the last; one of the same is the last.
    """
    last = (out / name).resolve()
    found = [
        (folder, read_manifest(folder))
        for folder in sorted((out / RUNS).glob(f"{name}-*"))
        if re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{12}}(-\d+)?", folder.name)
        and (folder / MANIFEST).is_file()
        and folder.resolve() != last
    ]
    return sorted(found, key=lambda each: (_finished(each[1]), each[0].name), reverse=True)


def labels(first: Run, second: Run) -> tuple[str, str]:
    """What two runs are called side by side: by title, else by name too, else by when each was finished."""
    runs = (first, second)
    forms = (
        [run.scenario.label for run in runs],
        [f"{run.scenario.label} ({run.scenario.name})" for run in runs],
        [f"{run.scenario.label}, run of {_finished(run.manifest).replace('T', ' ')[:16]} UTC" for run in runs],
        [f"{run.scenario.label}, run of {_finished(run.manifest).replace('T', ' ')[:19]} UTC" for run in runs],
    )
    a, b = next((pair for pair in forms if pair[0] != pair[1]), forms[0])
    return a, b


def _finished(manifest: Mapping[str, Any]) -> str:
    return str((manifest.get("execution") or {}).get("finished") or "")
