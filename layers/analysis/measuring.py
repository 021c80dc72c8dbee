"""Lengths and areas of drawn shapes: in the plane of the city's projected CRS, and on the ellipsoid of CGCS2000."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000

#: Corners of one line or ring at most.
_MOST = 10_000
_Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
_Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
_Position = tuple[_Longitude, _Latitude]
_Corners = Annotated[tuple[_Position, ...], Field(min_length=2, max_length=_MOST)]
_Ring = Annotated[tuple[_Position, ...], Field(min_length=4, max_length=_MOST)]
_Rings = Annotated[tuple[_Ring, ...], Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class LineShape:
    """A GeoJSON LineString in degrees."""

    type: Literal["LineString"]
    coordinates: _Corners


@dataclass(frozen=True, slots=True)
class AreaShape:
    """A GeoJSON Polygon in degrees."""

    type: Literal["Polygon"]
    coordinates: _Rings


@dataclass(frozen=True, slots=True)
class Measured:
    """Length or perimeter [m] and area [m², None of a line], in the plane of ``crs`` and on the ellipsoid."""

    length: float
    area: float | None
    geodesic_length: float
    geodesic_area: float | None
    crs: str


# The sides are straight in the plane, and geodesics on the ellipsoid.
_MEASURED = text(f"""
    WITH drawn AS (
        SELECT ST_SetSRID(ST_GeomFromGeoJSON(CAST(:shape AS text)), {CGCS2000}) AS degrees
    ), laid AS (
        SELECT degrees, ST_Transform(degrees, CAST(:srid AS int)) AS plane, ST_Dimension(degrees) = 2 AS is_area
        FROM drawn
    )
    SELECT CASE WHEN is_area THEN ST_Perimeter(plane) ELSE ST_Length(plane) END,
           CASE WHEN is_area THEN ST_Area(plane) END,
           CASE WHEN is_area THEN ST_Perimeter(degrees::geography) ELSE ST_Length(degrees::geography) END,
           CASE WHEN is_area THEN ST_Area(degrees::geography) END,
           (SELECT substring(srtext FROM '"([^"]+)"') FROM spatial_ref_sys WHERE srid = :srid)
    FROM laid""")


def measured(conn: Connection, shape: LineShape | AreaShape, srid: int) -> Measured:
    """Measure a shape; rings are closed where their last corner is not their first."""
    coordinates: Any = shape.coordinates
    if isinstance(shape, AreaShape):
        coordinates = [ring if ring[0] == ring[-1] else (*ring, ring[0]) for ring in shape.coordinates]
    drawn = orjson.dumps({"type": shape.type, "coordinates": coordinates}).decode()
    row = conn.execute(_MEASURED, {"shape": drawn, "srid": srid}).one()
    return Measured(row[0], row[1], row[2], row[3], f"{row[4]} (EPSG:{srid})")
