"""The ground beside roads: all places within a distance of them, as an area.

The distance to the nearest road is worked out exactly at the nodes of a grid, and its contour drawn between them, in
time proportional to the roads. Beside straight roads that is exact, round ends and corners it errs by a hundredth of
the width; a gap between two roads' grounds that is narrower than a cell (a third of the width) may be closed.
"""

from collections.abc import Sequence
from typing import Any

import contourpy
import numpy as np
import shapely

from layers.network.edges import Floats, Ints, to_degrees, to_plane
from layers.network.errors import NetworkError

#: Nodes of the grid per width, and at most [4 bytes each].
_PER_WIDTH, _NODES = 3, 16_000_000
#: The outline is simplified by this part of the width.
_SIMPLER = 0.02


def ground(lines: Sequence[Floats], beside: float) -> Any:
    """The area within ``beside`` [m] of lines (k, 2) [°], in degrees; a polygon, or several, maybe with holes.

    Widths hold within 2 % over a city's extent. Raises :class:`layers.network.errors.NetworkError`, naming the input
    ``beside``, when it is too narrow for so wide an area.
    """
    if not lines:
        return shapely.MultiPolygon()
    drawn = shapely.linestrings(
        to_plane(np.vstack(lines)), indices=np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    )
    middle = float(np.median(np.vstack(lines)[:, 1]))
    width = beside * _plane_scale(np.radians(middle))
    start, end = _short_segments(drawn, width)
    cell = width / _PER_WIDTH
    corner = np.minimum(start.min(axis=0), end.min(axis=0)) - width - cell
    far = np.maximum(start.max(axis=0), end.max(axis=0)) + width + 2 * cell
    columns, rows = (int(n) for n in np.ceil((far - corner) / cell) + 1)
    if columns * rows > _NODES:
        least = beside * (columns * rows / _NODES) ** 0.5
        raise NetworkError(f"input 'beside': {beside:g} m is too narrow for so wide an area; at least {least:.0f}")
    distance = _distances((start - corner) / cell, (end - corner) / cell, rows, columns)
    shape = _below(distance, float(_PER_WIDTH))
    placed = shapely.transform(shape, lambda nodes: nodes * cell + corner)
    return to_degrees(_valid(shapely.simplify(placed, width * _SIMPLER, preserve_topology=False)))


def _plane_scale(latitude: float) -> float:
    """Units of World Mercator per metre at a latitude [rad] (IOGP 373-7-2 §3.5.1: k = sqrt(1 - e² sin² φ) / cos φ)."""
    return float(np.sqrt(1 - 0.00669438 * np.sin(latitude) ** 2) / np.cos(latitude))


def _short_segments(lines: Any, longest: float) -> tuple[Floats, Floats]:
    """Starts and ends (n, 2) of the lines' segments, cut where they are longer than that."""
    points, of = shapely.get_coordinates(shapely.segmentize(lines, longest), return_index=True)
    follows = np.flatnonzero(of[1:] == of[:-1])
    return points[follows], points[follows + 1]


def _distances(start: Floats, end: Floats, rows: int, columns: int) -> Any:
    """Distance from each node (rows, columns) of a unit grid to the nearest segment; far beyond the width: large."""
    found = np.full(rows * columns, 2.0 * _PER_WIDTH, dtype=np.float32)
    first: Ints = np.floor(np.minimum(start, end)).astype(np.int64) - _PER_WIDTH
    along = end - start
    square = np.maximum((along**2).sum(axis=1), 1e-12)
    for i in range(3 * _PER_WIDTH + 2):
        for j in range(3 * _PER_WIDTH + 2):
            node = first + (i, j)
            from_start = node - start
            part = ((from_start * along).sum(axis=1) / square).clip(0.0, 1.0)
            gap = from_start - along * part[:, None]
            index = (node[:, 1] * columns + node[:, 0]).clip(0, len(found) - 1)
            np.minimum.at(found, index, np.hypot(gap[:, 0], gap[:, 1]).astype(np.float32))
    return found.reshape(rows, columns)


def _below(field: Any, level: float) -> Any:
    """The area where a field over a unit grid is less than a level."""
    contours: Any = contourpy.contour_generator(z=field, fill_type=contourpy.FillType.OuterOffset)
    points, offsets = contours.filled(-1.0, level)
    polygons = [
        shapely.Polygon(ring[0], ring[1:])
        for ring in (
            [nodes[a:b] for a, b in zip(ends, ends[1:], strict=False)]
            for nodes, ends in zip(points, offsets, strict=True)
        )
    ]
    return shapely.MultiPolygon(polygons) if len(polygons) != 1 else polygons[0]


def _valid(shape: Any) -> Any:
    """Simplified rings may cross or shrink to a line; most do not, and repair takes long."""
    return shape if shapely.is_valid(shape) else shapely.make_valid(shape, method="structure", keep_collapsed=False)
