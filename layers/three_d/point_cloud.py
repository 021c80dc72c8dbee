"""Grids of a point cloud: the surface, which is the highest point of each cell, and the ground (LAS 1.2–1.4, LAZ)."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import rasterio
from affine import Affine
from laspy.errors import LaspyException
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.fill import fillnodata

from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.source_crs import parse_crs, settled

#: Told what share of the points is read, 0 to 1. May raise, to stop it.
Progress = Callable[[float], None]

#: ASPRS classes (LAS 1.4 R15, table 17): ground, and what is noise.
GROUND = 2
NOISE = (7, 18)
NODATA = -9999.0
#: Points read at once, and cells of a grid at most.
_CHUNK, MAX_CELLS = 1_000_000, 60_000_000
#: How far the ground is told below what stands on it [m].
_UNDER = 60.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """What a file says of itself: its CRS, west, south, east, north, and metres per unit of its heights."""

    path: Path
    crs: Any
    bounds: tuple[float, float, float, float]
    points: int
    unit: float


@dataclass(frozen=True, slots=True)
class Grids:
    """``surface`` and ``ground`` (rows from the north; NaN where unknown) [m], and how many points made them."""

    surface: NDArray[np.float32]
    ground: NDArray[np.float32]
    transform: Affine
    used: int
    ground_points: int


def look(path: Path, crs: str | None) -> Cloud:
    """What the file holds. Raises :class:`UnreadableFile`, :class:`UnknownCrs` without a projected CRS."""
    with _opened(path) as file:
        header = file.header
        found = parse_crs(crs) if crs else _own_crs(header)
        if found is None:
            raise UnknownCrs(f"{path.name} 没有坐标系，请用 crs 指明", f"{path.name} names no CRS: say it by crs")
        flat = settled(found.sub_crs_list[0]) if found.is_compound else found
        if not flat.is_projected:
            raise UnknownCrs(f"{path.name} 的坐标系不是投影坐标系", f"{path.name} is in {flat.name}, not projected")
        bounds = tuple(float(v) for v in (*header.mins[:2], *header.maxs[:2]))
        if not header.point_count or not np.isfinite(bounds).all():
            raise UnreadableFile(f"{path.name} 没有点", f"{path.name} has no points")
        return Cloud(path, flat, bounds, int(header.point_count), _height_unit(found))  # type: ignore[arg-type]


def grids(cloud: Cloud, resolution: float, progress: Progress) -> Grids:
    """Both grids with square cells of ``resolution`` [units of the CRS], their edges at multiples of it.

    The ground of a cell is the mean of the points classified so, told on below buildings and trees by what surrounds
    them; a file without such points has no ground. Raises :class:`UnsafeFile` for too many cells.
    """
    west, south, east, north = cloud.bounds
    left, top = math.floor(west / resolution), math.floor(north / resolution) + 1
    columns, rows = math.floor(east / resolution) + 1 - left, top - math.floor(south / resolution)
    if columns * rows > MAX_CELLS:
        told = f"{columns} × {rows}"
        raise UnsafeFile(
            f"{told} 个格，最多 {MAX_CELLS}", f"{told} cells are more than {MAX_CELLS}: choose larger ones"
        )
    surface = np.full(columns * rows, -np.inf)
    total, count = np.zeros(columns * rows), np.zeros(columns * rows, np.int64)
    used = 0
    for read, x, y, z, classes in _points(cloud):
        cells = np.clip(top - 1 - np.floor(y / resolution).astype(int), 0, rows - 1) * columns
        cells += np.clip(np.floor(x / resolution).astype(int) - left, 0, columns - 1)
        np.maximum.at(surface, cells, z)
        ground = classes == GROUND
        np.add.at(total, cells[ground], z[ground])
        np.add.at(count, cells[ground], 1)
        used += len(z)
        progress(read / cloud.points)
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, total / count, np.nan).reshape(rows, columns)
    return Grids(
        np.where(np.isinf(surface), np.nan, surface).reshape(rows, columns).astype("f4"),
        _told_on(mean, _UNDER / resolution).astype("f4"),
        Affine(resolution, 0, left * resolution, 0, -resolution, top * resolution),
        used,
        int(count.sum()),
    )


def write_grid(values: NDArray[np.float32], grid: Grids, crs: Any, path: Path) -> None:
    """A GeoTIFF of one of the grids."""
    rows, columns = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32", crs=crs.to_wkt(),
        transform=grid.transform, nodata=NODATA, compress="deflate",
    ) as file:  # fmt: skip
        file.write(np.where(np.isnan(values), NODATA, values).astype("f4"), 1)


def _told_on(mean: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """The ground with its holes filled from what surrounds them, weighed by nearness (GDALFillNodata)."""
    known = np.isfinite(mean)
    if not known.any():
        return mean
    filled = fillnodata(
        np.where(known, mean, NODATA).astype("f4"), mask=known.astype("u1"), max_search_distance=max(1.0, reach)
    )
    return np.where(known, mean, np.where(filled == NODATA, np.nan, filled))


def _points(cloud: Cloud) -> Iterator[tuple[int, Any, Any, Any, Any]]:
    read = 0
    try:
        with _opened(cloud.path) as file:
            for chunk in file.chunk_iterator(_CHUNK):
                read += len(chunk)
                classes = np.asarray(chunk.classification)
                kept = ~np.isin(classes, NOISE)
                if "withheld" in chunk.point_format.dimension_names:
                    kept &= ~np.asarray(chunk.withheld, bool)
                x, y, z = (np.asarray(axis)[kept] for axis in (chunk.x, chunk.y, chunk.z))
                yield read, x, y, z * cloud.unit, classes[kept]
    except (LaspyException, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, ImportRefused):
            raise
        raise UnreadableFile(f"{cloud.path.name} 已损坏：{error}", f"{cloud.path.name} is damaged: {error}") from error


def _opened(path: Path) -> Any:
    try:
        return laspy.open(path)
    except (LaspyException, OSError, ValueError, RuntimeError) as error:
        raise UnreadableFile(f"{path.name} 不是 LAS/LAZ：{error}", f"{path.name} is no LAS or LAZ: {error}") from error


def _own_crs(header: Any) -> Any:
    try:
        return header.parse_crs()
    except Exception:  # whatever pyproj makes of odd keys: then the user says it
        return None


def _height_unit(crs: CRS) -> float:
    """Metres per unit of height; those of the plane where the file tells none of its own."""
    upright = crs.sub_crs_list[1] if crs.is_compound and len(crs.sub_crs_list) > 1 else crs
    return float(upright.axis_info[0].unit_conversion_factor) if upright.axis_info else 1.0
