"""Outlines of buildings: shapes of the unit square, placed as turned boxes."""

import numpy as np
import shapely

from layers.sample_city.axes import Floats, Ints, Shapes
from layers.sample_city.kinds import AISLE, COURT, CROSS, ELL, OCTAGON, OVAL, RECT, SLAB


def _ring(*corners: tuple[float, float]) -> Floats:
    return np.array([*corners, corners[0]], dtype=float)


def _oval(corners: int = 28) -> Floats:
    turn = np.linspace(0, 2 * np.pi, corners + 1)
    turn[-1] = 0.0
    return np.stack([0.5 * np.cos(turn), 0.5 * np.sin(turn)], axis=1)


def _slab() -> Floats:
    """Three stairwells in the north wall, as slabs of flats have."""
    wall = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.3)]
    for centre in (1 / 3, 0.0, -1 / 3):
        wall += [(centre + 0.09, 0.3), (centre + 0.09, 0.5), (centre - 0.09, 0.5), (centre - 0.09, 0.3)]
    return _ring(*wall, (-0.5, 0.3))


#: Closed rings within -0.5 … 0.5, counter-clockwise, by shape.
SHAPES: dict[int, Floats] = {
    RECT: _ring((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    SLAB: _slab(),
    ELL: _ring((-0.5, -0.5), (0.5, -0.5), (0.5, 0.0), (-0.05, 0.0), (-0.05, 0.5), (-0.5, 0.5)),
    COURT: _ring((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.22, 0.5), (0.22, -0.15), (-0.22, -0.15), (-0.22, 0.5),
                 (-0.5, 0.5)),
    CROSS: _ring((-0.2, -0.5), (0.2, -0.5), (0.2, -0.25), (0.5, -0.25), (0.5, 0.25), (0.28, 0.25), (0.28, 0.5),
                 (-0.28, 0.5), (-0.28, 0.25), (-0.5, 0.25), (-0.5, -0.25), (-0.2, -0.25)),
    OCTAGON: _ring((-0.28, -0.5), (0.28, -0.5), (0.5, -0.28), (0.5, 0.28), (0.28, 0.5), (-0.28, 0.5), (-0.5, 0.28),
                   (-0.5, -0.28)),
    AISLE: _ring((-0.5, -0.5), (-0.14, -0.5), (-0.14, -0.3), (0.14, -0.3), (0.14, -0.5), (0.5, -0.5), (0.5, 0.36),
                 (0.18, 0.36), (0.18, 0.5), (-0.18, 0.5), (-0.18, 0.36), (-0.5, 0.36)),
    OVAL: _oval(),
}


def footprints(shape: Ints, centre: Floats, size: Floats, turn: Floats) -> Shapes:
    """Polygons of turned boxes: ``centre`` (n, 2) and ``size`` (n, 2) [m], ``turn`` [rad] counter-clockwise."""
    result = np.empty(len(shape), dtype=object)
    for kind, ring in SHAPES.items():
        of = np.flatnonzero(shape == kind)
        if len(of):
            local = ring[None] * size[of, None, :]
            cos, sin = np.cos(turn[of])[:, None], np.sin(turn[of])[:, None]
            x = local[..., 0] * cos - local[..., 1] * sin + centre[of, None, 0]
            y = local[..., 0] * sin + local[..., 1] * cos + centre[of, None, 1]
            result[of] = np.asarray(shapely.polygons(np.stack([x, y], axis=-1)))
    return result
