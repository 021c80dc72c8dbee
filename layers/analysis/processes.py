"""Processes on features of layers: buffer, overlay, nearest, zonal statistics, exposure.

What computes is imported where it is used: it takes a second that a server that only describes processes need not
spend.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.analysis.answers import FeatureAnswer, answered, geojson_of
from layers.analysis.counted import ExposureAnswer, Neighbour, Neighbours
from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import Features, FeatureSource, load_features
from layers.catalogue import Text
from layers.processing import CityCrs, FileResult, Job, Workspace, process
from layers.raster.store import RasterStore

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
_Distance = Annotated[float, Field(ge=-100_000, le=100_000)]
_Within = Annotated[float, Field(gt=0, le=100_000)]
_Statistic = Literal[
    "count", "sum", "mean", "min", "max", "stdev", "variance", "median", "majority", "minority", "variety"
]
_SCHOOLS = {"layer": "pois", "filter": "category = 'education'"}
#: Most pairs of places between which ways along roads are sought.
_ROAD_PAIRS = 2_000_000


@process(keywords=("缓冲区 buffer",), example={"features": _SCHOOLS, "distance": 300, "dissolve": True})
def buffer(
    conn: Connection,
    city: CityCrs,
    workspace: Workspace,
    features: FeatureSource,
    distance: _Distance | None = None,
    field: _LayerId | None = None,
    dissolve: bool = False,
    cap: Literal["round", "flat", "square"] = "round",
    file: bool = False,
) -> FeatureAnswer | FileResult:
    """缓冲区 | Buffer

    要素周围一定距离内的范围；距离在城市投影坐标系中量算，可取自字段，可融合。 | The ground within a distance of
    features, measured in the city's projected CRS. The distance may come from a field, and the buffers be dissolved.

    features: 要素；图层（可带 CQL2 条件与范围）或 GeoJSON | Features; a layer with filter and bbox, or GeoJSON
    distance: 距离；负值向内 [m] | Distance; negative is inwards [m]
    field: 距离字段；数值，每个要素各自的距离 [m] | Field; of numbers, each feature's own distance [m]
    dissolve: 融合；重叠的缓冲区合为一体 | Dissolve; buffers that overlap become one
    cap: 线端形状 | Cap; the shape at the ends of lines
    file: 写成文件；以异步任务执行 | File; write one, run as a job
    returns: 缓冲区；GeoJSON，含面积 [m²] | The buffers; GeoJSON with areas [m²]
    """
    import numpy as np
    import shapely

    if (distance is None) == (field is None):
        raise AnalysisError("give one of the inputs 'distance' and 'field'")
    found = load_features(conn, features, "features", city.projected)
    metres = np.full(len(found), distance) if field is None else _numbers(found, field)
    shapes = shapely.buffer(found.shapes, metres, quad_segs=16, cap_style=cap)
    kept = ~shapely.is_empty(shapes)
    told = [{**about, "id": id_} for about, id_ in zip(found.properties, found.ids, strict=True)]
    if dissolve:
        shapes = shapely.get_parts(shapely.union_all(shapes[kept]))
        return answered(shapes, [{} for _ in shapes], city.projected, workspace if file else None, "buffer")
    properties = [about for about, keep in zip(told, kept.tolist(), strict=True) if keep]
    return answered(shapes[kept], properties, city.projected, workspace if file else None, "buffer")


@process(
    keywords=("叠加分析 overlay", "裁剪 clip"),
    example={"features": {"layer": "land-use"}, "other": {"layer": "water"}, "how": "difference"},
)
def overlay(
    conn: Connection,
    city: CityCrs,
    workspace: Workspace,
    features: FeatureSource,
    other: FeatureSource,
    how: Literal["intersection", "union", "difference", "symmetric-difference", "clip"] = "intersection",
    file: bool = False,
) -> FeatureAnswer | FileResult:
    """叠加分析 | Overlay

    两组要素的相交、合并、擦除、交集取反或裁剪，保留双方属性，在城市投影坐标系中计算面积。 | Intersection, union,
    difference, symmetric difference or clip of two sets of features, with the attributes of both and areas in the
    city's projected CRS.

    features: 要素；图层（可带 CQL2 条件与范围）或 GeoJSON | Features; a layer with filter and bbox, or GeoJSON
    other: 叠加的面要素 | Other; the areas that are laid over
    how: 方式 | How; which parts are kept
    file: 写成文件；以异步任务执行 | File; write one, run as a job
    returns: 叠加结果；GeoJSON，含面积 [m²] 或长度 [m] | The pieces; GeoJSON with areas [m²] or lengths [m]
    """
    from layers.analysis.overlay import joined_properties
    from layers.analysis.overlay import overlay as lay

    one = load_features(conn, features, "features", city.projected)
    two = load_features(conn, other, "other", city.projected)
    pieces = lay(one, two, how)
    properties = joined_properties(one, two, pieces)
    return answered(pieces.shapes, properties, city.projected, workspace if file else None, how)


@process(
    keywords=("最近设施 nearest", "邻近分析 proximity"),
    example={
        "features": {"layer": "pois", "filter": "category = 'education'"},
        "candidates": {"layer": "pois", "filter": "category = 'health'"},
        "count": 2,
    },
)
def nearest(
    conn: Connection,
    city: CityCrs,
    features: FeatureSource,
    candidates: FeatureSource,
    count: Annotated[int, Field(ge=1, le=100)] = 1,
    within: _Within = 5000.0,
    by: Literal["straight", "length", "time"] = "straight",
    mode: Literal["drive", "cycle", "walk"] = "drive",
    reach: Annotated[float, Field(gt=0, le=20_000)] = 1000.0,
) -> tuple[Neighbours, ...]:
    """最近要素 | Nearest features

    每个要素最近的若干候选要素：直线距离，或沿道路的距离与时间。 | The candidates nearest to each feature: straight, or
    by distance or time along the roads.

    features: 要素；图层（可带 CQL2 条件与范围）或 GeoJSON | Features; a layer with filter and bbox, or GeoJSON
    candidates: 候选要素 | Candidates; among which the nearest are sought
    count: 每个要素的个数 | Count; for each feature
    within: 最大距离 [m]；按时间时为秒 [s] | Within; at most so far [m], or by time so long [s]
    by: 依据；straight 直线，length 道路距离，time 道路时间 | By; straight, length or time along roads
    mode: 出行方式；沿道路时 | Mode; along roads
    reach: 最大吸附距离；要素到道路 [m] | Reach; from a feature to a road [m]
    returns: 每个要素的最近候选 | The nearest candidates of each feature
    """
    import numpy as np
    import shapely

    from layers.analysis.nearest import nearest_by_road, nearest_straight
    from layers.crs import transformer
    from layers.network.reading import ROADS
    from layers.registry import find_layer

    one = load_features(conn, features, "features", city.projected, ())
    two = load_features(conn, candidates, "candidates", city.projected)
    degrees = transformer(city.projected, 4490)
    places = [
        np.column_stack(degrees.transform(*shapely.get_coordinates(shapely.point_on_surface(f.shapes)).T))
        for f in (one, two)
    ]
    if by == "straight":
        found = nearest_straight(one.shapes, two.shapes, count, within)
    else:
        if len(one) * len(two) > _ROAD_PAIRS:
            raise TooMuch(f"{len(one)} × {len(two)} ways along roads, more than {_ROAD_PAIRS}; give fewer features")
        find_layer(conn, ROADS)
        starts, ends = (p.tolist() for p in places)
        found = nearest_by_road(conn, starts, ends, count, within, mode, by, reach)
    rows: list[list[Neighbour]] = [[] for _ in range(len(one))]
    for of, number, cost in zip(found.of.tolist(), found.candidate.tolist(), found.cost.tolist(), strict=True):
        lon, lat = places[1][number].round(8).tolist()
        metres, seconds = (None, round(cost, 2)) if by == "time" else (round(cost, 3), None)
        rows[of].append(Neighbour(two.ids[number], metres, seconds, lon, lat, two.properties[number]))
    return tuple(Neighbours(id_, tuple(row)) for id_, row in zip(one.ids, rows, strict=True))


@process(
    keywords=("分区统计 zonal statistics",),
    example={
        "zones": {"layer": "admin-areas", "filter": "level = 'street'"},
        "coverage": "dem",
        "statistics": ["mean"],
    },
)
def zonal_statistics(
    conn: Connection,
    job: Job,
    store: RasterStore,
    city: CityCrs,
    workspace: Workspace,
    zones: FeatureSource,
    coverage: _LayerId = "dem",
    statistics: Annotated[tuple[_Statistic, ...], Field(min_length=1, max_length=11)] = ("mean", "min", "max"),
    band: _LayerId | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    resolution: Annotated[float, Field(ge=0.01, le=10_000)] | None = None,
    file: bool = False,
) -> FeatureAnswer | FileResult:
    """分区统计 | Zonal statistics

    各分区内栅格的统计值，边界像元按精确面积比例计；分类栅格另给出各类占比。 | Statistics of a coverage's pixels in each
    zone; a pixel on the edge counts by its exact share. Of classes also the share of each.

    zones: 分区；图层（可带 CQL2 条件与范围）或 GeoJSON | Zones; a layer with filter and bbox, or GeoJSON
    coverage: 栅格图层的编号 | Coverage; id of the layer
    statistics: 统计量 | Statistics
    band: 波段；缺省为第一个 | Band; the first by default
    begin: 开始时间；只取此后拍摄的影像 | Begin; only images acquired then or later
    end: 结束时间；只取此前拍摄的影像 | End; only images acquired until then
    resolution: 分辨率；缺省取影像自己的像元 [m] | Resolution; by default the image's own pixels [m]
    file: 写成文件；以异步任务执行 | File; write one, run as a job
    returns: 分区及其统计；GeoJSON | The zones with their statistics; GeoJSON
    """
    import shapely

    from layers.analysis.times import interval
    from layers.analysis.zonal import frame_of
    from layers.analysis.zonal import zonal_statistics as compute
    from layers.crs import transformer
    from layers.raster.registry import load_coverage

    found = load_features(conn, zones, "zones", city.projected)
    if not len(found) or not found.of_dimension(2):
        raise AnalysisError("input 'zones' has no features, or some that are no areas")
    source = load_coverage(conn, coverage)
    time = interval(begin, end) if begin or end else None
    box = transformer(city.projected, 4490).transform_bounds(*shapely.total_bounds(found.shapes))
    frame = frame_of(conn, store, source, box, time, city.projected, resolution)
    job.progress(5, Text("正在统计", "Computing"))
    told = compute(conn, store, source, found.shapes, city.projected, frame, band, time, statistics)
    rows = zip(found.properties, found.ids, told, strict=True)
    properties = [{**about, "id": id_, "statistics": row} for about, id_, row in rows]
    return answered(found.shapes, properties, city.projected, workspace if file else None, "zonal-statistics")


@process(
    keywords=("暴露分析 exposure", "应急 emergency", "影响范围 hazard zone"),
    example={
        "hazard": {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9, 30.4]}}],
        },
        "distance": 500,
    },
)
def exposure(
    conn: Connection,
    city: CityCrs,
    hazard: FeatureSource,
    distance: Annotated[float, Field(ge=0, le=50_000)] = 500.0,
    facilities: Annotated[tuple[_LayerId, ...], Field(max_length=10)] = ("pois",),
    buildings: _LayerId | None = "buildings",
    communities: _LayerId | None = "admin-areas",
) -> ExposureAnswer:
    """暴露分析 | Exposure

    危险源一定距离内的人口（估算）、建筑与设施。人口按社区住宅建筑面积分摊。 | People (estimated), buildings and
    facilities within a distance of a hazard. The people of each community are spread over its dwellings' floor area.

    hazard: 危险源；图层（可带 CQL2 条件与范围）或 GeoJSON | Hazard; a layer with filter and bbox, or GeoJSON
    distance: 影响距离 [m] | Distance that it reaches [m]
    facilities: 设施图层的编号 | Facilities; ids of layers
    buildings: 建筑图层；空则不计 | Buildings; id of the layer, null for none
    communities: 带 population 的区划图层，取 level 为 community 者；空则不计人口 | Communities; areas with population
    returns: 影响范围、人口、建筑与设施 | The ground reached, people, buildings and facilities
    """
    import shapely

    from layers.analysis.exposed import exposed_buildings, exposed_facilities, exposed_people

    found = load_features(conn, hazard, "hazard", city.projected, ())
    if not len(found):
        raise AnalysisError("input 'hazard' has no features")
    source = shapely.union_all(found.shapes)
    zone = source.buffer(distance, quad_segs=32) if distance else source
    if shapely.get_dimensions(zone) != 2:
        raise AnalysisError("the hazard has no area: give a 'distance'")
    return ExposureAnswer(
        area=round(zone.area, 2),
        zone=geojson_of(zone, city.projected),
        people=exposed_people(conn, city.projected, zone, communities, buildings) if communities else None,
        buildings=exposed_buildings(conn, city.projected, zone, buildings) if buildings else None,
        facilities=tuple(exposed_facilities(conn, city.projected, zone, source, layer) for layer in facilities),
    )


def _numbers(features: Features, field: str) -> Any:
    import numpy as np

    values = [about.get(field) for about in features.properties]
    wrong = next((i for i, v in enumerate(values) if not isinstance(v, int | float) or isinstance(v, bool)), None)
    if wrong is not None:
        raise AnalysisError(
            f"input 'field': {field!r} of feature {features.ids[wrong]} is no number: {values[wrong]!r}"
        )
    metres = np.array(values, dtype=np.float64)
    if not (np.abs(metres) <= 100_000).all():
        raise AnalysisError(f"input 'field': {field!r} has distances of more than 100000 m")
    return metres
