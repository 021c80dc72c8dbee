"""Processes on the terrain: profile, sight, earthwork. Those on sunlight are in :mod:`layers.terrain.sun_processes`.

The modules that compute import GDAL's bindings, which take a second that a server that only describes processes need
not spend; so they are imported where they are used.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import CityCrs, Job, process
from layers.raster.store import RasterStore
from layers.terrain.answers import (
    EarthworkAnswer,
    Hidden,
    ProfileAnswer,
    ProfilePoint,
    SightAnswer,
    ViewshedAnswer,
)
from layers.terrain.errors import AnalysisTooLarge, TerrainError
from layers.terrain.geojson import Area, Latitude, Line, Longitude, Position, area_in, as_geojson

if TYPE_CHECKING:
    from layers.terrain.earthwork import Plane
    from layers.terrain.elevation import Elevation

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
_HeightAbove = Annotated[float, Field(ge=0, le=1000)]
_Refraction = Annotated[float, Field(ge=0, le=1)]
_Resolution = Annotated[float, Field(ge=0.1, le=1000)]
_Altitude = Annotated[float, Field(ge=-12_000, le=9000)]
#: Most points of a profile, and most vertices of a viewshed's outline, that are answered.
_PROFILE_POINTS, _OUTLINE_VERTICES = 20_000, 300_000
#: Cells around what is read, so that heights at its edge are interpolated too.
_MARGIN = 2


@process(
    keywords=("高程剖面 elevation profile", "地形 terrain"),
    example={"line": {"type": "LineString", "coordinates": [[114.88, 30.39], [114.91, 30.41]]}, "step": 30},
)
def elevation_profile(
    conn: Connection,
    store: RasterStore,
    line: Line,
    step: Annotated[float, Field(ge=0.5, le=10_000)] = 30.0,
    dem: _LayerId = "dem",
) -> ProfileAnswer:
    """高程剖面 | Elevation profile

    沿线的地面高程，含累计上升与下降。 | The height of the ground along a line, with total ascent and descent.

    line: 线；GeoJSON LineString，经度和纬度 [°] | Line; GeoJSON LineString, longitude and latitude [°]
    step: 采样间距；最大值，折点总被采样 [m] | Step; points at most so far apart, and at every vertex [m]
    dem: 高程图层的编号 | Elevation; id of the coverage
    returns: 剖面；长度、高程与各点，单位 m | The profile; length, heights and points [m]
    """
    import numpy as np

    from layers.terrain.profile import Profile
    from layers.terrain.sources import heights_along
    from layers.terrain.stations import stations

    points = stations(line.positions(), step)
    if len(points.distances) > _PROFILE_POINTS:
        raise AnalysisTooLarge(
            f"input 'step': {points.length:.0f} m in steps of {step:g} m make {len(points.distances)} points, more than"
            f" {_PROFILE_POINTS}; take a longer one"
        )
    found = Profile(points, heights_along(conn, store, dem, points))
    known = found.heights[np.isfinite(found.heights)]
    rows = zip(points.distances, points.longitudes, points.latitudes, found.heights, strict=True)
    return ProfileAnswer(
        length=round(points.length, 3),
        lowest=_metres(known.min()) if known.size else None,
        highest=_metres(known.max()) if known.size else None,
        ascent=_metres(found.ascent),
        descent=_metres(found.descent),
        points=tuple(
            ProfilePoint(_metres(d), round(float(x), 8), round(float(y), 8), None if np.isnan(z) else _metres(z))
            for d, x, y, z in rows
        ),
    )


@process(
    keywords=("通视 line of sight", "地形 terrain"),
    example={"observer": [114.88, 30.39], "target": [114.90, 30.40], "observer_height": 20, "target_height": 5},
)
def line_of_sight(
    conn: Connection,
    store: RasterStore,
    city: CityCrs,
    observer: Position,
    target: Position,
    observer_height: _HeightAbove = 1.7,
    target_height: _HeightAbove = 0.0,
    refraction: _Refraction = 0.13,
    buildings: _LayerId | None = "buildings",
    dem: _LayerId = "dem",
    resolution: _Resolution | None = None,
) -> SightAnswer:
    """通视分析 | Line of sight

    两点之间是否通视，计入地形、建筑、地球曲率与大气折光；观测点或目标所在的建筑不遮挡。 | Whether a target is seen from
    an observer over terrain and buildings, with the earth's curvature and refraction. A building in which either of
    them stands hides nothing.

    observer: 观测点；经度和纬度 [°] | Observer; longitude and latitude [°]
    target: 目标点；经度和纬度 [°] | Target; longitude and latitude [°]
    observer_height: 观测高度；离地 [m] | Observer's height; above the ground [m]
    target_height: 目标高度；离地 [m] | Target's height; above the ground [m]
    refraction: 折光系数；1 表示不计地球曲率 | Refraction coefficient; 1 leaves out the earth's curvature
    buildings: 建筑图层；空则不计建筑 | Buildings; id of the layer, null for none
    dem: 高程图层的编号 | Elevation; id of the coverage
    resolution: 分辨率；缺省取数据的分辨率 [m] | Resolution; by default that of the data [m]
    returns: 通视结果；首个遮挡点与所需目标高度 [m] | Whether it is seen; what hides it first, the height needed [m]
    """
    import numpy as np

    from layers.terrain.sight import line_of_sight as look
    from layers.terrain.sources import projected_bounds, read_buildings, read_elevation

    ends = np.array([observer, target])
    bounds = projected_bounds(ends[:, 0], ends[:, 1], city.projected, _MARGIN * (resolution or 30.0))
    ground = read_elevation(conn, store, dem, bounds, city.projected, resolution)
    obstacles = read_buildings(conn, buildings, bounds, ground) if buildings else None
    seen = look(ground, observer, target, observer_height, target_height, refraction, obstacles)
    first = Hidden(**asdict(seen.first)) if seen.first else None
    return SightAnswer(
        visible=seen.visible,
        distance=_metres(seen.distance),
        observer_ground=_metres(seen.observer_ground),
        target_ground=_metres(seen.target_ground),
        needed_height=_metres(seen.needed_height),
        clearance=None if seen.clearance is None else _metres(seen.clearance),
        hidden_by=first,
        unknown_share=round(seen.unknown, 4),
        resolution=ground.transform.a,
    )


@process(
    keywords=("可视域 viewshed", "地形 terrain"),
    example={"observer": [114.88, 30.39], "observer_height": 30, "radius": 3000},
)
def viewshed(
    conn: Connection,
    store: RasterStore,
    city: CityCrs,
    observer: Position,
    observer_height: _HeightAbove = 1.7,
    target_height: _HeightAbove = 0.0,
    radius: Annotated[float, Field(gt=0, le=50_000)] = 2000.0,
    refraction: _Refraction = 0.13,
    buildings: _LayerId | None = None,
    dem: _LayerId = "dem",
    resolution: _Resolution | None = None,
) -> ViewshedAnswer:
    """可视域分析 | Viewshed

    从观测点能看到的范围，计入地球曲率与大气折光；可计入建筑。 | What is seen from an observer, with the earth's
    curvature and refraction, and buildings if wanted.

    observer: 观测点；经度和纬度 [°] | Observer; longitude and latitude [°]
    observer_height: 观测高度；离地，有建筑时离屋顶 [m] | Observer's height; above the ground, or the roof there [m]
    target_height: 目标高度；离地 [m] | Target's height; above the ground [m]
    radius: 半径 [m] | Radius [m]
    refraction: 折光系数；1 表示不计地球曲率 | Refraction coefficient; 1 leaves out the earth's curvature
    buildings: 建筑图层；空则不计建筑 | Buildings; id of the layer, null for none
    dem: 高程图层的编号 | Elevation; id of the coverage
    resolution: 分辨率；缺省取数据的分辨率 [m] | Resolution; the data's, or what makes 4 million cells [m]
    returns: 可视域；面积 [m²] 与 GeoJSON 轮廓 | The viewshed; areas [m²] and outline as GeoJSON
    """
    import numpy as np
    import shapely

    from layers.terrain.obstacles import with_buildings
    from layers.terrain.outline import outline
    from layers.terrain.sources import projected_bounds, read_buildings, read_elevation
    from layers.terrain.viewshed import HIDDEN, VISIBLE
    from layers.terrain.viewshed import viewshed as see

    place = np.array(observer)
    bounds = projected_bounds(place[:1], place[1:], city.projected, radius)
    ground = read_elevation(conn, store, dem, bounds, city.projected, resolution)
    if buildings:
        ground = with_buildings(ground, read_buildings(conn, buildings, bounds, ground))
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    seen = see(ground, x, y, observer_height, target_height, radius, refraction)
    shape = outline(seen == VISIBLE, ground)
    if shapely.get_num_coordinates(shape) > _OUTLINE_VERTICES:
        raise AnalysisTooLarge(f"the outline has more than {_OUTLINE_VERTICES} vertices; ask for a coarser resolution")
    wide, high = ground.cell_sizes()
    cells = (wide * high)[:, np.newaxis]
    visible, judged = float(np.sum((seen == VISIBLE) * cells)), float(np.sum((seen >= HIDDEN) * cells))
    return ViewshedAnswer(
        visible_area=round(visible, 2),
        judged_area=round(judged, 2),
        share=round(visible / judged, 6),
        resolution=ground.transform.a,
        geometry=as_geojson(shape, city.projected),
    )


@process(
    keywords=("填挖方 cut and fill", "土方 earthwork", "地形 terrain"),
    example={
        "area": {
            "type": "Polygon",
            "coordinates": [[[114.88, 30.39], [114.882, 30.39], [114.882, 30.392], [114.88, 30.392], [114.88, 30.39]]],
        },
        "level": 25,
    },
)
def cut_fill(
    conn: Connection,
    job: Job,
    store: RasterStore,
    city: CityCrs,
    area: Area,
    level: _Altitude | None = None,
    plane: Annotated[tuple[tuple[Longitude, Latitude, _Altitude], ...], Field(min_length=3, max_length=3)]
    | None = None,
    design: _LayerId | None = None,
    dem: _LayerId = "dem",
    resolution: _Resolution | None = None,
) -> EarthworkAnswer:
    """填挖方计算 | Cut and fill

    范围内地面与设计面之间的挖方与填方；设计面为标高、过三点的平面或另一高程图层。边界上的格网按精确面积计。 | Volumes
    between the ground and a design within an area. The design is a level, a plane through three points, or another
    coverage of elevation. Cells on the edge count by their exact share.

    area: 范围；GeoJSON Polygon 或 MultiPolygon | Area; GeoJSON Polygon or MultiPolygon
    level: 设计标高 [m] | Level of the design [m]
    plane: 设计平面；三点的经纬度 [°] 与高程 [m] | Plane of the design; three points of longitude, latitude, height
    design: 设计面图层；高程图层的编号 | Surface of the design; id of a coverage of elevation
    dem: 地面高程图层的编号 | Elevation of the ground; id of the coverage
    resolution: 分辨率；缺省取数据的分辨率 [m] | Resolution; by default that of the data [m]
    returns: 土方量 [m³] 与面积 [m²] | Volumes [m³] and areas [m²]
    """
    from layers.terrain.earthwork import Plane
    from layers.terrain.earthwork import cut_fill as compute
    from layers.terrain.sources import read_elevation

    given = [name for name, value in (("level", level), ("plane", plane), ("design", design)) if value is not None]
    if len(given) != 1:
        raise TerrainError(f"give one of the inputs 'level', 'plane' and 'design', not {' and '.join(given) or 'none'}")
    lot = area_in(area, city.projected, "area")
    margin = _MARGIN * (resolution or 1.0)
    bounds = (lot.bounds[0] - margin, lot.bounds[1] - margin, lot.bounds[2] + margin, lot.bounds[3] + margin)
    ground = read_elevation(conn, store, dem, bounds, city.projected, resolution)
    job.progress(50, Text("正在计算", "Computing"))
    surface: Plane | Elevation
    if design is not None:
        surface = read_elevation(conn, store, design, bounds, city.projected, resolution)
    else:
        surface = Plane(level) if level is not None else _plane(plane or (), city.projected)
    done = compute(ground, surface, lot)
    return EarthworkAnswer(
        cut=round(done.cut, 3),
        fill=round(done.fill, 3),
        net=round(done.net, 3),
        cut_area=round(done.cut_area, 2),
        fill_area=round(done.fill_area, 2),
        unknown_area=round(done.unknown_area, 2),
        resolution=ground.transform.a,
    )


def _plane(points: tuple[tuple[float, float, float], ...], srid: int) -> "Plane":
    """The plane through three points of longitude, latitude [°] and height [m]."""
    import numpy as np

    from layers.crs import transformer
    from layers.terrain.earthwork import Plane

    lon, lat, heights = np.array(points).T
    x, y = (np.asarray(v) for v in transformer(4490, srid).transform(lon, lat))
    sides = np.column_stack([x[1:] - x[0], y[1:] - y[0]])
    lengths = np.hypot(*sides.T)
    if not np.isfinite(sides).all() or abs(np.linalg.det(sides)) < 1e-6 * max(lengths.prod(), 1e-9):
        raise TerrainError("input 'plane': its three points lie on one line; choose others")
    rise_east, rise_north = np.linalg.solve(sides, heights[1:] - heights[0])
    return Plane(float(heights[0]), float(x[0]), float(y[0]), float(rise_east), float(rise_north))


def _metres(value: Any) -> float:
    """To a millimetre."""
    return round(float(value), 3)
