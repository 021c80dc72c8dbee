"""The recipe ``buildings-3d``: what footprints stand on, and how high where nothing else tells."""

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection

from layers.catalogue import Layer
from layers.derived.footprints import ground_below, surface_above
from layers.derived.model import Derivation, Stale, cells_of
from layers.derived.queries import Footprint, footprints_in, store_ground, tell_worked_out
from layers.raster.images import find_images
from layers.raster.registry import coverage_of
from layers.raster.store import RasterStore
from layers.terrain.errors import AnalysisTooLarge

#: Footprints worked out in one transaction; a box with more is taken cell by cell, and a cell whole, up to a bound.
MOST, _MOST_IN_CELL = 5000, 100_000


def stand(conn: Connection, store: RasterStore, derivation: Derivation, layers: dict[str, Layer], note: Stale) -> bool:
    """Work out what elevation says of the footprints in a box; False where there are too many to do at once."""
    layer = derivation.layer
    source = layers[layer.inputs[0]]
    most = MOST if len(list(islice(cells_of(note.box), 5))) > 4 else _MOST_IN_CELL
    found = footprints_in(conn, layer, source, note.box, anew=note.input != source.id, most=most + 1)
    if len(found) > most:
        if most == _MOST_IN_CELL:
            raise AnalysisTooLarge(f"more than {most} features of {source.id!r} lie within {note.box}")
        return False
    if found:
        store_ground(conn, layer, grounds(conn, store, derivation, layers, found))
        tell_worked_out(conn, layer, _around(found))
    return True


def grounds(
    conn: Connection,
    store: RasterStore,
    derivation: Derivation,
    layers: dict[str, Layer],
    found: Sequence[Footprint],
) -> list[tuple[Any, ...]]:
    """Per footprint its id and state, mean and least height of the ground, and of the surface above it [m]."""
    shapes = np.array([f.shape for f in found], object)
    dem = coverage_of(conn, layers[derivation.layer.inputs[1]])
    below = ground_below(conn, store, dem, shapes)
    above = np.full(len(found), np.nan)
    if len(derivation.layer.inputs) > 2:
        dsm = coverage_of(conn, layers[derivation.layer.inputs[2]])
        wanted = np.flatnonzero([f.height_unknown for f in found])
        images = find_images(conn, dsm, _around([found[int(i)] for i in wanted])) if len(wanted) else []
        if images:
            cell = min(image.resolution for image in images)
            share = derivation.parameters.get("surface_quantile", 0.7)
            above[wanted] = surface_above(conn, store, dsm, dem, shapes[wanted], cell, share)
    return [
        (f.id, f.valid_from, _metres(mean), _metres(least), _metres(high))
        for f, mean, least, high in zip(found, below.mean, below.least, above, strict=True)
    ]


def _metres(value: float) -> float | None:
    """To a centimetre; None where unknown."""
    return round(float(value), 2) if math.isfinite(value) else None


def _around(found: Iterable[Footprint]) -> tuple[float, float, float, float]:
    west, south, east, north = zip(*(f.shape.bounds for f in found), strict=True)
    return min(west), min(south), max(east), max(north)
