"""The process sunlight-hours 日照分析 (GB 50180-2018 §4.0.9)."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import CityCrs, Job, process
from layers.raster.store import RasterStore
from layers.terrain.answers import SunInterval, SunlightAnswer, SunlitPoint
from layers.terrain.errors import AnalysisTooLarge, TerrainError
from layers.terrain.geojson import Area, Latitude, Longitude, Polygon, area_in
from layers.terrain.solar import BASE_YEAR, WINDOWS, SolarDay, SunPath, solar_day, sun_path

if TYPE_CHECKING:
    from layers.terrain.site import Site, SunGrid
    from layers.terrain.sunlight import Interval

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
#: How far apart [m] the places of one question may lie.
_WIDEST = 10_000.0
_Hour = Annotated[float, Field(ge=0, le=24)]


@dataclass(frozen=True, slots=True)
class WindowPoint:
    """A point: place [°], height above the ground [m], and where its wall faces [° from north], null without a wall."""

    longitude: Longitude
    latitude: Latitude
    height: Annotated[float, Field(ge=0, le=1000)] = 0.9
    facing: Annotated[float, Field(ge=0, le=360)] | None = None


@dataclass(frozen=True, slots=True)
class ProposedBuilding:
    """A building that is planned: its footprint, and its height above the ground [m]."""

    footprint: Polygon
    height: Annotated[float, Field(gt=0, le=1000)]


@process(
    keywords=("日照 sunlight", "阴影 shadow", "建筑 buildings"),
    example={
        "points": [{"longitude": 114.89, "latitude": 30.395, "height": 0.9, "facing": 180}],
        "day": "great-cold",
        "dem": None,
    },
)
def sunlight_hours(
    conn: Connection,
    job: Job,
    store: RasterStore,
    city: CityCrs,
    points: Annotated[tuple[WindowPoint, ...], Field(max_length=2000)] = (),
    area: Area | None = None,
    day: SolarDay = "great-cold",
    year: Annotated[int, Field(ge=1900, le=2100)] = BASE_YEAR,
    start: _Hour | None = None,
    end: _Hour | None = None,
    required: Annotated[float, Field(ge=0, le=24)] | None = None,
    step: Annotated[float, Field(ge=0.5, le=5)] = 1.0,
    shortest: Annotated[float, Field(ge=0, le=60)] = 0.0,
    wall_angle: Annotated[float, Field(ge=0, le=60)] = 0.0,
    spacing: Annotated[float, Field(ge=0.25, le=1)] = 1.0,
    above: Annotated[float, Field(ge=0, le=100)] = 0.9,
    reach: Annotated[float, Field(ge=10, le=10_000)] = 1000.0,
    buildings: _LayerId = "buildings",
    proposed: Annotated[tuple[ProposedBuilding, ...], Field(max_length=500)] = (),
    left_out: Annotated[tuple[int, ...], Field(max_length=1000)] = (),
    dem: _LayerId | None = "dem",
) -> SunlightAnswer:
    """日照分析 | Hours of sun

    大寒日或冬至日各窗或各格的日照时数，按真太阳时，计入地形与建筑的遮挡。 | Hours of sun of windows, or of the cells
    of an area, on the day of great cold or the winter solstice in true solar time, past terrain and buildings.

    points: 受影点；位置、离地高度 [m] 与朝向 [°] | Points; place, height above ground [m] and where the wall faces [°]
    area: 范围；逐格计算，可代替或附加于受影点 | Area; computed cell by cell, in place of points
    day: 日期；great-cold 大寒日，winter-solstice 冬至日 | Day; great cold or winter solstice
    year: 年份 | Year
    start: 开始；真太阳时，缺省大寒日 8 时、冬至日 9 时 [h] | Start; true solar time, by default 8 or 9 by the day [h]
    end: 结束；真太阳时，缺省大寒日 16 时、冬至日 15 时 [h] | End; true solar time, by default 16 or 15 by the day [h]
    required: 标准；缺省大寒日 2 小时、冬至日 1 小时 [h] | Required; by default 2 h or 1 h by the day [h]
    step: 时间间隔；不大于 5 分钟 [min] | Step; at most 5 minutes [min]
    shortest: 最短时段；更短的日照不累计 [min] | Shortest; a shorter time of sun does not count [min]
    wall_angle: 最小扫略角；光线与墙面的最小夹角 [°] | Wall angle; sun closer to the wall does not count [°]
    spacing: 采样间距；范围的格网，不大于 1 米 [m] | Spacing; cells of the area, at most 1 m [m]
    above: 受影面高度；范围的格网离地 [m] | Height above the ground; of the area's cells [m]
    reach: 遮挡范围；更远的建筑与山体不计 [m] | Reach; buildings and hills further away are not looked at [m]
    buildings: 建筑图层的编号 | Buildings; id of the layer
    proposed: 拟建建筑；轮廓与高度 [m] | Proposed buildings; footprint and height [m]
    left_out: 不计的建筑；编号，如拟拆除的 | Left out; ids of buildings that do not count, as those to be pulled down
    dem: 高程图层；空则按平地 | Elevation; id of the coverage, null for level ground
    returns: 日照；各点时数与时段，或 CoverageJSON 时数 | Sun; hours and times of the points, or hours as CoverageJSON
    """
    import numpy as np

    from layers.terrain.site import read_site
    from layers.terrain.sources import projected_bounds

    if bool(points) == (area is not None):
        raise TerrainError("give either the input 'points' or the input 'area'")
    lot = area_in(area, city.projected, "area") if area else None
    lon, lat = (np.array([getattr(p, name) for p in points]) for name in ("longitude", "latitude"))
    bounds = lot.bounds if lot is not None else projected_bounds(lon, lat, city.projected, 0)
    _refuse_wide(bounds)
    planned = [(area_in(p.footprint, city.projected, "proposed"), p.height) for p in proposed]
    site = read_site(conn, store, dem, buildings, bounds, city.projected, reach, left_out, planned)
    job.progress(10, Text(f"有 {len(site.obstacles)} 栋建筑", f"{len(site.obstacles)} buildings"))
    window = WINDOWS[day]
    enough = window.required if required is None else required
    date = solar_day(day, year)
    begin, finish = window.start if start is None else start, window.end if end is None else end
    sun = sun_path(*_middle(bounds, city.projected), date, begin, finish, step)
    rows = _at_points(site, points, sun, enough, shortest, wall_angle) if points else ()
    grid = _over_area(site, lot, above, spacing, sun, job) if lot is not None else None
    return SunlightAnswer(
        date=date.isoformat(),
        start=begin,
        end=finish,
        required=enough,
        step=round(sun.step * 60, 6),
        buildings=len(site.obstacles),
        points=rows,
        coverage=_coverage_json(grid) if grid else None,
        share_enough=_share(grid, enough) if grid else None,
        warnings=() if dem else (Text("按平地计算", "The ground is taken to be level"),),
    )


def _at_points(
    site: "Site", points: tuple[WindowPoint, ...], sun: SunPath, enough: float, shortest: float, wall_angle: float
) -> tuple[SunlitPoint, ...]:
    import numpy as np

    from layers.terrain.site import window_points
    from layers.terrain.sunlight import intervals, sunlit

    receptors = window_points(
        site,
        np.array([p.longitude for p in points]),
        np.array([p.latitude for p in points]),
        np.array([p.height for p in points]),
        np.array([np.nan if p.facing is None else p.facing for p in points]),
    )
    lit = sunlit(receptors, sun, site.obstacles, site.ground, site.reach, wall_angle)
    return tuple(_sunlit_point(p, intervals(row, sun, shortest), enough) for p, row in zip(points, lit, strict=True))


def _sunlit_point(point: WindowPoint, found: tuple["Interval", ...], enough: float) -> SunlitPoint:
    hours = sum(interval.hours for interval in found)
    return SunlitPoint(
        longitude=point.longitude,
        latitude=point.latitude,
        height=point.height,
        hours=round(hours, 4),
        longest=round(max((interval.hours for interval in found), default=0.0), 4),
        enough=hours >= enough - 1e-9,
        intervals=tuple(SunInterval(_clock(i.start), _clock(i.end)) for i in found),
    )


def _over_area(site: "Site", lot: Any, above: float, spacing: float, sun: SunPath, job: Job) -> "SunGrid":
    from layers.terrain.site import sun_over

    def tell(share: float) -> None:
        job.progress(10 + 89 * share, Text("正在计算阴影", "Sweeping shadows"))

    return sun_over(site, lot, above, spacing, sun, tell)


def _refuse_wide(bounds: tuple[float, float, float, float]) -> None:
    """One place of the sun serves all: over 10 km it differs by 0.1°, a fifth of the sun's own width."""
    side = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    if side > _WIDEST:
        raise AnalysisTooLarge(f"the places lie {side:.0f} m apart, more than {_WIDEST:.0f} m; ask for them in parts")


def _middle(bounds: tuple[float, float, float, float], srid: int) -> tuple[float, float]:
    """Longitude and latitude [°] of the middle, for which the sun is computed."""
    from layers.crs import transformer

    lon, lat = transformer(srid, 4490).transform((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    return float(lon), float(lat)


def _share(grid: "SunGrid", enough: float) -> float | None:
    import numpy as np

    judged = grid.hours[np.isfinite(grid.hours)]
    return round(float(np.mean(judged >= enough - 1e-9)), 6) if judged.size else None


def _coverage_json(grid: "SunGrid") -> dict[str, Any]:
    """OGC 21-069r2 (CoverageJSON), domain type Grid: hours of the cells' centres."""
    rows, columns = grid.hours.shape
    t = grid.transform
    values = [None if math.isnan(value) else round(value, 4) for value in grid.hours.ravel().tolist()]
    return {
        "type": "Coverage",
        "domain": {
            "type": "Domain",
            "domainType": "Grid",
            "axes": {
                "x": {"start": t.c + t.a / 2, "stop": t.c + (columns - 0.5) * t.a, "num": columns},
                "y": {"start": t.f + t.e / 2, "stop": t.f + (rows - 0.5) * t.e, "num": rows},
            },
            "referencing": [
                {
                    "coordinates": ["x", "y"],
                    "system": {"type": "ProjectedCRS", "id": f"http://www.opengis.net/def/crs/EPSG/0/{grid.srid}"},
                }
            ],
        },
        "parameters": {
            "hours": {
                "type": "Parameter",
                "unit": {"symbol": "h"},
                "observedProperty": {"label": {"zh": "日照时数", "en": "Hours of sun"}},
            }
        },
        "ranges": {
            "hours": {
                "type": "NdArray",
                "dataType": "float",
                "axisNames": ["y", "x"],
                "shape": [rows, columns],
                "values": values,
            }
        },
    }


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
