"""Processes that look at how deep pipes lie: sections, cover and clearances."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.pipes.errors import PipeError, PipesTooMany
from layers.pipes.section_answers import (
    ClearanceAnswer,
    Conflict,
    SectionAnswer,
    ShallowPipe,
)
from layers.processing import CityCrs, process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Area, Line, area_in

if TYPE_CHECKING:
    from layers.pipes.levels import Levels
    from layers.pipes.network import PipeNetwork

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
_Picture = Literal["svg", "png"]
#: Most pipes that are checked, and most findings that are listed.
MAX_CHECKED, MAX_LISTED = 50_000, 5000


@process(
    keywords=("纵断面 long section", "横断面 cross section", "管线 pipelines"),
    example={
        "line": {"type": "LineString", "coordinates": [[114.8995, 30.4], [114.9005, 30.4]]},
        "drawing": "svg",
    },
)
def pipe_section(
    conn: Connection,
    store: RasterStore,
    city: CityCrs,
    line: Line | None = None,
    pipes: Annotated[tuple[int, ...], Field(min_length=1, max_length=500)] | None = None,
    from_node: _Name | None = None,
    to_node: _Name | None = None,
    step: Annotated[float, Field(ge=0.5, le=1000)] = 10.0,
    dem: _LayerId = "dem",
    drawing: _Picture | None = "svg",
) -> SectionAnswer:
    """管线断面 | Section of pipes

    横断面：一条线切过的管线；纵断面：沿首尾相接的管线或两管点间的最短路径。含地面线、坡度、覆土与交叉管线，可绘图。 |
    Across: the pipes that a line cuts. Along: a way of pipes, or the shortest between two nodes. With the ground,
    slopes, cover and the pipes that are crossed, and drawn.

    line: 横断面线；GeoJSON LineString [°] | Line to cut along; GeoJSON LineString [°]
    pipes: 纵断面的管线；依次相接的编号 | Pipes of a long section; ids of features that follow each other
    from_node: 纵断面起点；点号 | Start of a long section; number of the node
    to_node: 纵断面终点；点号 | End of a long section; number of the node
    step: 地面采样间距 [m] | Step; between points of the ground [m]
    dem: 高程图层的编号；没有数据处取管点的地面高程 | Elevation; id of the coverage, the nodes' ground where it has none
    drawing: 绘图；svg、png 或不绘 | Drawing; svg, png or none
    returns: 断面；地面、管线、管点与图 | The section; ground, pipes, nodes and drawing
    """
    from layers.pipes.current import current_pipes
    from layers.pipes.locating import pipe_row
    from layers.pipes.section import way_between, way_of_pipes
    from layers.pipes.section_making import across, along

    given = [line is not None, pipes is not None, from_node is not None and to_node is not None]
    if sum(given) != 1 or (from_node is None) != (to_node is None):
        raise PipeError(
            "give one of: 'line' for a cross section; 'pipes', or 'from_node' and 'to_node', for a long one"
        )
    network = current_pipes(conn)
    if line is not None:
        return across(conn, store, city, network, line, step, dem, drawing)
    if pipes is not None:
        way = way_of_pipes(network, [pipe_row(network, pipe) for pipe in pipes])
    else:
        assert from_node is not None and to_node is not None
        way = way_between(network, from_node, to_node)
    return along(conn, store, city, network, way, step, dem, drawing)


@process(
    keywords=("净距 clearance", "碰撞 conflict", "覆土 cover", "管线 pipelines"),
    example={
        "area": {
            "type": "Polygon",
            "coordinates": [
                [[114.898, 30.398], [114.902, 30.398], [114.902, 30.402], [114.898, 30.402], [114.898, 30.398]]
            ],
        }
    },
)
def pipe_clearance(
    conn: Connection, store: RasterStore, city: CityCrs, area: Area, dem: _LayerId = "dem"
) -> ClearanceAnswer:
    """净距与覆土检查 | Check clearance and cover

    范围内管线的水平净距、交叉处的垂直净距与覆土深度，不足规定者列出；规定取自城市的净距表与种类表。 | The horizontal
    clearance of pipes in an area, the vertical one where they cross, and their cover: those that fall short of the
    city's tables.

    area: 范围；GeoJSON Polygon 或 MultiPolygon | Area; GeoJSON Polygon or MultiPolygon
    dem: 高程图层的编号；管点没有地面高程时用 | Elevation; id of the coverage, where nodes tell no ground
    returns: 覆土不足的管线与净距不足的管线对 | Pipes too shallow, and pairs too close
    """
    import numpy as np
    import shapely

    from layers.pipes.clearance import crossing, side_by_side
    from layers.pipes.current import current_pipes
    from layers.pipes.levels import levels_of
    from layers.pipes.locating import projected

    network = current_pipes(conn)
    ground = area_in(area, city.projected, "area")
    box = shapely.bounds(shapely.from_geojson(_json(area)))
    near = np.flatnonzero(network.working & network.pipes.meeting([tuple(box.tolist())]))
    if len(near) > 4 * MAX_CHECKED:
        raise PipesTooMany(f"{len(near)} pipes lie there; ask for a smaller area")
    shapes = projected(network.pipes.shapes[near], city.projected)
    within = shapely.intersects(shapes, ground)
    rows, shapes = near[within], shapes[within]
    if len(rows) > MAX_CHECKED:
        raise PipesTooMany(f"{len(rows)} pipes lie in the area, more than {MAX_CHECKED}; ask for a smaller one")
    levels = levels_of(conn, store, network, rows, dem)
    shallow, unknown = _shallow(network, rows, levels)
    conflicts, unknown_crossings = [], 0
    for sense, pairs in (
        ("horizontal", side_by_side(network, rows, shapes)),
        ("vertical", crossing(network, rows, shapes, levels)),
    ):
        unknown_crossings += int(np.isnan(pairs.distance).sum())
        conflicts += _conflicts(network, rows, sense, pairs, city.projected)
    return ClearanceAnswer(
        len(rows), len(shallow), len(conflicts), unknown, unknown_crossings,
        tuple(shallow[:MAX_LISTED]), tuple(conflicts[:MAX_LISTED]), network.standards.unverified(),
    )  # fmt: skip


def _json(area: Area) -> bytes:
    import orjson

    return orjson.dumps({"type": area.type, "coordinates": area.coordinates})


def _shallow(network: "PipeNetwork", rows: Any, levels: "Levels") -> tuple[list[ShallowPipe], int]:
    """The pipes with too little cover, the shallowest first, and how many could not be judged."""
    import numpy as np
    import shapely

    asked = [network.standards.kind(kind).cover for kind in network.pipes["kind"][rows]]
    required = np.array([np.nan if cover is None else cover for cover in asked], np.float64)
    cover = levels.cover
    least = np.where(np.isnan(cover).all(axis=1), np.nan, np.nanmin(np.where(np.isnan(cover), np.inf, cover), axis=1))
    found = []
    for i in np.flatnonzero(least < required - 1e-4).tolist():
        row = int(rows[i])
        end = 0 if cover[i, 0] == least[i] else -1
        lon, lat = shapely.get_coordinates(shapely.get_point(network.pipes.shapes[row], end))[0].round(8).tolist()
        found.append(
            ShallowPipe(
                int(network.pipes.feature[row]), network.pipes["kind"][row], round(float(least[i]), 3),
                float(required[i]), lon, lat,
            )
        )  # fmt: skip
    found.sort(key=lambda pipe: (pipe.least_cover - pipe.required, pipe.id))
    return found, int((np.isnan(least) & np.isfinite(required)).sum())


def _conflicts(network: "PipeNetwork", rows: Any, sense: str, pairs: Any, srid: int) -> list[Conflict]:
    import numpy as np

    from layers.crs import transformer

    hit = np.flatnonzero(pairs.conflicts())
    lon, lat = transformer(srid, 4490).transform(*pairs.at[hit].T) if len(hit) else ((), ())
    found = []
    for i, x, y in zip(hit.tolist(), lon, lat, strict=True):
        one, other = int(rows[pairs.one[i]]), int(rows[pairs.other[i]])
        ids = (int(network.pipes.feature[one]), int(network.pipes.feature[other]))
        kinds = (network.pipes["kind"][one], network.pipes["kind"][other])
        distance, required = round(float(pairs.distance[i]), 3), float(pairs.required[i])
        found.append(Conflict(sense, *ids, *kinds, distance, required, round(float(x), 8), round(float(y), 8)))
    return sorted(found, key=lambda conflict: (conflict.distance - conflict.required, conflict.pipe, conflict.other))
