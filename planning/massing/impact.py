"""日照影响 what a scheme takes of its neighbours' sun, window by window, before and after (GB 50180-2018 §4.0.9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely

from layers.terrain.solar import WINDOWS, solar_day, sun_path
from layers.terrain.sunlight import intervals, sunlit
from planning.options import SunStandard

Kind = Literal["dwelling", "elderly", "kindergarten"]
Verdict = Literal["pass", "fail", "worse", "below"]
#: Uses of buildings that have a standard.
KINDS: dict[str, Kind] = {"residential": "dwelling", "kindergarten": "kindergarten", "nursing": "elderly"}
#: Height of a sill above the floor, and of a storey [m].
SILL, STOREY = 0.9, 3.0


@dataclass(frozen=True, slots=True)
class Window:
    """A window: place [°], ``height`` above its ground [m], ``facing`` [° from true north]; whose, on which storey."""

    longitude: float
    latitude: float
    height: float
    facing: float
    kind: Kind
    building: int | None = None
    storey: int | None = None


@dataclass(frozen=True, slots=True)
class WindowSun:
    """Hours of sun of a window before and after.

    ``verdict``: pass (enough after); fail (enough before, not after); worse (not enough before, still less after);
    below (not enough before, no less after). A scheme passes without fail and worse.
    """

    window: Window
    before: float
    after: float
    required: float
    verdict: Verdict


def windows_of(
    footprint: Any, storeys: int, kind: Kind, building: int, every: float, turned: float, to_degrees: Any
) -> list[Window]:
    """The windows of a building (shapely [m]): one ``every`` so many metres of each wall that ever sees the sun at
    midday (facing within 75° of south), on each storey. ``turned``: true north from the grid's [°]."""
    found = []
    for part in shapely.get_parts(footprint):
        corners = shapely.get_coordinates(shapely.orient_polygons(part).exterior)
        for (x, y), (u, v) in zip(corners[:-1], corners[1:], strict=True):
            length = float(np.hypot(u - x, v - y))
            # The outward normal of a counter-clockwise side is (dy, -dx); from north it lies at atan2(east, north).
            facing = float((np.degrees(np.arctan2(v - y, x - u)) - turned) % 360)
            if length < 1.5 or abs(facing - 180) > 75:
                continue
            count = max(1, round(length / every))
            for n in range(count):
                share = (n + 0.5) / count
                lon, lat = to_degrees(x + share * (u - x), y + share * (v - y))
                found += [
                    Window(float(lon), float(lat), SILL + s * STOREY, round(facing, 2), kind, building, s + 1)
                    for s in range(storeys)
                ]
    return found


def judged(
    windows: Sequence[Window],
    receptors: Sequence[Any],
    sites: Sequence[Any],
    place: tuple[float, float],
    standards: dict[Kind, SunStandard],
    year: int,
    step: float,
) -> list[WindowSun]:
    """Every window with its hours on the two sites (before, after), by the standard of its kind.

    ``receptors`` are the windows on each site, in order; ``place`` is the longitude and latitude of the sun.
    """
    hours = np.zeros((2, len(windows)))
    for kind, standard in standards.items():
        mine = np.array([n for n, w in enumerate(windows) if w.kind == kind], int)
        if not len(mine):
            continue
        span = WINDOWS[standard.day]
        sun = sun_path(*place, solar_day(standard.day, year), span.start, span.end, step)
        for number, (site, seen) in enumerate(zip(sites, receptors, strict=True)):
            lit = sunlit(_some(seen, mine), sun, site.obstacles, site.ground, site.reach)
            hours[number, mine] = [sum(i.hours for i in intervals(row, sun)) for row in lit]
    return [_told(w, hours[0, n], hours[1, n], standards[w.kind].hours) for n, w in enumerate(windows)]


def _some(receptors: Any, mine: Any) -> Any:
    return type(receptors)(receptors.x[mine], receptors.y[mine], receptors.z[mine], receptors.facing[mine])


def _told(window: Window, before: float, after: float, required: float) -> WindowSun:
    enough = required - 1e-9
    verdict: Verdict = "pass"
    if after < enough:
        verdict = "fail" if before >= enough else "worse" if after < before - 1e-9 else "below"
    return WindowSun(window, round(float(before), 4), round(float(after), 4), required, verdict)
