"""Formats that are text: written row by row and never stored."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, func

from layers.crs import epsg
from layers.exporting.errors import UnknownFormat
from layers.exporting.options import Options
from layers.exporting.selection import Row, Selection

#: First characters that make a spreadsheet run a cell as a formula (OWASP, CSV Injection), full-width ones included.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_ENCODINGS = {"utf-8": "utf-8", "utf-8-sig": "utf-8-sig", "gbk": "gb18030"}


def csv_chunks(selection: Selection, options: Options) -> Iterator[bytes]:
    """CSV (RFC 4180) with a header of field names.

    Points come as ``lon``, ``lat`` (projected: ``x`` east, ``y`` north), other geometries as ``WKT``. Lists are JSON,
    times ISO 8601 with offset, an absent value is an empty cell. A text that a spreadsheet would run as a formula gets
    a leading apostrophe unless ``options.neutralise`` is off; a re-import does not take the apostrophe away.
    """
    names, expressions = _csv_geometry(selection)
    encoding = _ENCODINGS.get(options.encoding)
    if encoding is None:
        raise UnknownFormat(f"CSV 不支持编码 {options.encoding}", f"CSV is not offered in {options.encoding}")
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["id", *(f.name for f in selection.fields), *names])
    yield buffer.getvalue().encode(encoding)
    clean = _neutral if options.neutralise else _plain
    for batch in selection.batches(*expressions):
        buffer.seek(0)
        buffer.truncate()
        writer.writerows([clean(value) for value in row] for row in batch)
        yield buffer.getvalue().encode(codec)


def _csv_geometry(selection: Selection) -> tuple[list[str], list[ColumnElement[Any]]]:
    crs = epsg(selection.srid)
    names = ["lon", "lat"] if crs.geographic else ["x", "y"]
    taken = {f.name for f in selection.fields}
    if selection.layer.geometry_type == "Point" and not taken & set(names):
        return names, [func.ST_X(selection.geometry), func.ST_Y(selection.geometry)]
    return ["WKT"], [func.ST_AsText(selection.geometry, crs.decimals, type_=Text)]


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _neutral(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA_STARTS) else value
    return _plain(value)


def geojson_chunks(selection: Selection, options: Options) -> Iterator[bytes]:
    """One FeatureCollection, one feature a line (RFC 7946).

    A CRS other than WGS 84 is named by the ``crs`` member of GeoJSON 2008, which GDAL and QGIS read; coordinates are
    east, north in any case.
    """
    del options
    name = json.dumps(selection.layer.id, ensure_ascii=False)
    crs = ""
    if selection.srid != 4326:
        urn = f"urn:ogc:def:crs:EPSG::{selection.srid}"
        crs = f'"crs":{{"type":"name","properties":{{"name":"{urn}"}}}},'
    yield f'{{"type":"FeatureCollection","name":{name},{crs}"features":['.encode()
    fields = [f.name for f in selection.fields]
    decimals = epsg(selection.srid).decimals
    separator = b"\n"
    for batch in selection.batches(func.ST_AsGeoJSON(selection.geometry, decimals, 0, type_=Text)):
        yield separator + b",\n".join(_feature(fields, row) for row in batch)
        separator = b",\n"
    yield b"\n]}\n"


def _feature(fields: list[str], row: Row) -> bytes:
    geometry = orjson.Fragment(row[-1]) if row[-1] is not None else None
    properties = dict(zip(fields, row[1:-1], strict=True))
    return orjson.dumps({"type": "Feature", "id": row[0], "geometry": geometry, "properties": properties})


