"""The position that a client gives, in the system that it says, as longitude and latitude."""

import numpy as np

from grid.errors import GridError
from layers.coordinates.systems import find_system
from layers.importing.errors import UnknownCrs
from layers.processing import CityCrs


def degrees(city: CityCrs, position: tuple[float, float], crs: str | None) -> tuple[float, float]:
    """Longitude and latitude [°] (EPSG:4490) of a position (east, north) in a system such as ``GCJ-02`` or EPSG:4547.

    Raises :class:`GridError`.
    """
    x, y = position
    if crs is not None:
        try:
            system = find_system(crs, None, city.grids, city.towgs84)
        except UnknownCrs as error:
            raise GridError(error.text.zh, error.text.en) from None
        moved = system.to_degrees(np.array([x]), np.array([y]))
        x, y = float(moved[0][0]), float(moved[1][0])
    if not (np.isfinite(x) and np.isfinite(y) and abs(x) <= 180 and abs(y) <= 90):
        raise GridError(
            f"位置 {position} 不在坐标系 {crs or 'CGCS2000'} 的范围内；东在前，北在后",
            f"position {position} has no place in {crs or 'CGCS2000'}; the east comes first",
        )
    return x, y
