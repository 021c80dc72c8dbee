"""From the inputs of a check to its subject, and from a kept check to the same subject again."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import shapely
from sqlalchemy import Connection

from layers.terrain.geojson import Area
from planning.boundary.answers import GivenParcel
from planning.check.pieces import Tolerance
from planning.check.store import Kept
from planning.check.subject import Subject, Wishes
from planning.drawn import drawn
from planning.errors import PlanningError
from planning.plan.land_codes import LandCode
from planning.redline.reading import RedLine, find_redline
from planning.survey.zones import Zone


def subject_of(
    conn: Connection, redline: str | None, geometry: Area | None, parcel: GivenParcel | None, asked: dict[str, Any]
) -> tuple[Subject, int | None]:
    """What is to be checked, and the id of its red line if it is one. Raises :class:`PlanningError`."""
    given = [n for n, v in (("redline", redline), ("geometry", geometry), ("parcel", parcel)) if v is not None]
    if len(given) != 1:
        raise PlanningError("请给出 redline、geometry、parcel 之一", "give one of 'redline', 'geometry' and 'parcel'")
    use, day = LandCode(asked["scheme"], asked["land_code"]), asked["on"]
    common = {"on": day, "tolerance": asked["tolerance"], "as_of": asked["as_of"]}
    if redline is not None:
        line = find_redline(conn, redline)
        return replace(of_redline(line, day, asked["tolerance"]), as_of=asked["as_of"]), line.id
    if parcel is not None:
        surveyed = parcel.parcel()
        return Subject(surveyed.polygon, surveyed.zone, use, **common), None
    assert geometry is not None
    zone, shape = drawn(geometry)
    return Subject(shape, zone, use, **common), None


def of_redline(line: RedLine, on: date, tolerance: Tolerance) -> Subject:
    """A red line as the subject of a check on the present layers."""
    use = LandCode(line.scheme or "", line.land_code or "")
    return Subject(line.shape, line.zone, use, on, tolerance, line.number, line.parents)


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
    return Wishes(**kept.inputs["wishes"])
