"""What is checked: a parcel in the plane of its zone, the use it is meant for, and when."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import shapely

from layers.crs import transformer
from planning.check.pieces import Tolerance
from planning.plan.land_codes import LandCode
from planning.survey.zones import Zone


@dataclass(frozen=True)
class Subject:
    """A parcel ``shape`` (shapely polygons, east and north [m] of ``zone.srid``) and how it is checked.

    ``number`` is that of its red line, ``parents`` those that it replaces. ``on``: the day whose plan holds. ``as_of``:
    the past state of the layers that is looked at; None for the present one.
    """

    shape: Any
    zone: Zone
    use: LandCode
    on: date
    tolerance: Tolerance
    number: str | None = None
    parents: tuple[str, ...] = ()
    as_of: datetime | None = None

    @cached_property
    def ewkb(self) -> bytes:
        """The shape as PostGIS reads it, with its SRID."""
        found: bytes = shapely.to_wkb(shapely.set_srid(self.shape, self.zone.srid), include_srid=True)
        return found

    def box(self, reach: float) -> tuple[float, float, float, float]:
        """West, south, east, north [°] of what may lie within ``reach`` [m] of the parcel, a metre more on each side.

        Sides of a box in the plane bend in degrees by less than that for parcels up to some 5 km.
        """
        known = self._boxes.get(reach)
        if known is None:
            west, south, east, north = self.shape.bounds
            way, more = transformer(self.zone.srid, 4490), reach + 1.0
            found = way.transform_bounds(west - more, south - more, east + more, north + more, densify_pts=21)
            known = self._boxes[reach] = (found[0], found[1], found[2], found[3])
        return known

    @cached_property
    def _boxes(self) -> dict[float, tuple[float, float, float, float]]:
        return {}

    @cached_property
    def deep(self) -> Any:
        """The shape without an edge as wide as a sliver may be."""
        return shapely.buffer(self.shape, -max(self.tolerance.width, 0.001))

    @property
    def area(self) -> float:
        """Plane area [m²]."""
        return float(self.shape.area)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is looked at beside the rules. ``access``: how far a road may lie from the parcel [m]."""

    ownership: str | None = None
    dem: str | None = "dem"
    access: float = 30.0
    floor_area_per_person: float = 40.0
