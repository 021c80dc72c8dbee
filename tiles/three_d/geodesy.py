"""From degrees and heights to metres east, north and up of a place, by way of EPSG:4978, in closed form."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

#: WGS 84, on which CesiumJS builds; CGCS2000's ellipsoid is 0.1 mm flatter at the poles.
_A = 6_378_137.0
_E2 = (1 / 298.257223563) * (2 - 1 / 298.257223563)


def geocentric(longitudes: ArrayLike, latitudes: ArrayLike, heights: ArrayLike) -> Floats:
    """Points (…, 3) in EPSG:4978 [m] of degrees and ellipsoidal heights [m] (EPSG guidance note 7-2, method 9602)."""
    lon, lat, h = np.radians(longitudes), np.radians(latitudes), np.asarray(heights, float)
    across = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    flat = (across + h) * np.cos(lat)
    return np.stack([flat * np.cos(lon), flat * np.sin(lon), (across * (1 - _E2) + h) * np.sin(lat)], axis=-1)


@dataclass(frozen=True)
class Place:
    """A point on the earth, and the directions east, north and up there."""

    longitude: float
    latitude: float
    height: float = 0.0

    @cached_property
    def origin(self) -> Floats:
        """Itself in EPSG:4978 [m]."""
        return geocentric(self.longitude, self.latitude, self.height)

    @cached_property
    def axes(self) -> Floats:
        """Unit vectors east, north and up in EPSG:4978, one in each row."""
        lon, lat = np.radians(self.longitude), np.radians(self.latitude)
        sin_lon, cos_lon, sin_lat, cos_lat = np.sin(lon), np.cos(lon), np.sin(lat), np.cos(lat)
        return np.array(
            [
                [-sin_lon, cos_lon, 0],
                [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
                [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            ]
        )

    def local(self, longitudes: ArrayLike, latitudes: ArrayLike, heights: ArrayLike) -> Floats:
        """Points (n, 3) in metres east, north and up of here (EPSG guidance note 7-2, method 9837)."""
        found: Floats = (geocentric(longitudes, latitudes, heights) - self.origin) @ self.axes.T
        return found

    def gltf_matrix(self) -> list[float]:
        """The matrix of a glTF node whose content is in metres (east, up, −north) of here: column by column.

        3D Tiles turns glTF's y upwards into z before it takes coordinates as EPSG:4978 (OGC 22-025r4 §6.7.1.6.3), so
        (x, y, z) of EPSG:4978 is written as (x, z, −y).
        """
        turned = np.vstack([self.axes, self.origin])[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
        east, north, up, origin = turned
        columns = np.column_stack([east, up, -north, origin])
        return [float(v) for v in np.vstack([columns, [0.0, 0.0, 0.0, 1.0]]).T.ravel()]
