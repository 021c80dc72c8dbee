"""The process shadows 阴影: what buildings shade at an instant."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import CityCrs, process
from layers.raster.store import RasterStore
from layers.terrain.errors import AnalysisTooLarge
from layers.terrain.geojson import Area
from layers.terrain.sun_processes import ProposedBuilding

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
#: Most buildings whose shadows are worked out one by one, and the widest area [m].
MOST_BUILDINGS, _WIDEST = 5000, 5000.0


@dataclass(frozen=True, slots=True)
class Shadows:
    """Where the sun stands (azimuth from true north, altitude [°]), the solar time [h], and the shadows.

    ``shadows`` is a GeoJSON FeatureCollection: a feature per building with ``layer``, ``id``, ``height`` and ``length``
    [m] of its shadow, and the elevation of the ``ground`` that it stands on [m]. ``shaded`` is the ground of the area
    in any of them, buildings left out [m²].
    """

    azimuth: float
    altitude: float
    solar_time: float
    buildings: int
    shaded: float
    shadows: dict[str, Any]
    warnings: tuple[Text, ...]


@process(
    keywords=("阴影 shadow", "日照 sunlight", "建筑 buildings", "拟建建筑 proposed buildings"),
    example={
        "area": {"type": "Polygon",
                 "coordinates": [[[114.889, 30.394], [114.891, 30.394], [114.891, 30.396], [114.889, 30.394]]]},
        "time": "2026-12-22T09:00:00+08:00",
    },
)  # fmt: skip
def shadows(
    conn: Connection,
    store: RasterStore,
    city: CityCrs,
    area: Area,
    time: AwareDatetime,
    buildings: Annotated[tuple[_LayerId, ...], Field(max_length=5)] = ("buildings",),
    proposed: Annotated[tuple[ProposedBuilding, ...], Field(max_length=500)] = (),
    reach: Annotated[float, Field(ge=0, le=3000)] = 300.0,
    dem: _LayerId | None = "dem",
) -> Shadows:
    """阴影 | Shadows

    某一时刻建筑投在地面上的阴影，逐栋给出；可加入拟建建筑。各栋立于高程图层的地面上，没有高程处按平地。 | The shadows
    that buildings throw on the ground at an instant, one by one; proposed buildings too. Each stands on the elevation;
    where there is none the ground is level.

    area: 范围；GeoJSON，经度和纬度 [°] | Area; GeoJSON, longitude and latitude [°]
    time: 时刻；RFC 3339，带时区 | Instant; RFC 3339, with its offset
    buildings: 建筑图层；可多个，如 buildings 与 scheme-buildings | Layers of footprints; several, as scheme-buildings
    proposed: 拟建建筑；轮廓与高度 [m] | Proposed buildings; footprint and height [m]
    reach: 范围外多远的建筑也计入 [m] | How far outside the area buildings are taken [m]
    dem: 高程图层；空则按平地 | Elevation; id of the coverage, null for level ground
    returns: 阴影；太阳位置与各栋阴影 | Shadows; where the sun stands, and each building's
    """
    from layers.terrain.casting import cast_all
    from layers.terrain.geojson import area_in

    ground = area_in(area, city.projected, "area")
    west, south, east, north = ground.bounds
    if max(east - west, north - south) > _WIDEST:
        raise AnalysisTooLarge(f"the area is wider than {_WIDEST:.0f} m; ask for it in parts")
    planned = [(area_in(p.footprint, city.projected, "proposed"), p.height) for p in proposed]
    return cast_all(conn, store, ground, time, buildings, planned, reach, city.projected, dem)
