"""Geometry literals and the eight spatial predicates (OGC 21-065r2, spatial functions).

A literal is checked, put into (east, north) order, made valid and transformed to the storage CRS here, so that the
database compares a plain constant with the indexed column, and a coordinate outside a CRS is the filter's error.
"""

from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape as from_geojson
from sqlalchemy import ColumnElement, LargeBinary, and_, func

from layers.cql2.errors import Cql2Error, excerpt
from layers.cql2.operands import Geometry, Value, bound
from layers.crs import epsg, meets, transformer

#: Beyond this no coordinate of any CRS lies; larger ones overflow the predicates.
_LARGEST = 1e9
# Nesting of "coordinates" below a position, and how many positions the innermost list needs.
_SHAPES = {
    "Point": (0, 1),
    "LineString": (1, 2),
    "Polygon": (2, 4),
    "MultiPoint": (1, 1),
    "MultiLineString": (2, 2),
    "MultiPolygon": (3, 4),
}
_PREDICATES = {
    "s_intersects": func.ST_Intersects,
    "s_equals": func.ST_Equals,
    "s_disjoint": func.ST_Disjoint,
    "s_touches": func.ST_Touches,
    "s_within": func.ST_Within,
    "s_overlaps": func.ST_Overlaps,
    "s_crosses": func.ST_Crosses,
    "s_contains": func.ST_Contains,
}
SPATIAL_PREDICATES = frozenset(_PREDICATES)


def geometry_literal(geojson: dict[str, Any], srid: int, axis_swapped: bool) -> Geometry:
    """A GeoJSON geometry of the filter, two-dimensional and valid. Raises :class:`Cql2Error` for a malformed one."""
    geometry = shapely.force_2d(_shape(geojson))
    geometry = _east_north(geometry, axis_swapped)
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    if geometry.geom_type == "GeometryCollection":
        geometry = shapely.unary_union(geometry)
    return Geometry(srid, f"a {geojson['type']}", shape=geometry)


def _shape(geojson: dict[str, Any]) -> Any:
    kind = geojson.get("type")
    if kind == "GeometryCollection":
        members = geojson.get("geometries")
        if not isinstance(members, list) or not members or any(not isinstance(m, dict) for m in members):
            raise Cql2Error("a GeometryCollection needs a list of geometries that is not empty")
        if any(m.get("type") == "GeometryCollection" for m in members):
            raise Cql2Error("a GeometryCollection within another is not CQL2; give its members directly")
        return shapely.GeometryCollection([_shape(m) for m in members])
    if kind not in _SHAPES:
        raise Cql2Error(f"{excerpt(kind)} is not a geometry type; use one of {', '.join(_SHAPES)}, GeometryCollection")
    depth, least = _SHAPES[kind]
    _check_positions(kind, geojson.get("coordinates"), depth, least)
    return from_geojson(geojson)


def _check_positions(kind: str, value: Any, depth: int, least: int) -> None:
    if depth == 0:
        _check_position(kind, value)
        return
    if not isinstance(value, list) or not value:
        raise Cql2Error(f"the {kind} is empty or its coordinates are not nested as GeoJSON (RFC 7946) says")
    for part in value:
        _check_positions(kind, part, depth - 1, least)
    if depth == 1 and len(value) < least:
        raise Cql2Error(f"a line or ring of the {kind} has {len(value)} positions; it needs {least}")
    if depth == 1 and least == 4 and value[0][:2] != value[-1][:2]:
        raise Cql2Error(f"a ring of the {kind} is not closed; end it with its first position")


def _check_position(kind: str, value: Any) -> None:
    numbers = isinstance(value, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    if not numbers or not 2 <= len(value) <= 4:
        raise Cql2Error(f"{excerpt(value)} in the {kind} is not a position of two or three numbers")
    if any(not abs(v) <= _LARGEST for v in value):
        raise Cql2Error(f"the {kind} has a coordinate beyond ±{_LARGEST:g}; correct it")


def box_literal(numbers: Any, srid: int, axis_swapped: bool) -> Geometry:
    """A BBOX of four or six numbers; a western edge east of the eastern one crosses the antimeridian."""
    if not isinstance(numbers, list) or len(numbers) not in (4, 6):
        raise Cql2Error("a BBOX has four numbers (or six, with heights)")
    corners = numbers if len(numbers) == 4 else [numbers[i] for i in (0, 1, 3, 4)]
    _check_position("BBOX", corners)
    west, south, east, north = (corners[i] for i in ((1, 0, 3, 2) if axis_swapped else (0, 1, 2, 3)))
    if south > north:
        raise Cql2Error(f"the BBOX ends south ({north}) of its begin ({south}); exchange them or check filter-crs")
    if west <= east:
        return Geometry(srid, "a BBOX", shape=_box(west, south, east, north), box=True)
    if not epsg(srid).geographic:
        raise Cql2Error(f"the BBOX ends west ({east}) of its begin ({west}); exchange them or check filter-crs")
    parts = [_box(west, south, max(west, 180), north), _box(min(east, -180), south, east, north)]
    return Geometry(srid, "a BBOX", shape=shapely.unary_union(parts), box=True)


def _box(west: float, south: float, east: float, north: float) -> Any:
    """A rectangle, or the line or point that one without width or height is."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    if west == east or south == north:
        return shapely.LineString([corners[0], corners[2]]) if corners[0] != corners[2] else shapely.Point(corners[0])
    return shapely.Polygon(corners)


def _east_north(geometry: Any, axis_swapped: bool) -> Any:
    return shapely.transform(geometry, lambda c: c[:, ::-1]) if axis_swapped else geometry


def geometry_sql(geometry: Geometry, srid: int) -> ColumnElement[Any]:
    """The geometry in CRS ``srid``. A literal is transformed here; a column only if it must be."""
    if geometry.sql is not None:
        return geometry.sql if geometry.srid == srid else func.ST_Transform(geometry.sql, srid)
    return func.ST_GeomFromWKB(bound(shapely.to_wkb(_transformed(geometry, srid)), LargeBinary()), srid)


def _transformed(geometry: Geometry, srid: int) -> Any:
    shape = geometry.shape
    if epsg(geometry.srid).coincides_with(srid):
        return shape
    if geometry.box:
        # A box edge is straight in its own CRS only: give it vertices before it is transformed.
        west, south, east, north = shape.bounds
        shape = shapely.segmentize(shape, max(east - west, north - south, 1e-9) / 16)
    change = transformer(geometry.srid, srid)
    shape = shapely.transform(shape, lambda c: np.column_stack(change.transform(c[:, 0], c[:, 1])))
    coordinates = shapely.get_coordinates(shape)
    if not np.isfinite(coordinates).all() or (np.abs(coordinates) > _LARGEST).any():
        raise Cql2Error(
            f"{geometry.label} has coordinates outside EPSG:{geometry.srid}'s or EPSG:{srid}'s domain; "
            "check filter-crs and its axis order"
        )
    return shape if shape.is_valid else shapely.make_valid(shape)


def spatial_predicate(op: str, a: Value, b: Value) -> ColumnElement[bool]:
    """One of the eight ``s_…`` predicates, compared in the CRS of its first column where that can be."""
    for value in (a, b):
        if not isinstance(value, Geometry):
            raise Cql2Error(f"{op} needs two geometries, not {value.described}")
    assert isinstance(a, Geometry) and isinstance(b, Geometry)
    column, other = (b, a) if a.sql is None and b.sql is not None else (a, b)
    srid = column.srid
    # What reaches too far around the earth to be transformed to a projection is compared in its own CRS.
    if other.sql is None and epsg(other.srid).geographic and not meets(other.srid, other.shape.bounds, srid):
        srid = other.srid
    left, right = geometry_sql(a, srid), geometry_sql(b, srid)
    predicate: ColumnElement[bool] = _PREDICATES[op](left, right)
    # Below row-level security an index serves operators only that leak nothing, as && does.
    return predicate if op == "s_disjoint" else and_(left.op("&&", is_comparison=True)(right), predicate)
