"""Points along a line on the ellipsoid, where heights are asked for."""

from dataclasses import dataclass

import numpy as np
import pyproj

from layers.terrain.elevation import Floats
from layers.terrain.errors import AnalysisTooLarge, TerrainError

#: CGCS2000's ellipsoid; of WGS 84 it differs by 0.1 mm in the semi-minor axis.
GEOD = pyproj.Geod(ellps="GRS80")
#: Most points of one line.
MAX_STATIONS = 200_000


@dataclass(frozen=True, slots=True)
class Stations:
    """Points by longitude and latitude [°], and how far along the line each lies [m]."""

    longitudes: Floats
    latitudes: Floats
    distances: Floats

    @property
    def length(self) -> float:
        """Length of the line [m]."""
        return float(self.distances[-1])


def stations(line: Floats, step: float) -> Stations:
    """The vertices of a line (rows of longitude, latitude [°]) and points between them, at most ``step`` [m] apart.

    Legs are geodesics, divided evenly. Raises :class:`TerrainError` for a line without length, and
    :class:`AnalysisTooLarge` for more than 200 000 points.
    """
    lon, lat = line[:, 0], line[:, 1]
    azimuths, _, lengths = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    if len(line) < 2 or not np.sum(lengths) > 0:
        raise TerrainError("the line has no length; give two different points at least")
    pieces = np.maximum(np.ceil(lengths / step - 1e-9), 1).astype(int)
    if pieces.sum() >= MAX_STATIONS:
        total = f"{lengths.sum():.0f} m in steps of {step:g} m make {pieces.sum()} points"
        raise AnalysisTooLarge(f"{total}, more than {MAX_STATIONS}; take a longer step or a shorter line")
    leg = np.repeat(np.arange(len(lengths)), pieces)
    number = np.arange(len(leg)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    along = lengths[leg] * number / pieces[leg]
    east, north, _ = GEOD.fwd(lon[leg], lat[leg], azimuths[leg], along)
    before = (np.cumsum(lengths) - lengths)[leg]
    return Stations(np.append(east, lon[-1]), np.append(north, lat[-1]), np.append(before + along, lengths.sum()))
