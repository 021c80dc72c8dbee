"""What sections and clearances answer. Distances and levels in metres, diameters in millimetres, places in degrees."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroundPoint:
    """The ground at a distance along the section; null where it is unknown."""

    distance: float
    height: float | None


@dataclass(frozen=True, slots=True)
class LongPipe:
    """A pipe along the section, from ``start`` to ``end``; ``slope`` in ‰, falling is positive."""

    id: int
    kind: str | None
    diameter: float | None
    start: float
    end: float
    start_invert: float | None
    end_invert: float | None
    start_top: float | None
    end_top: float | None
    slope: float | None
    least_cover: float | None


@dataclass(frozen=True, slots=True)
class SectionNode:
    """A node along the section, with the ground and the lowest invert there."""

    node: str | None
    fitting: str | None
    distance: float
    ground: float | None
    bottom: float | None


@dataclass(frozen=True, slots=True)
class CrossPipe:
    """A pipe that the section cuts; ``angle`` between the two [°]."""

    id: int
    kind: str | None
    diameter: float | None
    distance: float
    longitude: float
    latitude: float
    angle: float
    invert: float | None
    top: float | None
    ground: float | None
    cover: float | None


@dataclass(frozen=True, slots=True)
class SectionAnswer:
    """A section: ``pipes`` and ``nodes`` along it (empty across), the pipes it ``crosses``, and the ground.

    ``drawing`` is SVG, or a PNG as a data URL.
    """

    length: float
    ground: tuple[GroundPoint, ...]
    ground_from: str
    pipes: tuple[LongPipe, ...]
    nodes: tuple[SectionNode, ...]
    crosses: tuple[CrossPipe, ...]
    drawing: str | None


@dataclass(frozen=True, slots=True)
class ShallowPipe:
    """A pipe with less cover than required at its start or end."""

    id: int
    kind: str | None
    least_cover: float
    required: float
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two pipes closer than required. ``sense`` is horizontal (side by side) or vertical (one crosses the other)."""

    sense: str
    pipe: int
    other: int
    kind: str | None
    other_kind: str | None
    distance: float
    required: float
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class ClearanceAnswer:
    """Pipes too shallow, and pairs too close; lists hold at most 5000, the counts are exact.

    ``unknown_cover`` pipes and ``unknown_crossings`` could not be judged, because levels are not known. ``unverified``:
    for which of ``cover`` and ``clearance`` the city's tables still hold what was shipped, unchecked against GB 50289.
    """

    checked: int
    shallow_count: int
    conflict_count: int
    unknown_cover: int
    unknown_crossings: int
    shallow: tuple[ShallowPipe, ...]
    conflicts: tuple[Conflict, ...]
    unverified: tuple[str, ...]
