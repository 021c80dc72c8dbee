"""What nearest and exposure answer. Distances in metres, areas in m², times in seconds, places in degrees."""

from dataclasses import dataclass
from typing import Any

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A candidate by its id and properties, and what it costs to get there: ``distance`` [m] or ``seconds`` [s]."""

    id: str | int | None
    distance: float | None
    seconds: float | None
    longitude: float
    latitude: float
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest candidates of one feature, nearest first."""

    id: str | int | None
    nearest: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class ExposedPeople:
    """An estimate, and how it was made: over how many communities, of which some by ground for want of dwellings."""

    people: int
    communities: int
    by_ground: int
    method: Text


@dataclass(frozen=True, slots=True)
class ExposedBuildings:
    """Buildings touched, by use, and their floor area inside [m²]."""

    count: int
    floor_area: float
    by_use: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExposedFacilities:
    """Features of a layer inside: how many, by category, and the first thousand, nearest to the hazard first."""

    layer: str
    count: int
    by_category: dict[str, int]
    facilities: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class ExposureAnswer:
    """The ground that the hazard reaches (GeoJSON), its area [m²], and who and what lies in it."""

    area: float
    zone: dict[str, Any]
    people: ExposedPeople | None
    buildings: ExposedBuildings | None
    facilities: tuple[ExposedFacilities, ...]
