"""What lies so near a point or a line, measured on the ellipsoid, as polygons in the CRS of a request."""

from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoserver.errors import ParameterError
from layers.crs import Crs, coincident, meets, transformer

#: Metres in the units of distances.
UNITS = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048}
#: How long and wide a corridor may be [m]: within that, a plane about its middle is true to 2 in 100 000.
_LONGEST = 150_000.0
#: Edges of a corridor are cut so short [m] that straight lines in another CRS lie on them.
_STRAIGHT = 500.0
_GEOD = pyproj.Geod(ellps="GRS80")


def circle(point: Any, crs: Crs, radius: float) -> Any:
    """The points no further than ``radius`` [m] from a point in ``crs``."""
    lon, lat = transformer(crs.srid, 4490).transform(point.x, point.y)
    turns = np.linspace(0, 360, 361)
    east, north, _ = _GEOD.fwd(np.full(361, lon), np.full(361, lat), turns, np.full(361, radius))
    return shapely.Polygon(moved(np.column_stack([east, north]), 4490, crs.srid))


def corridor(line: Any, crs: Crs, reach: float) -> Any:
    """The points no further than ``reach`` [m] from lines in ``crs``, whose ends are rounded.

    Raises :class:`ParameterError` for lines that are too long to be measured in one plane.
    """
    degrees = shapely.transform(line, lambda points: moved(points, crs.srid, 4490))
    west, south, east, north = degrees.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    far = max(_GEOD.inv(*middle, x, y)[2] for x in (west, east) for y in (south, north))
    if far + reach > _LONGEST:
        raise ParameterError(
            "coords", f"reaches {far / 1000:.0f} km from its middle; with its width 150 km are the bound"
        )
    plane = pyproj.CRS.from_proj4(f"+proj=aeqd +lon_0={middle[0]} +lat_0={middle[1]} +ellps=GRS80 +units=m")
    there = pyproj.Transformer.from_crs(4490, plane, always_xy=True)
    flat = shapely.transform(shapely.segmentize(degrees, 0.005), there.transform, interleaved=False)
    around = shapely.segmentize(shapely.buffer(flat, reach, quad_segs=32), _STRAIGHT)

    def back(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = there.transform(points[:, 0], points[:, 1], direction="INVERSE")
        return moved(np.column_stack([lon, lat]), 4490, crs.srid)

    return shapely.transform(around, back)


def moved(points: NDArray[np.float64], srid: int, other: int) -> NDArray[np.float64]:
    """Points (n, 2; east, north) in another CRS. Raises :class:`ParameterError` where it does not reach."""
    if coincident(srid, other):
        return points
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    if not meets(srid, (float(west), float(south), float(east) + 1e-9, float(north) + 1e-9), other):
        raise ParameterError("coords", f"lies where EPSG:{other} does not reach")
    return np.column_stack(transformer(srid, other).transform(points[:, 0], points[:, 1]))
