"""What was planned for a shift against what was done: how much of its route a unit drove, how long it was in its area.

班次 shift · 计划 planned: the geofences that name a unit, or its kind · 完成 done.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tracking.alarms.fences import Fence
from tracking.calendar import CalendarError, holds
from tracking.tracks import Track

#: Fixes further apart than this [s] are not joined; half width of a route that names none [m].
GAP, _WIDTH = 300.0, 50.0
_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Done:
    """One unit at one fence: of a route its ``planned`` and ``done`` length [m]; of both how long the unit was there
    [s], and when first and last. ``share`` is that of the route, or None for an area."""

    fence: int
    name: str
    device: str
    planned: float | None
    done: float | None
    share: float | None
    seconds: float
    first: datetime | None
    last: datetime | None


def done_at(fence: Fence, track: Track) -> Done:
    """What a unit did at a fence, by its fixes that may be used and lie within the fence's calendar.

    Lengths are of a sphere's degrees at the fence's own latitude, as everywhere in fences: to half a percent.
    """
    fit = track.fit()
    fit = fit.chosen(_active(fence.calendar, fit.time))
    lat = float(fence.shape.centroid.y)
    scale = np.array((_DEGREE * np.cos(np.radians(lat)), _DEGREE))
    shape = shapely.transform(fence.shape, lambda xy: xy * scale)
    points = np.column_stack([fit.lon, fit.lat]) * scale
    route = shape.length if shape.geom_type in ("LineString", "MultiLineString") else None
    width = 0.0 if route is None else fence.width or _WIDTH
    ground = shapely.buffer(shape, width) if width else shape
    shapely.prepare(ground)
    inside = shapely.intersects_xy(ground, points[:, 0], points[:, 1]) if len(points) else np.zeros(0, bool)
    there = fit.time[inside]
    done = None if route is None else float(shapely.intersection(shape, _driven(points, fit.time, width)).length)
    first, last = (datetime.fromtimestamp(at, UTC) if len(there) else None for at in _ends(there))
    return Done(
        fence.id, fence.name, track.device.code, route, done, None if done is None or not route else done / route,
        _seconds(fit.time, inside), first, last,
    )  # fmt: skip


def _driven(points: NDArray[np.float64], time: NDArray[np.float64], width: float) -> Any:
    """The ground within so many metres of where a unit drove."""
    if not len(points):
        return shapely.Polygon()
    runs = np.split(points, np.flatnonzero(np.diff(time) > GAP) + 1)
    lines: list[Any] = [shapely.linestrings(run) if len(run) > 1 else shapely.points(run[0]) for run in runs]
    return shapely.union_all(shapely.buffer(lines, width))


def _seconds(time: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    step = np.diff(time)
    return float(step[(step <= GAP) & inside[1:] & inside[:-1]].sum())


def _ends(there: NDArray[np.float64]) -> tuple[float, float]:
    return (float(there[0]), float(there[-1])) if len(there) else (0.0, 0.0)


def _active(calendar: str | None, time: NDArray[np.float64]) -> NDArray[np.bool_]:
    if not calendar:
        return np.ones(len(time), bool)
    minutes, of = np.unique(time // 60, return_inverse=True)
    return np.array([_holds(calendar, int(minute)) for minute in minutes], bool)[of] if len(time) else np.zeros(0, bool)


@lru_cache(maxsize=65_536)
def _holds(calendar: str, minute: int) -> bool:
    try:
        return holds(calendar, minute * 60.0)
    except CalendarError:
        return False
