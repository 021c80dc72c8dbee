"""A terrain tile as triangles: Cesium's quantized-mesh 1.0.

Within the tile Delatin chooses the vertices (greedy insertion until the error is small enough). Along an edge they are
chosen from that edge's heights alone, so both tiles that share it choose the same, and no crack opens between them.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydelatin import Delatin
from quantized_mesh_encoder.encode import encode
from scipy.spatial import Delaunay

type Floats = NDArray[np.float64]
type Bounds = tuple[float, float, float, float]

MEDIA_TYPE = "application/vnd.quantized-mesh"
#: Cells along the side of a tile; nodes are one more.
CELLS = 64
#: Largest error of a mesh, as a share of the side of a cell on the ground.
_ERROR = 0.02
_LEAST_ERROR = 0.05


def nodes(heights: Floats) -> Floats:
    """Heights of the nodes between cells, the mean of the known ones of the four cells around each.

    ``heights`` (row, column) reach one cell beyond the tile on each side, NaN where unknown; unknown nodes are 0.
    """
    known = ~np.isnan(heights)
    filled = np.where(known, heights, 0.0)
    total = filled[:-1, :-1] + filled[1:, :-1] + filled[:-1, 1:] + filled[1:, 1:]
    count = known[:-1, :-1].astype(int) + known[1:, :-1] + known[:-1, 1:] + known[1:, 1:]
    made: Floats = total / np.maximum(count, 1)
    return made


def quantized_mesh(heights: Floats, bounds: Bounds, cell: float) -> bytes:
    """The tile of ``heights`` at its nodes [m] (row from the north, column) within bounds [degrees].

    ``cell`` is a cell's side on the ground [m], by which the error is measured.
    """
    error = max(_LEAST_ERROR, cell * _ERROR)
    columns, rows = _vertices(heights, error)
    last_row, last_column = heights.shape[0] - 1, heights.shape[1] - 1
    west, south, east, north = bounds
    x = west + (east - west) * columns / last_column
    y = north - (north - south) * rows / last_row
    positions = np.column_stack([x, y, heights[rows, columns]])
    triangles = Delaunay(np.column_stack([columns, last_row - rows])).simplices
    file = BytesIO()
    ordered = _in_order(positions, _counterclockwise(positions, triangles))
    # A mesh around half of the globe (level 0) goes behind no horizon: its point of occlusion is infinite or NaN, which
    # clients compare as never hidden.
    with np.errstate(divide="ignore", invalid="ignore"):
        encode(file, *ordered, bounds=bounds, sphere_method="naive")
    return file.getvalue()


def _vertices(heights: Floats, error: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows of the vertices."""
    last_row, last_column = heights.shape[0] - 1, heights.shape[1] - 1
    chosen = np.zeros(heights.shape, bool)
    if np.ptp(heights) > error:
        found = Delatin(heights.astype(np.float32), max_error=error).vertices
        columns, rows = found[:, 0].astype(np.intp), last_row - found[:, 1].astype(np.intp)
        inner = (columns > 0) & (columns < last_column) & (rows > 0) & (rows < last_row)
        chosen[rows[inner], columns[inner]] = True
    chosen[0, edge(heights[0], error)] = True
    chosen[-1, edge(heights[-1], error)] = True
    chosen[edge(heights[:, 0], error), 0] = True
    chosen[edge(heights[:, -1], error), -1] = True
    rows, columns = np.nonzero(chosen)
    return columns, rows


def edge(heights: Floats, error: float) -> list[int]:
    """The nodes of a line that keep it within the error (Douglas and Peucker 1973, by difference of height)."""
    kept, open_ = {0, len(heights) - 1}, [(0, len(heights) - 1)]
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        straight = np.linspace(heights[first], heights[last], last - first + 1)
        off = np.abs(heights[first : last + 1] - straight)
        worst = int(off.argmax())
        if off[worst] > error:
            kept.add(first + worst)
            open_ += [(first, first + worst), (first + worst, last)]
    return sorted(kept)


def _in_order(positions: Floats, triangles: NDArray[np.uint32]) -> tuple[Floats, NDArray[np.uint32]]:
    """Vertices in the order in which triangles name them first, as the high-water marks of the indices need it."""
    used, first = np.unique(triangles, return_index=True)
    order = used[np.argsort(first)]
    place = np.zeros(len(positions), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    return positions[order], place[triangles]


def _counterclockwise(positions: Floats, triangles: NDArray[np.int32]) -> NDArray[np.uint32]:
    """The triangles as seen from above; Qhull's come in any order."""
    a, b, c = (positions[triangles[:, n], :2] for n in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    triangles = triangles.copy()
    triangles[turned] = triangles[turned][:, [0, 2, 1]]
    return triangles.astype(np.uint32)
