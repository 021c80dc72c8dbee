"""How much went on in each hexagonal cell (Uber's H3, https://h3geo.org)."""

from dataclasses import dataclass

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: Decimals of a degree to which places are one place: a decimetre, far below the error of any fix and the least cell.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells (c,) by number: ``fixes`` and different ``devices`` in each, and the ``seconds`` that they were there."""

    cell: NDArray[np.uint64]
    fixes: Ints
    devices: Ints
    seconds: Floats


def cells_of(lon: Floats, lat: Floats, resolution: int) -> NDArray[np.uint64]:
    """The cell of each place [°], (n,)."""
    places = np.column_stack([lat, lon]).round(_DECIMALS)
    some, which = np.unique(places.view(np.complex128).ravel(), return_inverse=True)
    pairs = some.view(np.float64).reshape(-1, 2).tolist()
    found = np.array([h3.latlng_to_cell(y, x, resolution) for y, x in pairs], np.uint64)
    return found[which] if len(found) else np.zeros(0, np.uint64)


def heat(device: Ints, time: Floats, lon: Floats, lat: Floats, resolution: int, gap: float) -> Cells:
    """Sums by cell. Fixes (n,) are sorted by device and time; one stands for the time until the next, ``gap`` [s] at
    most, and the last of a device for none."""
    cell, which = np.unique(cells_of(lon, lat, resolution), return_inverse=True)
    until = np.zeros(len(time))
    if len(time) > 1:
        same = device[1:] == device[:-1]
        until[:-1] = np.where(same, np.minimum(np.diff(time), gap), 0.0)
    pairs = np.unique(np.column_stack([which, device]), axis=0)
    count = len(cell)
    return Cells(
        cell,
        np.bincount(which, minlength=count),
        np.bincount(pairs[:, 0], minlength=count),
        np.bincount(which, weights=until, minlength=count),
    )


def outline(cell: int) -> list[tuple[float, float]]:
    """The cell's corners, longitude and latitude [°], the first repeated at the end."""
    corners = [(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]
    return [*corners[::-1], corners[-1]] if _clockwise(corners) else [*corners, corners[0]]


def name(cell: int) -> str:
    """The cell as others write it: 15 hexadecimal digits."""
    return str(h3.int_to_str(cell))


def _clockwise(corners: list[tuple[float, float]]) -> bool:
    x, y = np.array([*corners, corners[0]]).T
    return bool(((x[1:] - x[:-1]) * (y[1:] + y[:-1])).sum() > 0)
