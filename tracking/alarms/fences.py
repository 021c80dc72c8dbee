"""Geofences: who is inside which, for many positions at once.

A fence has two edges, its hysteresis apart: who comes within the inner one is inside, who goes beyond the outer one is
outside, and between them nothing changes. A route is the ground within its half width of its line.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tracking.model import Device

LOGGER = logging.getLogger("citymap")
#: Metres of one degree of latitude on the mean Earth.
_DEGREE = 111_195.0
#: Half width of a route that names none [m].
_WIDTH = 50.0


@dataclass(frozen=True, slots=True)
class Fence:
    """One feature of the layer ``geofences``; ``shape`` is as it is drawn, in CGCS2000 degrees."""

    id: int
    name: str
    shape: Any
    watch: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    department: str | None = None
    calendar: str | None = None
    width: float | None = None
    hysteresis: float = 0.0
    dwell: float = 0.0
    stay: float | None = None
    speed_limit: float | None = None
    #: Vehicles that may be inside at once.
    most: int | None = None

    def concerns(self, device: Device) -> bool:
        """Whether it is for this device: those it names, else its kinds; one of a department is for its devices."""
        if self.devices:
            return device.code in self.devices
        if self.department is not None and self.department != device.department:
            return False
        return not self.kinds or device.kind in self.kinds


@dataclass(frozen=True)
class FenceIndex:
    """The fences with their inner and outer grounds in trees. One that has no ground is left out."""

    fences: Sequence[Fence]
    inner: shapely.STRtree = field(init=False)
    outer: shapely.STRtree = field(init=False)
    by_id: Mapping[int, Fence] = field(init=False)
    away: Sequence[Fence] = field(init=False)
    #: Whether no fence has a hysteresis, so that both grounds are one.
    sharp: bool = field(init=False)
    #: Those (ids) that have something to say of who goes on being inside.
    resident: frozenset[int] = field(init=False)
    lines: Sequence[Fence] = field(init=False)

    def __post_init__(self) -> None:
        sound = [(fence, ground) for fence in self.fences if (ground := _sound_grounds(fence)) is not None]
        grounds = [ground for _, ground in sound]
        object.__setattr__(self, "fences", [fence for fence, _ in sound])
        for name, shapes in (("inner", [g[0] for g in grounds]), ("outer", [g[1] for g in grounds])):
            shapely.prepare(shapes)
            object.__setattr__(self, name, shapely.STRtree(shapes))
        object.__setattr__(self, "sharp", all(fence.hysteresis == 0 for fence in self.fences))
        away = [fence for fence in self.fences if fence.watch & {"outside", "deviation"}]
        lines = [fence for fence in self.fences if "cross" in fence.watch]
        resident = frozenset(f.id for f in self.fences if f.watch & {"inside", "gathering", "overspeed"})
        by_id = {f.id: f for f in self.fences}
        for name, found in (("by_id", by_id), ("away", away), ("lines", lines), ("resident", resident)):
            object.__setattr__(self, name, found)

    def hits(self, lon: NDArray[Any], lat: NDArray[Any]) -> tuple[list[list[int]], list[list[int]]]:
        """For each position the fences (ids) whose inner, and whose outer ground it is on."""
        points: Any = shapely.points(lon, lat)
        inner = self._hits(self.inner, points)
        return inner, inner if self.sharp else self._hits(self.outer, points)

    def _hits(self, tree: shapely.STRtree, points: NDArray[Any]) -> list[list[int]]:
        found: list[list[int]] = [_NOTHING] * len(points)
        if not len(self.fences):
            return found
        rows, fences = tree.query(points, predicate="intersects")
        for row, fence in zip(rows.tolist(), fences.tolist(), strict=True):
            if found[row] is _NOTHING:
                found[row] = []
            found[row].append(self.fences[fence].id)
        return found


_NOTHING: list[int] = []
_NOWHERE: frozenset[int] = frozenset()


def grounds_of(fence: Fence) -> tuple[Any, Any]:
    """The inner and the outer ground, in degrees: moved by the hysteresis in metres at the fence's own latitude."""
    width = 0.0 if fence.shape.geom_type in ("Polygon", "MultiPolygon") else fence.width or _WIDTH
    inner, outer = width - fence.hysteresis, width + fence.hysteresis
    if inner == outer == 0.0:
        return fence.shape, fence.shape
    lat = float(fence.shape.centroid.y)
    scale = np.array((_DEGREE * np.cos(np.radians(lat)), _DEGREE))
    flat = shapely.transform(fence.shape, lambda xy: xy * scale)
    shrunk, grown = (shapely.buffer(flat, metres) for metres in (inner, outer))
    if shrunk.is_empty:  # a fence that is narrower than its hysteresis
        shrunk = flat if width == 0.0 else shapely.buffer(flat, width)
    return shapely.transform(shrunk, lambda xy: xy / scale), shapely.transform(grown, lambda xy: xy / scale)


def _sound_grounds(fence: Fence) -> tuple[Any, Any] | None:
    """Whatever somebody has drawn must not end the gateway."""
    try:
        if not fence.shape.is_empty:
            return grounds_of(fence)
        reason = "its shape is empty"
    except (shapely.errors.GEOSException, ValueError) as error:
        reason = str(error).strip()
    LOGGER.warning("fence %d %r is left out: %s", fence.id, fence.name, reason)
    return None


def inside_after(before: frozenset[int], inner: Sequence[int], outer: Sequence[int]) -> frozenset[int]:
    """The fences that a device is in, from those it was in and the grounds that it is on now."""
    if not outer:
        return _NOWHERE
    if len(inner) == len(before) and before.issuperset(inner):
        return before  # most of the time
    kept = before.intersection(outer) if before else before
    return kept.union(inner)
