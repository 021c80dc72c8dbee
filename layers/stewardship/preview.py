"""The head of a file before its import: its tables, how they were read, and some features in degrees."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import shapely

from layers.catalogue import CGCS2000, Text
from layers.importing.readers import open_sources
from layers.importing.source import ReadOptions, Source
from layers.importing.source_crs import transform_to

#: Features shown of a table; rows of attributes among them; corners of them all.
MOST_FEATURES, MOST_ROWS, MOST_CORNERS = 500, 20, 50_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class PreviewField:
    """A column of the file."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class PreviewTable:
    """A table of the file: how it is read (``encoding``, ``crs``), its columns, its first rows, and shapes as GeoJSON
    [°, CGCS2000]; ``count`` is None where counting needs a scan."""

    name: str
    format: str
    geometry_type: str
    count: int | None
    crs: str
    encoding: str | None
    fields: tuple[PreviewField, ...]
    rows: tuple[dict[str, Any], ...]
    features: dict[str, Any]
    warnings: tuple[Text, ...]


def preview(path: Path, options: ReadOptions) -> tuple[PreviewTable, ...]:
    """The tables of a file. Raises :class:`layers.importing.errors.ImportRefused` and its kinds."""
    with open_sources(path, options) as sources:
        return tuple(_table(source) for source in sources[:20])


def _table(source: Source) -> PreviewTable:
    frame = next(iter(source.batches()), None)
    shapes: list[Any] = []
    rows: tuple[dict[str, Any], ...] = ()
    if frame is not None:
        head = frame.head(MOST_FEATURES)
        shapes = _in_degrees(head.geometry.to_numpy(), source.crs)
        rows = tuple(_row(values, source) for _, values in head.head(MOST_ROWS).iterrows())
    code = source.crs.to_epsg()
    geometries = [
        {"type": "Feature", "properties": {}, "geometry": orjson.loads(shapely.to_geojson(s))} for s in shapes
    ]
    return PreviewTable(
        source.name, source.format, source.geometry_type, source.count,
        f"EPSG:{code}" if code else str(source.crs.name), source.encoding,
        tuple(PreviewField(field.name, field.type) for field in source.fields), rows,
        {"type": "FeatureCollection", "features": geometries}, tuple(source.warnings),
    )  # fmt: skip


def _in_degrees(shapes: Any, crs: Any) -> list[Any]:
    present = [shape for shape in shapes if shape is not None and not shape.is_empty]
    move = transform_to(crs, CGCS2000)
    moved = [shapely.force_2d(s if move is None else shapely.transform(s, move, interleaved=False)) for s in present]
    kept, corners = [], 0
    for shape in moved:
        corners += int(shapely.get_num_coordinates(shape))
        if corners > MOST_CORNERS or not shapely.is_valid_input(shape):
            break
        kept.append(shapely.set_precision(shape, 1e-9, mode="pointwise"))
    return kept


def _row(values: "pd.Series[Any]", source: Source) -> dict[str, Any]:
    return {field.name: _value(values.get(field.name)) for field in source.fields}


def _value(value: Any) -> Any:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return value if isinstance(value, bool | int | float) else str(value)[:_LONGEST]
