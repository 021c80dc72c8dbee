"""Pieces of an overlap, and which of them are 碎片 slivers: what two surveys of one boundary leave between them."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import shapely
from pydantic import Field


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A part of an overlap is a sliver when its ``area`` [m²] is at most this, or its mean ``width`` [m]: twice its
    area by its perimeter."""

    area: Annotated[float, Field(ge=0, le=1000)] = 1.0
    width: Annotated[float, Field(ge=0, le=10)] = 0.05


@dataclass(frozen=True, slots=True)
class Piece:
    """What of an overlap counts: ``shape`` of polygons, its ``area`` [m²]; and what was left out as slivers. Of a line
    its parts, and their ``length`` [m]."""

    shape: Any
    area: float
    slivers: int
    sliver_area: float
    length: float = 0.0


def piece_of(overlap: Any, tolerance: Tolerance) -> Piece:
    """The parts of an overlap (shapely, metres) that are no slivers. Lines and points of it have no area."""
    if overlap.geom_type == "Polygon" and not overlap.is_empty:  # as most are
        area, length = overlap.area, overlap.length
        if area > tolerance.area and 2 * area > tolerance.width * length:
            return Piece(overlap, area, 0, 0.0)
    parts = shapely.get_parts(overlap)
    for _ in range(3):  # a collection may hold multipolygons
        parts = shapely.get_parts(parts)
    polygons = parts[shapely.get_type_id(parts) == 3]
    polygons = polygons[~shapely.is_empty(polygons)]
    areas, lengths = shapely.area(polygons), shapely.length(polygons)
    with np.errstate(divide="ignore", invalid="ignore"):
        widths = np.where(lengths > 0, 2 * areas / lengths, 0.0)
    small = (areas <= tolerance.area) | (widths <= tolerance.width)
    kept = polygons[~small]
    shape = kept[0] if len(kept) == 1 else shapely.multipolygons(kept)
    return Piece(shape, float(areas[~small].sum()), int(small.sum()), float(areas[small].sum()))


def line_of(overlap: Any, deep: Any) -> Piece:
    """The parts of a line within a parcel (shapely, metres) that come ``deep`` into it: into the parcel without its
    edge. What runs along the edge, as surveyed twice, crosses nothing."""
    parts = shapely.get_parts(shapely.get_parts(overlap))
    lines = parts[shapely.get_type_id(parts) == 1]
    crossing = lines[shapely.length(shapely.intersection(lines, deep)) > 0]
    return Piece(shapely.multilinestrings(crossing), 0.0, 0, 0.0, float(shapely.length(crossing).sum()))
