"""What terrain processes answer. Lengths and heights in metres, areas in m², volumes in m³, places in degrees."""

from dataclasses import dataclass
from typing import Any

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """A point of a profile: how far along the line, where, and how high the ground is; null where that is unknown."""

    distance: float
    longitude: float
    latitude: float
    height: float | None


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """A profile of the ground."""

    length: float
    lowest: float | None
    highest: float | None
    ascent: float
    descent: float
    points: tuple[ProfilePoint, ...]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What first hides the target: ``building`` is the feature's id, null for the ground."""

    distance: float
    longitude: float
    latitude: float
    height: float
    sight_height: float
    building: int | None


@dataclass(frozen=True, slots=True)
class SightAnswer:
    """Whether the target is seen, and what would make it so."""

    visible: bool
    distance: float
    observer_ground: float
    target_ground: float
    needed_height: float
    clearance: float | None
    hidden_by: Hidden | None
    unknown_share: float
    resolution: float


@dataclass(frozen=True, slots=True)
class ViewshedAnswer:
    """What is seen: its area, that of all ground judged, and its outline as GeoJSON (MultiPolygon)."""

    visible_area: float
    judged_area: float
    share: float
    resolution: float
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EarthworkAnswer:
    """Volumes and areas between ground and design; ``net`` is cut less fill."""

    cut: float
    fill: float
    net: float
    cut_area: float
    fill_area: float
    unknown_area: float
    resolution: float


@dataclass(frozen=True, slots=True)
class SunInterval:
    """Sun without a break, in true solar time (HH:MM)."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class SunlitPoint:
    """Sun at a point: in all, the longest without a break [h], when, and whether that is as much as required."""

    longitude: float
    latitude: float
    height: float
    hours: float
    longest: float
    enough: bool
    intervals: tuple[SunInterval, ...]


@dataclass(frozen=True, slots=True)
class SunlightAnswer:
    """Sun on a day, within a window of true solar time [h], in steps [min].

    Either ``points``, or ``coverage`` (CoverageJSON of hours in the city's projected CRS) and ``share_enough``, the
    share of its open ground that has as much as required.
    """

    date: str
    start: float
    end: float
    required: float
    step: float
    buildings: int
    points: tuple[SunlitPoint, ...]
    coverage: dict[str, Any] | None
    share_enough: float | None
    warnings: tuple[Text, ...]
