"""From the inputs of a check to its subject, and from a kept check to the same subject again."""

from datetime import date, datetime
from typing import Any

import shapely
from sqlalchemy import Connection

from layers.terrain.geojson import Area
from planning.boundary.answers import GivenParcel
from planning.check.check import Wishes
from planning.check.pieces import Tolerance
from planning.check.store import Kept
from planning.check.subject import Subject
from planning.drawn import drawn
from planning.errors import PlanningError
from planning.plan.land_codes import LandCode
from planning.redline.reading import find_redline
from planning.survey.zones import Zone


def subject_of(
    conn: Connection, redline: str | None, geometry: Area | None, parcel: GivenParcel | None, asked: dict[str, Any]
) -> tuple[Subject, int | None]:
    """What is to be checked, and the id of its red line if it is one. Raises :class:`PlanningError`."""
    given = [n for n, v in (("redline", redline), ("geometry", geometry), ("parcel", parcel)) if v is not None]
    if len(given) != 1:
        raise PlanningError("请给出 redline、geometry、parcel 之一", "give one of 'redline', 'geometry' and 'parcel'")
    use, day = LandCode(asked["scheme"], asked["land_code"]), asked["on"] or date.today()
    common = {"on": day, "tolerance": asked["tolerance"], "as_of": asked["as_of"]}
    if redline is not None:
        line = find_redline(conn, redline)
        use = LandCode(line.scheme or asked["scheme"], line.land_code or asked["land_code"])
        found = Subject(line.shape, line.zone, use, number=line.number, parents=line.parents, **common)
        return found, line.id
    if parcel is not None:
        surveyed = parcel.parcel()
        return Subject(surveyed.polygon, surveyed.zone, use, **common), None
    assert geometry is not None
    zone, shape = drawn(geometry)
    return Subject(shape, zone, use, **common), None


def subject_again(kept: Kept) -> Subject:
    """The subject of a kept check, on the layers as they were."""
    inputs = kept.inputs
    return Subject(
        shapely.from_wkb(bytes.fromhex(inputs["shape"])),
        Zone(**inputs["zone"]),
        LandCode(**inputs["use"]),
        on=date.fromisoformat(inputs["on"]),
        tolerance=Tolerance(**inputs["tolerance"]),
        number=inputs["number"],
        parents=tuple(inputs["parents"]),
        as_of=datetime.fromisoformat(inputs["as_of"]) if inputs["as_of"] else kept.at,
    )


def wishes_again(kept: Kept) -> Wishes:
    """What a kept check looked at beside the rules."""
    return Wishes(*(kept.inputs[name] for name in ("ownership", "dem", "access", "floor_area_per_person")))
