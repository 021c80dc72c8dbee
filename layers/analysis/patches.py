"""From changed pixels to patches: outlines on the plane in which the city measures."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes as trace
from scipy import ndimage

from layers.analysis.features import Objects
from layers.crs import transformer
from layers.raster.mosaic import Grid

#: Classes are numbers below this.
_CLASSES = 10_000


def outlines(label: NDArray[np.int32], count: int, grid: Grid, srid: int) -> Objects:
    """The outline of each numbered patch (1 … count) in EPSG ``srid``."""
    found = np.empty(count, dtype=object)
    parts: list[list[Any]] = [[] for _ in range(count)]
    for shape, number in trace(label, mask=label > 0, connectivity=8, transform=grid.transform):
        parts[int(number) - 1].append(shapely.geometry.shape(shape))
    for i, some in enumerate(parts):
        found[i] = _valid(some[0] if len(some) == 1 else shapely.union_all(some))
    return _moved(found, grid, srid)


def class_patches(before: Any, after: Any, grid: Grid, srid: int, least: float) -> tuple[Objects, list[dict[str, Any]]]:
    """Patches of pixels that changed from one class to one other, of ``least`` area [m²] at least, and what of them.

    ``confidence`` is the share of a patch's pixels that have none beside them which did not change: at the edges of
    classes mixed pixels and a shifted image look like changes.
    """
    known = ~(np.ma.getmaskarray(before) | np.ma.getmaskarray(after))
    changed = known & (before.filled(0) != after.filled(0))
    pair = np.where(changed, before.filled(0).astype(np.int32) * _CLASSES + after.filled(0).astype(np.int32), 0)
    inner = ndimage.binary_erosion(changed, np.ones((3, 3), bool), border_value=1)
    traced = list(trace(pair.astype(np.int32), mask=changed, connectivity=8, transform=grid.transform))
    shapes = np.empty(len(traced), dtype=object)
    for i, (shape, _) in enumerate(traced):
        shapes[i] = _valid(shapely.geometry.shape(shape))
    shapes = _moved(shapes, grid, srid)
    kept = np.flatnonzero(shapely.area(shapes) >= least)
    told = [_told(traced[i], inner, grid) for i in kept.tolist()]
    return shapes[kept], told


def transitions(before: Any, after: Any) -> Iterator[tuple[int, int, int]]:
    """How many pixels changed from each class to each other."""
    known = ~(np.ma.getmaskarray(before) | np.ma.getmaskarray(after))
    pair = before.data[known].astype(np.int64) * _CLASSES + after.data[known]
    for value, count in zip(*(v.tolist() for v in np.unique(pair, return_counts=True)), strict=True):
        if value // _CLASSES != value % _CLASSES:
            yield value // _CLASSES, value % _CLASSES, count


def _told(traced: tuple[Any, Any], inner: NDArray[np.bool_], grid: Grid) -> dict[str, Any]:
    from rasterio.features import rasterize

    shape, value = traced
    geometry = shapely.geometry.shape(shape)
    west, south, east, north = geometry.bounds
    t = grid.transform
    left, top = round((west - t.c) / t.a), round((north - t.f) / t.e)
    columns, rows = round((east - west) / t.a), round((south - north) / t.e)
    cells = rasterize([geometry], (rows, columns), transform=t @ t.translation(left, top)) == 1
    share = inner[top : top + rows, left : left + columns][cells].mean() if cells.any() else 0.0
    before, after = divmod(int(value), _CLASSES)
    return {"from": str(before), "to": str(after), "confidence": round(float(share), 3), "pixels": int(cells.sum())}


def _valid(shape: Any) -> Any:
    """Rings that touch themselves at a corner are parted."""
    return shape if shape.is_valid else shapely.make_valid(shape, method="structure", keep_collapsed=False)


def _moved(shapes: Objects, grid: Grid, srid: int) -> Objects:
    if grid.srid == srid:
        return shapes
    moved: Objects = shapely.transform(shapes, transformer(grid.srid, srid).transform, interleaved=False)
    return moved
