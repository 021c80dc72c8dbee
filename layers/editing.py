"""Checks an edit against its layer: a GeoJSON feature in, column values out. No I/O."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from layers.catalogue import Field, Layer
from layers.crs import Crs, coincident, meets

#: Vertices of one edited geometry; a whole coast line has fewer.
MAX_VERTICES = 200_000
_INT64 = 2**63
_GEOMETRY_TYPES = (
    *("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"),
    "GeometryCollection",
)
_PROMOTED = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}


class EditError(ValueError):
    """A feature sent by a client does not fit its layer; the message names the member and what it must be."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Column values of a checked feature; ``geometry`` is EWKB (east, north) in ``srid``, None for null.

    ``sets_geometry`` is False when a partial edit leaves the geometry as it is.
    """

    values: Mapping[str, Any]
    geometry: bytes | None
    srid: int
    sets_geometry: bool = True


def checked_edit(layer: Layer, document: object, crs: Crs, *, partial: bool = False) -> Edit:
    """The edit that a GeoJSON Feature asks for, coordinates in ``crs`` with its own axis order.

    A full edit sets every field (absent ones to null); a partial one (RFC 7396) only those present.
    Raises :class:`EditError`.
    """
    if not isinstance(document, dict):
        raise EditError("the body must be one GeoJSON Feature object")
    if document.get("type", "Feature" if partial else None) != "Feature":
        raise EditError('"type" must be "Feature"')
    properties = document.get("properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise EditError('"properties" must be an object or null')
    # QGIS sends the read-only id of the schema among the properties; it is the path's, not the client's.
    unknown = [name for name in properties if layer.field(name) is None and name != "id"]
    if unknown:
        known = ", ".join(f.name for f in layer.fields)
        raise EditError(f"properties.{unknown[0][:80]}: layer {layer.id!r} has no such field; it has {known}")
    fields = [f for f in layer.fields if not partial or f.name in properties]
    values = {f.name: _checked_property(f, properties.get(f.name)) for f in fields}
    if partial and "geometry" not in document:
        return Edit(values, None, layer.srid, sets_geometry=False)
    return Edit(values, _checked_geometry(layer, document.get("geometry"), crs), crs.srid)


def _checked_property(field: Field, value: object) -> Any:
    try:
        return checked_value(field, value)
    except EditError as error:
        raise EditError(f"properties.{field.name}: {error}") from None


def checked_value(field: Field, value: object) -> Any:
    """The column value of a JSON value. Raises :class:`EditError` when it is not of the field's type."""
    if value is None:
        return None
    try:
        return _CHECKS[field.type](value)
    except (ValueError, TypeError, OverflowError) as error:
        raise EditError(f"{str(value)[:80]!r} is not {error}") from None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    if "\0" in value:
        raise ValueError("text that can be stored: it contains U+0000")
    return value


def _integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise TypeError("a whole number within 64 bits")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _date(value: object) -> date:
    try:
        return date.fromisoformat(_string(value))
    except ValueError:
        raise ValueError("a date like 2026-11-22") from None


def _date_time(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(_string(value))
    except ValueError:
        raise ValueError("an instant like 2026-11-22T08:00:00Z") from None
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError:  # stored, it would be a year that no export can write
        raise ValueError("an instant within the years 1 to 9999 of UTC") from None


def _strings(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("a list of strings")
    return [_string(item) for item in value]


_CHECKS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "date-time": _date_time,
    "string-array": _strings,
}


def _checked_geometry(layer: Layer, document: object, crs: Crs) -> bytes | None:
    if document is None:
        return None
    geometry = _geometry(document)
    if geometry.is_empty:
        raise EditError("geometry: it has no coordinates; send null for a feature without geometry")
    if shapely.get_num_coordinates(geometry) > MAX_VERTICES:
        raise EditError(f"geometry: more than {MAX_VERTICES} vertices")
    members = geometry.geoms if isinstance(geometry, shapely.GeometryCollection) else ()
    if any(isinstance(member, shapely.GeometryCollection) for member in members):
        # PostGIS would store it and then refuse to write it as GeoJSON.
        raise EditError("geometry: a GeometryCollection holds another one; send its parts directly")
    geometry = shapely.force_2d(geometry)
    _check_coordinates(geometry, crs)
    if not geometry.is_valid:
        raise EditError(f"geometry: not valid: {shapely.is_valid_reason(geometry)}")
    if crs.axis_swapped:
        geometry = shapely.transform(geometry, lambda xy: xy[:, ::-1])
    if not coincident(crs.srid, layer.srid) and not meets(crs.srid, geometry.bounds, layer.srid):
        raise EditError(f"geometry: it lies outside the area for which {crs.uri} and EPSG:{layer.srid} are made")
    return shapely.to_wkb(shapely.set_srid(_promoted(geometry, layer), crs.srid), include_srid=True)


def _geometry(document: object) -> BaseGeometry:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind not in _GEOMETRY_TYPES:
        raise EditError(f"geometry: type {str(kind)[:40]!r} is none of {', '.join(_GEOMETRY_TYPES)}")
    assert isinstance(document, dict)
    if not _only_numbers(document.get("coordinates", [])):
        raise EditError("geometry: coordinates must be lists of numbers")
    try:
        return shape(document)
    except Exception as error:  # shapely raises many types for malformed GeoJSON; all mean the same to a client
        raise EditError(f"geometry: not a GeoJSON geometry ({str(error)[:120]})") from None


def _only_numbers(coordinates: object) -> bool:
    """shapely would take '1' and true for numbers."""
    if isinstance(coordinates, list):
        return all(map(_only_numbers, coordinates))
    return isinstance(coordinates, int | float) and not isinstance(coordinates, bool)


def _check_coordinates(geometry: BaseGeometry, crs: Crs) -> None:
    coordinates = shapely.get_coordinates(geometry)
    if not math.isfinite(coordinates.sum()):
        raise EditError("geometry: coordinates must be finite numbers")
    first, second = (90.0, 180.0) if crs.axis_swapped else (180.0, 90.0)
    if crs.geographic and bool(((abs(coordinates) - (first, second)) > 0).any()):
        order = "latitude, longitude" if crs.axis_swapped else "longitude, latitude"
        raise EditError(f"geometry: coordinates outside the range of {crs.uri}, whose order is {order}")


def _promoted(geometry: BaseGeometry, layer: Layer) -> BaseGeometry:
    wanted, given = layer.geometry_type, geometry.geom_type
    if given == wanted or wanted == "Geometry":
        return geometry
    if _PROMOTED.get(given) == wanted:
        return getattr(shapely, wanted)([geometry])  # type: ignore[no-any-return]
    parts = getattr(geometry, "geoms", ())
    if _PROMOTED.get(wanted) == given and len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return, misc]
    raise EditError(f"geometry: {given} does not fit layer {layer.id!r}, which holds {wanted}")
