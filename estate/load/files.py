"""From a setting to a table of text: open, recognise, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from estate.errors import InputError, Issue
from estate.load import geo, parquet, records, text, vector, workbook
from estate.load.raw import Raw
from estate.load.sniff import Format, corrupt, locate_file, read_bytes, recognise
from estate.scenario import TableFile


@dataclass(slots=True)
class Reading:
    """What one load has found so far: every problem, and the SHA-256 of every file, by its path as the scenario gives it."""

    folder: Path
    issues: list[Issue] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def read(self, given: TableFile, setting: str) -> Raw | None:
        """One file's rows; None, with the problem kept, when it cannot be read."""
        try:
            raw, digests = read_file(given, self.folder, setting)
        except InputError as error:
            self.issues.extend(error.issues)
            return None
        self.digests.update(digests)
        # One file may fill two tables, and is then read twice.
        self.issues.extend(each for each in raw.issues if each not in self.issues)
        return raw


def read_file(given: TableFile, folder: Path, setting: str) -> tuple[Raw, Mapping[str, str]]:
    """One file as text, and the SHA-256 of all that was read for it.

    Raises
    ------
    InputError
        When it cannot be opened, is of another format, damaged, or too large.
    """
    path = locate_file(given.path, folder, setting)
    data, digest = read_bytes(path, given.path, setting)
    kind = recognise(data, given.path)
    # A path written on Windows is kept in the form that opened, for whoever looks at the file again.
    name = given.path if (folder / given.path).exists() else given.path.replace("\\", "/")
    digests = {name: digest}
    try:
        match kind:
            case Format.CSV:
                raw = text.read_csv(data, given.path, given)
            case Format.WORKBOOK:
                raw = workbook.read_workbook(data, given.path, given)
            case Format.JSON:
                raw = records.read_json(data, given.path, given)
            case Format.GEOPACKAGE:
                raw = geo.read_geopackage(data, given.path, given)
            case Format.PARQUET:
                raw = parquet.read_parquet(data, given.path, given)
            case Format.SHAPEFILE:
                raw, beside = geo.read_shapefile(path, data, name, given)
                digests.update(beside)
            case Format.FLATGEOBUF | Format.KML | Format.GML | Format.MAPINFO:
                raw, beside = vector.read_vector(path, data, kind, given)
                digests.update(beside)
            case Format.ZIPPED_SHAPEFILE:
                raw = geo.read_zipped_shapefile(data, given.path, given)
    except (MemoryError, RecursionError) as error:
        raise corrupt(given.path, type(error).__name__) from None
    return replace(raw, digest=digest), digests
