"""The process that measures what is drawn on a map."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.analysis.measuring import AreaShape, LineShape, Measured, measured
from layers.processing import CityCrs, process

_EXAMPLE = [[114.89, 30.39], [114.9, 30.39], [114.9, 30.4], [114.89, 30.39]]


@process(keywords=("量测 measure",), example={"geometry": {"type": "Polygon", "coordinates": [_EXAMPLE]}})
def measure(
    conn: Connection, city: CityCrs, geometry: Annotated[LineShape | AreaShape, Field(discriminator="type")]
) -> Measured:
    """量测 | Measure

    线的长度，或面的周长与面积；在本市投影坐标系的平面上计算，并给出椭球面上的值。 | The length of a line, or the
    perimeter and area of a polygon, in the plane of the city's projected CRS, and on the ellipsoid.

    geometry: 线或面；GeoJSON，经纬度 [°] | A line or polygon; GeoJSON in degrees
    returns: 长度 [m] 与面积 [m²] | Lengths [m] and areas [m²]
    """
    return measured(conn, geometry, city.projected)
