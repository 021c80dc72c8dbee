"""Makes the answers of sections: what lies where, and its drawing."""

import base64
from typing import Any, Literal

import numpy as np
import resvg_py
import shapely
from sqlalchemy import Connection

from layers.pipes.drawing import cross_section, long_section
from layers.pipes.errors import PipeError
from layers.pipes.levels import Levels, ground_at, levels_of
from layers.pipes.network import PipeNetwork
from layers.pipes.section import Crossing, Way, crossings, length_of, level_at, line_of
from layers.pipes.section_answers import CrossPipe, GroundPoint, LongPipe, SectionAnswer, SectionNode
from layers.processing import CityCrs
from layers.raster.store import RasterStore
from layers.terrain.geojson import Line
from layers.terrain.stations import stations

type Picture = Literal["svg", "png"]
#: Most points of the ground line.
_GROUND_POINTS = 5000


def across(
    conn: Connection, store: RasterStore, city: CityCrs, network: PipeNetwork, line: Line, step: float, dem: str,
    drawing: Picture | None,
) -> SectionAnswer:  # fmt: skip
    """The section across the pipes that a line cuts."""
    drawn = shapely.LineString(line.positions())
    met = crossings(network, drawn, city.projected)
    ground, source = _ground(conn, store, drawn, step, dem)
    crosses = _crosses(conn, store, network, met, dem)
    if source == "none" and crosses:
        ground, source = tuple(GroundPoint(c.distance, c.ground) for c in crosses), "nodes"
    title = f"横断面 Cross section  {length_of(drawn):.1f} m"
    return _drawn(network, title, length_of(drawn), ground, source, (), (), crosses, drawing)


def along(
    conn: Connection, store: RasterStore, city: CityCrs, network: PipeNetwork, way: Way, step: float, dem: str,
    drawing: Picture | None,
) -> SectionAnswer:  # fmt: skip
    """The section along a way."""
    levels = levels_of(conn, store, network, way.rows, dem)
    pipes = tuple(_long_pipe(network, way, levels, i) for i in range(len(way.rows)))
    nodes = _nodes(network, way, levels)
    line = line_of(network, way)
    ground, source = _ground(conn, store, line, step, dem)
    if source == "none":
        ground, source = tuple(GroundPoint(node.distance, node.ground) for node in nodes), "nodes"
    met = crossings(network, line, city.projected, left_out=way.rows)
    own = set(network.topology.tail[way.rows].tolist()) | set(network.topology.head[way.rows].tolist())
    met = [c for c in met if not {int(network.topology.tail[c.row]), int(network.topology.head[c.row])} & own]
    length = float(way.distance[-1])
    ends = f"{nodes[0].node or ''} — {nodes[-1].node or ''}"
    title = f"纵断面 Long section  {ends}  {length:.1f} m"
    return _drawn(
        network, title, length, ground, source, pipes, nodes, _crosses(conn, store, network, met, dem), drawing
    )


def _drawn(
    network: PipeNetwork, title: str, length: float, ground: tuple[GroundPoint, ...], source: str,
    pipes: tuple[LongPipe, ...], nodes: tuple[SectionNode, ...], crosses: tuple[CrossPipe, ...],
    drawing: Picture | None,
) -> SectionAnswer:  # fmt: skip
    picture = None
    if drawing is not None:
        picture = (
            long_section(title, length, ground, pipes, nodes, crosses, network.standards)
            if pipes
            else cross_section(title, length, ground, crosses, network.standards)
        )
    if picture is not None and drawing == "png":
        picture = _png(picture)
    return SectionAnswer(round(length, 3), ground, source, pipes, nodes, crosses, picture)


def _png(svg: str) -> str:
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _ground(
    conn: Connection, store: RasterStore, line: Any, step: float, dem: str
) -> tuple[tuple[GroundPoint, ...], str]:
    """The ground along a line from the coverage, and from where it is: ``none`` where the coverage knows nothing."""
    points = stations(shapely.get_coordinates(line), step)
    if len(points.distances) > _GROUND_POINTS:
        raise PipeError(f"input 'step': the section makes {len(points.distances)} points; take a longer one")
    heights = ground_at(conn, store, dem, np.column_stack([points.longitudes, points.latitudes]))
    if np.isnan(heights).all():
        return (), "none"
    rows = zip(points.distances.tolist(), heights.tolist(), strict=True)
    return tuple(GroundPoint(round(d, 3), _metres(z)) for d, z in rows), dem


def _long_pipe(network: PipeNetwork, way: Way, levels: Levels, index: int) -> LongPipe:
    row, turned = int(way.rows[index]), bool(way.reversed[index])
    order = (1, 0) if turned else (0, 1)
    bottom, top, cover = (values[index, list(order)] for values in (levels.bottom, levels.top, levels.cover))
    length = float(network.length[row])
    return LongPipe(
        id=int(network.pipes.feature[row]), kind=network.pipes["kind"][row],
        diameter=_metres(network.pipes["diameter"][row]),
        start=round(float(way.distance[index]), 3), end=round(float(way.distance[index + 1]), 3),
        start_invert=_metres(bottom[0]), end_invert=_metres(bottom[1]),
        start_top=_metres(top[0]), end_top=_metres(top[1]),
        slope=_metres((bottom[0] - bottom[1]) / length * 1000) if length else None, least_cover=_metres(min(cover)),
    )  # fmt: skip


def _nodes(network: PipeNetwork, way: Way, levels: Levels) -> tuple[SectionNode, ...]:
    ends = np.column_stack([network.topology.tail[way.rows], network.topology.head[way.rows]])
    first = np.where(way.reversed == 1, 1, 0)
    each = np.arange(len(way.rows))
    order = [int(n) for n in ends[each, first]] + [int(ends[-1, 1 - first[-1]])]
    found = []
    for i, node in enumerate(order):
        at = (
            [(i - 1, 1 - int(first[i - 1]))] * (i > 0) + [(i, int(first[i]))] * (i < len(each))
            if i < len(each)
            else [(i - 1, 1 - int(first[i - 1]))]
        )
        ground = [levels.ground[pipe, end] for pipe, end in at]
        bottom = [levels.bottom[pipe, end] for pipe, end in at if not np.isnan(levels.bottom[pipe, end])]
        found.append(
            SectionNode(
                network.topology.name[node], network.fitting(node), round(float(way.distance[i]), 3),
                _metres(ground[0]), _metres(min(bottom)) if bottom else None,
            )
        )  # fmt: skip
    return tuple(found)


def _crosses(
    conn: Connection, store: RasterStore, network: PipeNetwork, met: list[Crossing], dem: str
) -> tuple[CrossPipe, ...]:
    if not met:
        return ()
    levels = levels_of(conn, store, network, np.array([c.row for c in met]), dem)
    here = ground_at(conn, store, dem, np.array([c.place for c in met]))
    found = []
    for i, c in enumerate(met):
        bottom, top, ground = level_at(levels, i, c.share)
        ground = ground if np.isnan(here[i]) else float(here[i])
        found.append(
            CrossPipe(
                int(network.pipes.feature[c.row]), network.pipes["kind"][c.row],
                _metres(network.pipes["diameter"][c.row]), round(c.distance, 3), *c.place, round(c.angle, 1),
                _metres(bottom), _metres(top), _metres(ground), _metres(ground - top),
            )
        )  # fmt: skip
    return tuple(found)


def _metres(value: Any) -> float | None:
    """To a millimetre; None for an unknown one."""
    number = float(value)
    return None if number != number else round(number, 3)
