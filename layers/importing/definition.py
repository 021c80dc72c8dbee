"""A layer definition from a file: names the catalogue accepts, the file's own names as titles."""

import re
from dataclasses import dataclass

import numpy as np
import shapely

from layers.catalogue import CGCS2000, LONGEST_NAME, SYSTEM_COLUMNS, Field, GeometryType, Layer, Text, cut
from layers.importing.errors import ImportRefused
from layers.importing.source import Source

_MAX_NAME = 51
_BY_DIMENSION: tuple[GeometryType, ...] = ("MultiPoint", "MultiLineString", "MultiPolygon")
#: Shapefile and KML call a multi geometry single: their lines and areas are stored as multi.
_DECLARED: dict[str, GeometryType] = {
    "Point": "Point",
    "MultiPoint": "MultiPoint",
    "LineString": "MultiLineString",
    "MultiLineString": "MultiLineString",
    "Polygon": "MultiPolygon",
    "MultiPolygon": "MultiPolygon",
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A layer and, for each of its fields, the column of the source that fills it."""

    layer: Layer
    columns: dict[str, str]


def infer_layer(
    source: Source, id: str | None = None, title: str | None = None, *, key: str | None = None, srid: int = CGCS2000
) -> Definition:
    """The layer that stores a source as it is. ``key`` names the source field that identifies a feature.

    ``srid`` is the storage CRS. Where the file does not declare a geometry type, the geometries are read to find it.
    Raises :class:`ImportRefused` for an unknown key.
    """
    key = key or source.key
    if key is not None and key not in {field.name for field in source.fields}:
        shown = ", ".join(field.name for field in source.fields[:20])
        raise ImportRefused(
            f"没有字段 {key} 可作标识，有：{shown}",
            f"there is no field {key} for a key; there are {shown}",
        )
    columns: dict[str, str] = {}
    fields = []
    for field in source.fields:
        name = field_name(field.name, set(columns))
        columns[name] = field.name
        role = "key" if field.name == key else None
        fields.append(Field(name, field.type, Text(field.name, field.name), role=role))  # type: ignore[arg-type]
    return Definition(
        Layer(
            id=id or layer_id(source.name),
            title=Text(title or source.name, title or source.name),
            description=Text("", ""),
            geometry_type=_geometry_type(source),
            fields=tuple(fields),
            srid=srid,
        ),
        columns,
    )


def field_name(original: str, taken: set[str]) -> str:
    """A catalogue identifier like the original name: lower case, Chinese kept, unlike the taken and system names."""
    name = re.sub(r"[^a-z0-9_\u4e00-\u9fff]+", "_", original.strip().lower()).strip("_") or "field"
    if name[0].isdigit():
        name = f"f_{name}"
    name = cut(name[:_MAX_NAME])
    free, number = name, 2
    while free in taken or free in SYSTEM_COLUMNS:
        suffix = f"_{number}"
        free, number = cut(name[: _MAX_NAME - len(suffix)], LONGEST_NAME - len(suffix)) + suffix, number + 1
    return free


def layer_id(name: str) -> str:
    """A layer id like a file's name."""
    return re.sub(r"[^a-z0-9\u4e00-\u9fff]+", "-", name.lower()).strip("-")[:_MAX_NAME] or "layer"


def _geometry_type(source: Source) -> GeometryType:
    declared = source.geometry_type.removeprefix("3D ").removeprefix("2.5D ").removeprefix("Measured ")
    return _DECLARED.get(declared) or _found_type(source)


def _found_type(source: Source) -> GeometryType:
    """The narrowest type that holds every geometry of the source."""
    kinds: set[int] = set()
    for frame in source.batches():
        shapes = frame.geometry.to_numpy()
        present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        kinds.update(np.unique(shapely.get_type_id(shapes[present])).tolist())
    if not kinds:
        raise ImportRefused(f"{source.name} 没有几何", f"{source.name} has no geometry")
    dimensions = {{0: 0, 4: 0, 1: 1, 2: 1, 5: 1, 3: 2, 6: 2}.get(kind, -1) for kind in kinds}
    if len(dimensions) > 1 or -1 in dimensions:
        return "Geometry"
    return "Point" if kinds == {0} else _BY_DIMENSION[dimensions.pop()]
