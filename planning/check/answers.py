"""What a check answers, as plain values."""

from dataclasses import dataclass
from typing import Any, Literal

from layers.catalogue import Text
from planning.check.pieces import Tolerance
from planning.survey.areas import Areas, ZoneShare

Severity = Literal["blocking", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The feature that a conflict is with, and the version of it that was seen."""

    layer: str
    id: int | None
    revision: int | None
    code: str | None
    name: str | None
    plan: str | None
    version: str | None
    since: str | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One collision by one clause: what of the parcel, ``area`` [m²] and ``share`` of the parcel; of a line that the
    parcel crosses the ``length`` within it [m], whose area is none."""

    subject: str
    kind: str
    rule: str
    severity: Severity
    clause: Text
    feature: Seen
    area: float
    share: float
    geometry: dict[str, Any]
    length: float = 0.0

    @property
    def size(self) -> Text:
        """How large it is, in words."""
        if self.length:
            return Text(f"穿越 {self.length:,.2f} m", f"crosses {self.length:,.2f} m")
        return Text(f"{self.area:,.2f} m²", f"{self.area:,.2f} m²")


@dataclass(frozen=True, slots=True)
class PlotPart:
    """A plot of the control plan within the parcel: its code and indices, area [m²] and share of the parcel."""

    plot: str | None
    scheme: str | None
    land_code: str | None
    land_use: str | None
    plan: str | None
    version: str | None
    far_max: float | None
    density_max: float | None
    green_min: float | None
    height_max: float | None
    area: float
    share: float


@dataclass(frozen=True, slots=True)
class UsePart:
    """Present land use within the parcel [m²]."""

    code: str | None
    name: str | None
    area: float
    share: float


@dataclass(frozen=True, slots=True)
class BuildingsInside:
    """Buildings in the parcel. ``cut`` by its boundary; areas [m²] are of what lies inside; ``people`` are those of the
    floor area of homes by ``floor_area_per_person``."""

    count: int
    cut: int
    footprint: float
    floor_area: float
    people: int
    floor_area_per_person: float


@dataclass(frozen=True, slots=True)
class Crossed:
    """Pipelines within the parcel by kind, or cameras; ``length`` [m]."""

    layer: str
    kind: str | None
    count: int
    length: float


@dataclass(frozen=True, slots=True)
class Access:
    """A road beside the parcel: the nearest distance of its centre line and the length within reach [m]."""

    name: str | None
    road_class: str | None
    distance: float
    length: float
    crosses: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """A parcel of ownership within the red line [m²]."""

    id: int
    name: str | None
    area: float
    share: float


@dataclass(frozen=True, slots=True)
class Ground:
    """Heights [m] and slopes [°] of the ground in the parcel, cells of ``resolution`` [m]."""

    lowest: float
    highest: float
    mean: float
    mean_slope: float
    steepest: float
    resolution: float


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything that was found. ``unknown`` says which rules could not be judged, and why; ``remarks`` what
    else is missing. ``layers`` are those looked at."""

    areas: Areas
    zones: tuple[ZoneShare, ...]
    crs: str
    tolerance: Tolerance
    on: str
    conflicts: tuple[Conflict, ...]
    plots: tuple[PlotPart, ...]
    land_use: tuple[UsePart, ...]
    buildings: BuildingsInside | None
    crossed: tuple[Crossed, ...]
    access: tuple[Access, ...]
    holdings: tuple[Holding, ...]
    ground: Ground | None
    slivers: int
    sliver_area: float
    unknown: tuple[Text, ...]
    remarks: tuple[Text, ...]
    layers: tuple[str, ...]
    blocking: int
    verdict: Literal["clear", "warnings", "blocked"]
