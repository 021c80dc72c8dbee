"""Indices of a scheme by formula: what goes in, what comes out, the limit, whether it holds. No I/O; metres and m².

容积率 = 计容建筑面积 / 用地面积 · 建筑密度 = 基底面积 / 用地面积 · 绿地率 = 绿地面积 / 用地面积 · 限高 · 退让 · 停车.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import shapely

from layers.catalogue import Text
from planning.check.pieces import Tolerance, piece_of

Verdict = Literal["pass", "fail", "no-limit"]
#: What lies beyond a side of the site.
Neighbour = Literal["road", "green", "water", "plot"]
_NAMES: dict[Neighbour, Text] = {
    "road": Text("道路", "road"),
    "green": Text("绿地", "green"),
    "water": Text("水体", "water"),
    "plot": Text("地块", "plot"),
}
#: Rounding of lengths and ratios must not turn a bare pass into a fail.
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Building:
    """A building of the scheme: its footprint (shapely, m), storeys, height above ground [m], and the floor area that
    counts [m²]; None means footprint times storeys."""

    footprint: Any
    floors: int
    height: float
    floor_area: float | None = None

    @property
    def counted(self) -> float:
        """计容建筑面积 the floor area that counts [m²]."""
        return self.floor_area if self.floor_area is not None else float(self.footprint.area) * self.floors


@dataclass(frozen=True, slots=True)
class Limits:
    """What the control plan allows; None where it says nothing. Densities and green in %, lengths in m, ``parking_min``
    in spaces per 100 m² of floor."""

    far_max: float | None = None
    far_min: float | None = None
    density_max: float | None = None
    green_min: float | None = None
    height_max: float | None = None
    setback_road: float | None = None
    setback_green: float | None = None
    setback_water: float | None = None
    setback_plot: float | None = None
    parking_min: float | None = None

    def setback(self, neighbour: Neighbour) -> float | None:
        """The distance that buildings keep from a side beside such a neighbour [m]."""
        found: float | None = getattr(self, f"setback_{neighbour}")
        return found


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its formula and inputs in words and numbers, its value, its limit, and the verdict."""

    name: str
    title: Text
    formula: str
    inputs: dict[str, float]
    value: float
    unit: str
    limit: float | None
    at_least: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Side:
    """A side of the site (shapely line) and what lies beyond it."""

    number: int
    line: Any
    neighbour: Neighbour


def indices(
    site: Any, buildings: Sequence[Building], green: Any, parking: int, sides: Sequence[Side], limits: Limits
) -> list[Index]:
    """Every index of a scheme on a site (shapely, m). Nothing outside it, nor green under buildings, counts."""
    area = float(site.area)
    bases = shapely.union_all([b.footprint for b in buildings]) if buildings else shapely.Polygon()
    covered = float(shapely.intersection(bases, site).area)
    planted = float(shapely.difference(shapely.intersection(green, site), bases).area)
    floors = sum(b.counted for b in buildings)
    far = {"floor_area": round(floors, 2), "site_area": round(area, 2)}
    found = [
        _index(
            "far", Text("容积率", "Floor area ratio"), "floor_area / site_area", far, floors / area, "", limits.far_max
        ),
    ]
    if limits.far_min:
        title = Text("容积率下限", "Least floor area ratio")
        found.append(_index("far-min", title, "floor_area / site_area", far, floors / area, "", limits.far_min, True))
    density = {"base_area": round(covered, 2), "site_area": round(area, 2)}
    title = Text("建筑密度", "Building density")
    found.append(
        _index("density", title, "base_area / site_area × 100", density, 100 * covered / area, "%", limits.density_max)
    )
    plants = {"green_area": round(planted, 2), "site_area": round(area, 2)}
    title = Text("绿地率", "Green ratio")
    found.append(
        _index(
            "green", title, "green_area / site_area × 100", plants, 100 * planted / area, "%", limits.green_min, True
        )
    )
    highest = max((b.height for b in buildings), default=0.0)
    title = Text("建筑高度", "Height")
    found.append(_index("height", title, "max(height)", {"buildings": len(buildings)}, highest, "m", limits.height_max))
    found += setbacks(buildings, sides, limits)
    needed = None if limits.parking_min is None else limits.parking_min * floors / 100
    stalls = {"spaces": float(parking), "floor_area": round(floors, 2)}
    title = Text("停车位", "Parking spaces")
    found.append(
        _index("parking", title, "spaces ≥ parking_min × floor_area / 100", stalls, float(parking), "", needed, True)
    )
    outside = piece_of(shapely.difference(bases, site), Tolerance()).area
    title = Text("出界基底面积", "Base outside the site")
    found.append(
        _index("outside", title, "area(bases − site)", {"base_area": round(covered + outside, 2)}, outside, "m²", 0.0)
    )
    return found


def setbacks(buildings: Iterable[Building], sides: Iterable[Side], limits: Limits) -> list[Index]:
    """The least distance of any building from each side, by the kind of its neighbour."""
    bases = shapely.union_all([b.footprint for b in buildings])
    found = []
    for side in sides:
        if bases.is_empty:
            continue
        name = _NAMES[side.neighbour]
        title = Text(f"第 {side.number} 边退{name.zh}", f"Setback of side {side.number} from {name.en}")
        distance = float(shapely.distance(bases, side.line))
        inputs = {"side": float(side.number), "length": round(float(side.line.length), 2)}
        found.append(
            _index(f"setback-{side.neighbour}", title, "min distance(bases, side)", inputs, distance, "m",
                   limits.setback(side.neighbour), True)
        )  # fmt: skip
    return found


def _index(
    name: str, title: Text, formula: str, inputs: dict[str, float], value: float, unit: str, limit: float | None,
    at_least: bool = False,
) -> Index:  # fmt: skip
    good = limit is None or (value >= limit - _EPSILON if at_least else value <= limit + _EPSILON)
    verdict: Verdict = "no-limit" if limit is None else "pass" if good else "fail"
    shown = None if limit is None else round(limit, 4)
    return Index(name, title, formula, inputs, round(value, 4), unit, shown, at_least, verdict)
