"""Where a question about pipes begins: a pipe or node by its id, or the pipe nearest to a point."""

import numpy as np
import shapely

from layers.crs import transformer
from layers.pipes.errors import NoSuchPipe, PipeError
from layers.pipes.network import PipeNetwork
from layers.pipes.records import Objects
from layers.pipes.trace import Start


def locate(
    network: PipeNetwork,
    pipe: int | None,
    node: str | None,
    point: tuple[float, float] | None,
    kind: str | None,
    reach: float,
    srid: int,
) -> Start:
    """The start that one of ``pipe`` (feature id), ``node`` (its number) and ``point`` (degrees) means.

    A point means the nearest pipe in use within ``reach`` [m], of the kind or major kind if one is given. Raises
    :class:`PipeError` where none or several are given, :class:`NoSuchPipe`.
    """
    given = [name for name, value in (("pipe", pipe), ("node", node), ("point", point)) if value is not None]
    if len(given) != 1:
        raise PipeError(f"give one of the inputs 'pipe', 'node' and 'point', not {' and '.join(given) or 'none'}")
    if pipe is not None:
        row = pipe_row(network, pipe)
        return Start(pipe=row, along=float(network.length[row]) / 2)
    if node is not None:
        return Start(node=node_row(network, node))
    assert point is not None
    return _nearest(network, point, kind, reach, srid)


def pipe_row(network: PipeNetwork, feature: int) -> int:
    """The row of the pipe of that id. Raises :class:`NoSuchPipe`."""
    row = network.pipes.row_of(feature)
    if row < 0:
        raise NoSuchPipe(f"there is no pipe {feature}, or you may not see it")
    return row


def node_row(network: PipeNetwork, name: str) -> int:
    """The node of that number. Raises :class:`NoSuchPipe`."""
    found = np.flatnonzero(network.topology.name == name)
    if not len(found):
        raise NoSuchPipe(f"there is no node {name[:60]!r}, or you may not see it")
    return int(found[0])


def _nearest(network: PipeNetwork, point: tuple[float, float], kind: str | None, reach: float, srid: int) -> Start:
    standards, pipes = network.standards, network.pipes
    wanted = np.array([kind in (None, code, standards.kind(code).major) for code in pipes["kind"]], dtype=bool)
    # A degree is nowhere longer than 111.7 km; of what is in that box the nearest is measured on the ground.
    across = reach / 111_000 / max(0.01, np.cos(np.radians(point[1])))
    box = (point[0] - across, point[1] - reach / 110_000, point[0] + across, point[1] + reach / 110_000)
    near = np.flatnonzero(wanted & network.working & pipes.meeting([box]))
    lines = projected(pipes.shapes[near], srid)
    here = shapely.Point(*transformer(4490, srid).transform(*point))
    distance = shapely.distance(lines, here)
    if not len(near) or distance.min() > reach:
        of = f" of kind {kind!r}" if kind else ""
        raise NoSuchPipe(f"input 'point': no pipe{of} lies within {reach:g} m of it")
    best = int(distance.argmin())
    share = float(shapely.line_locate_point(lines[best], here, normalized=True))
    row = int(near[best])
    return Start(pipe=row, along=share * float(network.length[row]))


def projected(shapes: Objects, srid: int) -> Objects:
    """Shapes in degrees on the plane of EPSG ``srid`` [m]."""
    moved: Objects = shapely.transform(shapes, transformer(4490, srid).transform, interleaved=False)
    return moved
