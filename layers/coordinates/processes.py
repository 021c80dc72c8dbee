"""The process that transforms coordinates."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from layers.catalogue import Text
from layers.coordinates.local_grid import SevenParameters
from layers.processing import CityCrs, process

#: Positions of one request at most.
MAX_POSITIONS = 100_000
_SystemName = Annotated[str, Field(min_length=1, max_length=500)]
_Position = Annotated[tuple[float, ...], Field(min_length=2, max_length=3)]
_Positions = Annotated[tuple[_Position, ...], Field(min_length=1, max_length=MAX_POSITIONS)]
Order = Literal["east-north", "north-east"]


@dataclass(frozen=True, slots=True)
class TransformedCoordinates:
    """The positions or the geometry in the target system, in the order asked for; heights are as they came."""

    source: str
    target: str
    points: tuple[tuple[float, ...], ...] | None
    geometry: dict[str, Any] | None
    remarks: tuple[Text, ...]


@process(
    keywords=("坐标转换 coordinates", "CGCS2000", "GCJ-02", "BD-09"),
    example={"source": "EPSG:4490", "target": "EPSG:4547", "points": [[114.9, 30.4]]},
)
def transform_coordinates(
    city: CityCrs,
    source: _SystemName,
    target: _SystemName,
    points: _Positions | None = None,
    geometry: dict[str, Any] | None = None,
    source_towgs84: SevenParameters | None = None,
    target_towgs84: SevenParameters | None = None,
    source_order: Order = "east-north",
    target_order: Order = "east-north",
) -> TransformedCoordinates:
    """坐标转换 | Transform coordinates

    WGS84、CGCS2000 各带、西安 80、北京 54、地方坐标系、GCJ-02 与 BD-09 之间的转换。西安 80 与北京 54 须有本市
    七参数，否则拒绝，因为会偏几十米以上。 | Between WGS 84, all zones of CGCS2000, Xian 80, Beijing 54, local grids,
    GCJ-02 and BD-09. Xian 80 and Beijing 54 need the city's seven parameters and are refused without, as positions
    would be tens of metres off.

    source: 源坐标系；EPSG:4547、WGS84、GCJ-02、BD-09、西安80、本市坐标系名称或 PROJ 文本 | Source system; EPSG:4547,
     WGS84, GCJ-02, BD-09, Xian80, the name of a local grid, or PROJ text
    target: 目标坐标系；写法同源坐标系 | Target system; written like the source
    points: 点；每点为东坐标（经度）、北坐标（纬度）及可有的高程 | Points; each east (longitude), north (latitude) and
     perhaps a height
    geometry: 几何；GeoJSON，与点二选一 | Geometry; GeoJSON, in place of points
    source_towgs84: 源坐标系的七参数；m，″，ppm，位置矢量法 | Seven parameters of the source; m, ″, ppm, position vector
    target_towgs84: 目标坐标系的七参数 | Seven parameters of the target
    source_order: 源坐标的次序；测量成果常为北东 | Order of the given ordinates; survey lists often have north first
    target_order: 结果坐标的次序 | Order of the ordinates in the result
    returns: 转换后的坐标 | The transformed coordinates
    """
    from layers.coordinates.transform import transform_positions

    return transform_positions(
        city, source, target, points, geometry, (source_towgs84, target_towgs84), (source_order, target_order)
    )
