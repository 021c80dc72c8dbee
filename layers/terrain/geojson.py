"""Geometries as clients send and get them: GeoJSON (RFC 7946) in degrees, longitude first."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import orjson
import shapely
from pydantic import Field

from layers.crs import transformer
from layers.terrain.elevation import Floats
from layers.terrain.errors import TerrainError

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Position = tuple[Longitude, Latitude]
_Ring = Annotated[tuple[Position, ...], Field(min_length=4, max_length=20_000)]
_Rings = Annotated[tuple[_Ring, ...], Field(min_length=1, max_length=200)]
#: Degrees are given to 1 cm.
_GRID = 1e-7


@dataclass(frozen=True, slots=True)
class Line:
    """GeoJSON (RFC 7946 §3.1.4)."""

    type: Literal["LineString"]
    coordinates: Annotated[tuple[Position, ...], Field(min_length=2, max_length=20_000)]

    def positions(self) -> Floats:
        """Rows of longitude, latitude [°]."""
        return np.array(self.coordinates, np.float64)


@dataclass(frozen=True, slots=True)
class Polygon:
    """GeoJSON (RFC 7946 §3.1.6)."""

    type: Literal["Polygon"]
    coordinates: _Rings


@dataclass(frozen=True, slots=True)
class MultiPolygon:
    """GeoJSON (RFC 7946 §3.1.7)."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[tuple[_Rings, ...], Field(min_length=1, max_length=200)]


Area = Polygon | MultiPolygon


def area_in(area: Area, srid: int, name: str) -> Any:
    """The area as shapely in EPSG ``srid``. Raises :class:`TerrainError` naming the input where it is not valid."""
    shape = shapely.from_geojson(orjson.dumps({"type": area.type, "coordinates": area.coordinates}))
    if not shape.is_valid or shape.area == 0:
        raise TerrainError(f"input {name!r} is no valid area: {shapely.is_valid_reason(shape)}")
    moved = transformed(shape, 4490, srid)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise TerrainError(f"input {name!r} lies where EPSG:{srid}, in which this city measures, does not reach")
    return moved


def as_geojson(shape: Any, srid: int) -> dict[str, Any]:
    """A shapely geometry of EPSG ``srid`` as GeoJSON."""
    degrees = shapely.set_precision(transformed(shape, srid, 4490), _GRID, mode="pointwise")
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(degrees))
    return found


def transformed(shape: Any, srid: int, other: int) -> Any:
    """A shapely geometry of one EPSG code in another's coordinates."""
    return shapely.transform(shape, transformer(srid, other).transform, interleaved=False)
