"""裁切 cutting an export to an area: features and pixels inside it, and the parts of features that reach into it."""

from dataclasses import replace
from typing import Any

import orjson
import shapely
from shapely.geometry import mapping, shape
from sqlalchemy import Select, Text, bindparam, cast, func, select

from layers.catalogue import CGCS2000, Layer
from layers.exporting.errors import ExportRefused
from layers.query import Box, FeatureQuery, rows

#: Most vertices of an area.
_VERTICES = 100_000
#: Longest piece of an edge [°].
_STEP = 0.001
_DIMENSIONS = {"Point": 1, "LineString": 2, "Polygon": 3}


def area_of(geometry: Any) -> Any:
    """The polygon or multipolygon that a GeoJSON geometry means [° of WGS 84], repaired. Raises ExportRefused."""
    try:
        found = shape(geometry)
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        found = None
    if found is None or found.geom_type not in ("Polygon", "MultiPolygon") or found.is_empty:
        raise ExportRefused("裁切范围不是 GeoJSON 的面", "the area to clip by is no Polygon or MultiPolygon of GeoJSON")
    if shapely.get_num_coordinates(found) > _VERTICES:
        raise ExportRefused(
            f"裁切范围的顶点超过 {_VERTICES} 个", f"the area to clip by has more than {_VERTICES} vertices"
        )
    west, south, east, north = found.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ExportRefused("裁切范围超出经纬度", "the area to clip by lies outside longitude and latitude")
    valid = found if found.is_valid else shapely.make_valid(found)
    # An edge is straight in degrees only: with vertices this near, it is so to a millimetre in every CRS.
    return shapely.segmentize(valid, max(_STEP, valid.length / _VERTICES))


def clipped(layer: Layer, query: FeatureQuery, area: Any) -> tuple[Layer, Select[Any]]:
    """What of the query's features lies in an area (WGS 84), as :func:`layers.query.rows` gives it, and the layer with
    the kind of geometry that comes out: a line or a polygon may fall into parts."""
    box = Box(*area.bounds)
    found = rows(layer, replace(query, box=box) if query.box is None else query).subquery("whole")
    text = orjson.dumps(mapping(area)).decode()
    place = func.ST_Transform(
        func.ST_SetSRID(func.ST_GeomFromGeoJSON(cast(bindparam("CLIP", text), Text)), CGCS2000), query.crs.srid
    )
    cut = func.ST_Intersection(func.ST_MakeValid(found.c.geom), place)
    kind = layer.geometry_type.removeprefix("Multi")
    if kind in _DIMENSIONS:
        cut = func.ST_CollectionExtract(cut, _DIMENSIONS[kind])
    if kind in ("LineString", "Polygon"):
        cut, layer = func.ST_Multi(cut), layer.changed(geometry_type=f"Multi{kind}")
    others = [column for column in found.c if column.name != "geom"]
    inner = select(*others, cut.label("geom")).where(func.ST_Intersects(found.c.geom, place)).subquery("cut")
    return layer, select(*inner.c).where(func.ST_IsEmpty(inner.c.geom).is_(False))
