"""Opening a file safely: what it is, by its content, against a short list of what is meant.

A data library that opens by content can be led by a small descriptor file to another file or to a network address.  So a file
is read here, once, as bytes; the bytes are hashed and recognised; and only a reader for that very format sees them.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import stat
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path

from estate.errors import InputError, Issue, Where
from estate.wording import closest

ONLY_BELOW = "ESTATE_ONLY_BELOW"
"""Set in the environment: every file that a scenario names must be below its folder."""
MAX_BYTES = 512 * 1024 * 1024
MAX_MEMBERS = 1_000
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_RATIO = 200
"""Unpacked size over packed size; office files and shapefiles stay below 50."""
SMALL = 16 * 1024 * 1024
"""An archive that unpacks to less than this may have any ratio up to the format's own."""


class Format(StrEnum):
    """The formats that are read."""

    CSV = "CSV"
    WORKBOOK = "workbook"
    GEOPACKAGE = "GeoPackage"
    PARQUET = "Parquet"
    JSON = "JSON"
    SHAPEFILE = "Shapefile"
    ZIPPED_SHAPEFILE = "zipped Shapefile"
    FLATGEOBUF = "FlatGeobuf"
    KML = "KML"
    GML = "GML"
    MAPINFO = "MapInfo table"


_KINDS = {
    b"SQLite format 3\0": Format.GEOPACKAGE,
    b"PAR1": Format.PARQUET,
    b"\x00\x00\x27\x0a": Format.SHAPEFILE,
    b"\xd0\xcf\x11\xe0": Format.WORKBOOK,
    b"fgb\x03fgb": Format.FLATGEOBUF,
}
"""How the formats begin; GeoJSON begins with a bracket, and what is left is taken for CSV."""

_XML = "XML or a service descriptor"
_BEFORE = rb"(?:\s|<\?xml[^>]{0,200}\?>|<!--.{0,2000}?-->)*"
_KINDS_OF_XML = (
    (_BEFORE + rb"<kml[\s>]", Format.KML),
    (_BEFORE + rb"<(?:\w+:)?FeatureCollection\s[^>]*opengis\.net/gml", Format.GML),
)
"""Of XML only these are read, by their first element."""

_REFUSED = (
    (rb".{0,1000}<(ogrvrtdatasource|vrtdataset)", "a VRT descriptor, which leads to other files"),
    (rb".{0,1000}(<!doctype html|<html)", "a web page (a download that failed?)"),
    (rb"(\xff\xfe)?<", _XML),
    (rb".{0,1000}gdal_streamed_alg", "a GDALG descriptor, which leads to other files"),
    (rb"(wfs|oapif|wms|csw|gdalg|mysql|pg|https?|ftp|s3|gpkg|sqlite|zip|vrt):", "a service descriptor, which leads elsewhere"),
    (rb"\x80[\x02-\x05]|ccopy_reg|cposix|cos\n|cbuiltins|c__builtin__", "a Python pickle, which could run code"),
    (rb"\x1f\x8b|BZh[1-9]|7z\xbc\xaf|\x28\xb5\x2f\xfd", "a compressed file"),
    (rb"%PDF", "a PDF"),
)
"""What must not be opened, or cannot be."""

READ = (
    "CSV, Excel, OpenDocument, GeoPackage, Parquet or GeoParquet, GeoJSON, Shapefile, a zipped Shapefile, FlatGeobuf, KML, GML,"
    " or a MapInfo table"
)


def locate_file(text: str, folder: Path, setting: str) -> Path:
    """The local file that a setting names.

    Raises
    ------
    InputError
        When it is an address instead of a path, is missing, or is not an ordinary file.
    """
    where = Where(text, column=setting, value=text)
    if (
        re.match(r"\s*[a-z][a-z0-9+.-]+:(//|(?![\\/]))", text, re.IGNORECASE)
        or "://" in text
        or "/vsi" in text.replace("\\", "/")
    ):
        raise refusal("file.address", "is an address, and only local files are read", "download it, and give its path", where)
    if not text.strip() or "\0" in text:
        raise refusal("file.path", "is not a path", f"give the path of a file in {setting}", where)
    path = folder / text
    try:
        if not path.exists() and "\\" in text:
            path = folder / text.replace("\\", "/")
        stays_below(path, folder, where)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise refusal("file.missing", f"there is no such file (asked for by '{setting}')", _nearby(path), where) from None
    except OSError as error:
        raise refusal("file.unreadable", f"cannot be read: {_why(error)}", f"correct '{setting}'", where) from None
    if stat.S_ISDIR(mode):
        raise refusal("file.directory", f"is a folder (asked for by '{setting}')", "name a file in it", where)
    if not stat.S_ISREG(mode):
        raise refusal("file.special", "is not an ordinary file", f"correct '{setting}'", where)
    return path


def stays_below(path: Path, folder: Path, where: Where) -> None:
    """Refuse a path that leads out of a folder, by ``..``, links or otherwise, where the environment asks for that.

    A table may be any local file: that is how a register on a shared drive is used.  Whoever runs other people's scenarios
    unattended sets ``ESTATE_ONLY_BELOW=1`` outside them, and then nothing above or beside the scenario's folder is read.
    """
    asked = os.environ.get(ONLY_BELOW, "") not in ("", "0")
    if asked and not path.resolve().is_relative_to(folder.resolve()):
        message = f"is not below the scenario's folder, and {ONLY_BELOW} says that it must be"
        raise refusal("file.outside", message, "put the file, not a link to it, in the scenario's folder", where)


def read_bytes(path: Path, text: str, setting: str) -> tuple[bytes, str]:
    """The whole file and its SHA-256.  Raises :class:`InputError` when it is empty, too large or unreadable."""
    where = Where(text, column=setting)
    try:
        stated = path.stat()
        size = stated.st_size if stat.S_ISREG(stated.st_mode) else 0
        if size > MAX_BYTES:
            message = f"is {size / 2**20:,.0f} MB; the most that is read is {MAX_BYTES / 2**20:,.0f} MB"
            raise refusal("file.large", message, "keep only the rows of this place, or use Parquet", where)
        # What has no size has nothing in it, or is no file at all: some of what stands under /proc never ends, or waits.
        data = b""
        if size:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except PermissionError:
        message = f"cannot be read: permission denied (asked for by '{setting}')"
        raise refusal("file.unreadable", message, "ask for read access to it", where) from None
    except OSError as error:
        raise refusal("file.unreadable", f"cannot be read: {_why(error)}", f"correct '{setting}'", where) from None
    if not data.strip():
        raise refusal("file.empty", f"is empty (asked for by '{setting}')", "give a file with a heading row", where)
    return data, hashlib.sha256(data).hexdigest()


def recognise(data: bytes, file: str) -> Format:
    """The format, by content alone; the name's ending plays no part.

    Raises
    ------
    InputError
        For anything not on the list: descriptors that lead elsewhere, pickles, pages, archives.
    """
    where = Where(file)
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\v\f\x1e")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _kind_of_zip(data, file)
    what = next((name for magic, name in _REFUSED if re.match(magic, start, re.IGNORECASE | re.DOTALL)), "")
    binary = sum(byte < 9 for byte in data[:4096]) > len(data[:4096]) / 10
    kind = next((each for magic, each in _KINDS.items() if data.startswith(magic)), None)
    if kind is Format.GEOPACKAGE and not (data[68:72] in (b"GPKG", b"GP10", b"GP11") or b"gpkg_contents" in data):
        what = "an SQLite database, not a GeoPackage"
    elif kind is None and binary and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = what or "binary data of an unknown kind"
    if what == _XML and kind is None:
        kind = next((each for pattern, each in _KINDS_OF_XML if re.match(pattern, start, re.DOTALL)), None)
        what = "" if kind else what
    if kind is None and re.match(rb"!table\s", start, re.IGNORECASE):
        kind = Format.MAPINFO
    if what:
        remedy = "unpack it, and name the file inside" if what == "a compressed file" else f"give {READ}"
        raise refusal("file.format", f"is {what}, which is not read", remedy, where)
    return kind or (Format.JSON if start.startswith((b"{", b"[")) else Format.CSV)


def _kind_of_zip(data: bytes, file: str) -> Format:
    names = [each.filename.lower() for each in checked_members(data, file)]
    opendocument = "content.xml" in names and data[30:38] == b"mimetype" and b"opendocument.spreadsheet" in data[38:100]
    if opendocument or any(name.endswith(("xl/workbook.xml", "xl/workbook.bin")) for name in names):
        return Format.WORKBOOK
    shapes = [name for name in names if name.endswith(".shp") and "__macosx" not in name]
    if shapes:
        return Format.ZIPPED_SHAPEFILE
    raise refusal(
        "file.format", "is a zip archive without a Shapefile or a workbook in it", f"unpack it; give {READ}", Where(file)
    )


def checked_members(data: bytes, file: str) -> list[zipfile.ZipInfo]:
    """The members of an archive, none of which escapes its folder or unpacks to more than is allowed.

    Raises
    ------
    InputError
        Before anything is extracted.
    """
    where = Where(file)
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RecursionError, UnicodeDecodeError) as error:
        raise corrupt(file, error) from None
    if len(members) > MAX_MEMBERS:
        raise refusal(
            "file.zip", f"holds {len(members):,} files; the most is {MAX_MEMBERS:,}", "give only what is needed", where
        )
    escaping = [each.filename for each in members if _escapes(each.filename)]
    if escaping:
        raise refusal("file.zip", f"holds a name that leaves its folder: {escaping[0]!r}", "make the archive again", where)
    unpacked = sum(each.file_size for each in members)
    if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * len(data)):
        message = f"would unpack from {len(data) / 2**20:,.1f} MB to {unpacked / 2**20:,.0f} MB"
        raise refusal("file.zip", message, "unpack it by hand, look at it, and give the file itself", where)
    return members


def extract(data: bytes, member: zipfile.ZipInfo, file: str) -> bytes:
    """One member of an archive; never more than its own heading promised."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)).open(member) as stream:
            found = stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, RuntimeError, ValueError, EOFError) as error:
        raise corrupt(file, error) from None
    if len(found) > member.file_size:
        raise refusal("file.zip", f"{member.filename} is larger than the archive says", "make the archive again", Where(file))
    return found


def _escapes(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def refusal(code: str, message: str, remedy: str, where: Where) -> InputError:
    """An error that says one thing about one file."""
    return InputError(issues=[Issue(code, message, remedy, where)])


def corrupt(file: str, error: BaseException | str) -> InputError:
    """The one wording for a file that is damaged, whatever its format."""
    detail = " ".join(str(error).split())[:160]
    message = f"is corrupt or cut short ({detail})" if detail else "is corrupt or cut short"
    return refusal("file.corrupt", message, "save or download it again", Where(file))


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _nearby(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()][:500]
    except OSError:
        return f"there is no folder {path.parent.name} either"
    near = closest(path.name, names)
    return f"did you mean '{near}'?" if near else "correct the path, or add the file"
