"""FlatGeobuf, KML, GML and MapInfo tables, through GDAL inside walls.

GDAL opens by content, and some of these forms may name other files or addresses.  So each is looked through first, refused
where it leads anywhere, and copied to a folder that holds nothing else; schemas are not fetched, nor links followed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.parsers import expat

import numpy as np

from estate.errors import InputError, Where
from estate.load.curves import shapes_from_wkb
from estate.load.geo import choose_layer
from estate.load.parquet import arrow_text
from estate.load.raw import MAX_COLUMNS, MAX_ROWS, Raw, from_columns
from estate.load.sniff import Format, corrupt, read_bytes, refusal
from estate.scenario import TableFile

_NAMES = {Format.FLATGEOBUF: "layer.fgb", Format.KML: "layer.kml", Format.GML: "layer.gml", Format.MAPINFO: "layer.tab"}
_TAB_PARTS = (".dat", ".map", ".id", ".ind")
_TAB_LINE = re.compile(
    r"!(table|version \d+|charset \w+)|definition table|type native( charset \"\w+\")?|fields \d+"
    r"|\w+ \w+( \([\d, ]+\))?( index \d+)? ;",
    re.IGNORECASE,
)
"""What the table of a plain MapInfo layer says; views, links and seamless layers, which name other files, say more."""
_OFFLINE = {"GML_DOWNLOAD_SCHEMA": "NO", "GML_SKIP_RESOLVE_ELEMS": "ALL", "GDAL_HTTP_TIMEOUT": "1"}


def read_vector(path: Path, data: bytes, kind: Format, given: TableFile) -> tuple[Raw, Mapping[str, str]]:
    """One layer (``layer``, or the only one), and the SHA-256 of each companion of a MapInfo table.

    Raises
    ------
    InputError
        When it leads to another file or an address, has too many rows or columns, or is damaged.
    """
    file = given.path
    parts, digests = {}, {}
    if kind in (Format.KML, Format.GML):
        data = _alone(data, file)
    elif kind is Format.MAPINFO:
        _check_tab(data, file)
        for suffix in _TAB_PARTS:
            beside = next(
                (each for each in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if each.is_file()), None
            )
            if beside is not None:
                name = str(Path(file).with_suffix(beside.suffix))
                parts[f"layer{suffix}"], digests[name] = read_bytes(beside, name, "tables")
        _check_dat(parts.get("layer.dat", b""), file)
    return _read({_NAMES[kind]: data, **parts}, _NAMES[kind], file, given), digests


def _read(parts: Mapping[str, bytes], name: str, file: str, given: TableFile) -> Raw:
    import pyogrio  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        for part, content in parts.items():
            (Path(folder) / part).write_bytes(content)
        pyogrio.set_gdal_config_options(_OFFLINE)
        try:
            layers = [str(each[0]) for each in pyogrio.list_layers(Path(folder) / name)]
            if not layers:
                raise corrupt(file, "it holds no layer")
            # A file of one layer is called after its file, which here is another.
            layer = layers[0] if len(layers) == 1 else choose_layer(layers, file, given.layer)
            about = pyogrio.read_info(Path(folder) / name, layer=layer, force_feature_count=True)
            if about["features"] > MAX_ROWS:
                raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", Where(file))
            if len(about["fields"]) > MAX_COLUMNS:
                message = f"has {len(about['fields']):,} columns"
                raise refusal("file.columns", message, "keep only those you need", Where(file))
            meta, table = pyogrio.read_arrow(Path(folder) / name, layer=layer)
            shape = meta["geometry_name"] or "wkb_geometry"
            held = shape in table.column_names
            geometry = shapes_from_wkb(table.column(shape).to_pylist(), file) if held else None
            columns = {each: arrow_text(table.column(each), file) for each in table.column_names if each != shape}
        except InputError:
            raise
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError, OSError, ValueError) as error:
            raise corrupt(file, str(error).replace(folder, "")) from None
        finally:
            pyogrio.set_gdal_config_options(dict.fromkeys(_OFFLINE))
    label = f"{file}[{layer}]" if len(layers) > 1 else file
    shapes = None if geometry is None else np.asarray(geometry, dtype=object)
    return from_columns(label, columns, table.num_rows, shapes, str(meta["crs"] or ""))


def _alone(xml: bytes, file: str) -> bytes:
    """XML that leads nowhere: no declared entities, links or includes; where its schema would be fetched from is struck out."""
    where = Where(file)
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise refusal("file.format", "declares entities, which is not read", "export it again as GeoJSON", where)
    found: list[str] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag.rpartition(":")[2] in ("NetworkLink", "NetworkLinkControl", "include"):
            found.append(tag)
        for name, value in attributes.items():
            if name.rpartition(":")[2] in ("href", "schemaUrl") and not value.startswith("#"):
                found.append(f"{name}='{value[:60]}'")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise corrupt(file, error) from None
    if found:
        message = f"leads elsewhere ({found[0]}), and no other file or address is opened"
        raise refusal("file.format", message, "open it where it came from, and export what it shows", where)
    return re.sub(rb"\b\w+:(?:noNamespaceS|s)chemaLocation\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", xml)


def _check_tab(data: bytes, file: str) -> None:
    lines = [" ".join(line.split()) for line in data.decode("latin-1").splitlines()]
    odd = next((line for line in lines if line and not _TAB_LINE.fullmatch(line)), "")
    if odd:
        message = f"is a MapInfo table of a kind that is not read ('{odd[:60]}'): it may lead to other files"
        raise refusal("file.format", message, "save a copy as a plain (native) table, or as GeoPackage", Where(file))


def _check_dat(data: bytes, file: str) -> None:
    """As of a Shapefile's table: how many rows there are, and how long its head and each row, stands at the beginning."""
    rows, head, each = (int.from_bytes(data[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    if not data or len(data) < head + rows * each:
        raise corrupt(file, "its .dat is missing or does not hold all of its rows")
