"""Takes comments of the public, who need no account: bounded, in the notice's period, into the queue."""

from dataclasses import dataclass
from typing import Any, Literal

import shapely
from sqlalchemy import Connection, text

from layers.registry import load_layers
from planning.errors import PlanningConflict, PlanningError
from planning.options import PlanningOptions
from planning.publicity.reading import Notice, require_open
from planning.redline.writing import next_number

SERIES = "意"
Stance = Literal["support", "suggest", "oppose"]
#: A place commented on lies no farther from the notice [m].
_NEAR = 20_000.0


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody says; ``place`` is a shapely point or polygon [°] or None. ``person``, ``phone`` as they like."""

    stance: Stance
    comment: str
    place: Any = None
    person: str = ""
    phone: str = ""


def enter_comment(conn: Connection, options: PlanningOptions, notice: Notice, remark: Remark) -> str:
    """Put a comment into the queue; returns its number.

    Raises :class:`PlanningConflict` outside the notice's period or where too many wait, :class:`PlanningError` for a
    place that is none, or far away.
    """
    require_open(notice, options.today())
    _require_room(conn, options, notice)
    shape = _place(conn, notice, remark.place)
    code, name = _division(conn, shape) if shape is not None else (None, None)
    number = next_number(conn, options, SERIES, options.today())
    conn.execute(
        text("""INSERT INTO city.notice_comments (geom, notice, stance, comment, area_code, area_name, received_on,
                    status, person, phone, number)
                VALUES (ST_GeomFromWKB(:geom, 4490), :notice, :stance, :comment, :code, :name, :today, 'pending',
                    :person, :phone, :number)"""),
        {
            "geom": shapely.to_wkb(shape) if shape is not None else None, "notice": notice.number,
            "stance": remark.stance, "comment": remark.comment.strip(), "code": code, "name": name,
            "today": options.today(), "person": remark.person or None, "phone": remark.phone or None, "number": number,
        },
    )  # fmt: skip
    return number


def _require_room(conn: Connection, options: PlanningOptions, notice: Notice) -> None:
    waiting = conn.execute(
        text("SELECT count(*) FROM city.notice_comments WHERE notice = :notice AND status = 'pending'"),
        {"notice": notice.number},
    ).scalar_one()
    if waiting >= options.comments_waiting:
        raise PlanningConflict(
            "待审核的意见过多，请稍后再提，或用公示所列联系方式",
            "too many comments wait to be read: try later, or use the contact of the notice",
        )


def _place(conn: Connection, notice: Notice, place: Any) -> Any:
    """The place, sound and near the notice."""
    if place is None:
        return None
    if not place.is_valid or place.is_empty:
        reason = shapely.is_valid_reason(place)
        raise PlanningError(f"意见的位置无效：{reason}", f"the place of the comment is not valid: {reason}")
    near = conn.execute(
        text("""SELECT ST_DWithin(geom::geography, ST_GeomFromWKB(:place, 4490)::geography, :near)
                FROM city.notices WHERE id = :id"""),
        {"place": shapely.to_wkb(place), "near": _NEAR, "id": notice.id},
    ).scalar()
    if not near:
        raise PlanningError("所标位置距公示范围太远，请在图上核对", "the place lies far from the notice: check the map")
    return place


def _division(conn: Connection, shape: Any) -> tuple[str | None, str | None]:
    """Code and name of the smallest division that the middle of the place lies in."""
    if "admin-areas" not in load_layers(conn, ["admin-areas"]):
        return None, None
    row = conn.execute(
        text("""SELECT code, name FROM city.admin_areas
                WHERE code IS NOT NULL AND ST_Intersects(geom, ST_GeomFromWKB(:middle, 4490))
                ORDER BY length(code) DESC, code LIMIT 1"""),
        {"middle": shapely.to_wkb(shape.representative_point())},
    ).one_or_none()
    return (row.code, row.name) if row else (None, None)
