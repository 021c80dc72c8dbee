"""Notices as the database keeps them, and when the public may comment."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, text

from layers.registry import find_layer
from planning.errors import PlanningConflict, PlanningError

State = Literal["upcoming", "open", "ended"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: ``begins`` and ``ends`` are its first and last day; ``summary`` is empty until it is closed."""

    id: int
    number: str
    title: str
    kind: str
    text: str
    redline: str | None
    begins: date
    ends: date
    contact: str
    summary: str

    def state(self, today: date) -> State:
        """Where its period stands."""
        if today < self.begins:
            return "upcoming"
        return "open" if today <= self.ends else "ended"


def find_notice(conn: Connection, number: str, *, lock: bool = False) -> Notice:
    """The notice of that number. Raises :class:`PlanningError` where there is none."""
    find_layer(conn, "notices")
    statement = _NOTICE + "number = :number" + (" FOR UPDATE" if lock else "")
    row = conn.execute(text(statement), {"number": number}).mappings().one_or_none()
    if row is None:
        raise PlanningError(f"没有公示 {number[:60]!r}", f"there is no notice {number[:60]!r}")
    return Notice(**row)


def notice_by_id(conn: Connection, id: int) -> Notice | None:
    """The notice that is this feature of the layer."""
    find_layer(conn, "notices")
    row = conn.execute(text(_NOTICE + "id = :id"), {"id": id}).mappings().one_or_none()
    return Notice(**row) if row else None


def notices_of(conn: Connection, redline: str) -> list[Notice]:
    """The notices of a red line, in the order of their numbers."""
    find_layer(conn, "notices")
    rows = conn.execute(text(_NOTICE + "redline = :redline ORDER BY id"), {"redline": redline}).mappings()
    return [Notice(**row) for row in rows]


def all_notices(conn: Connection, most: int) -> list[Notice]:
    """The notices, the newest first."""
    find_layer(conn, "notices")
    rows = conn.execute(text(_NOTICE + "true ORDER BY begins DESC, id DESC LIMIT :most"), {"most": most}).mappings()
    return [Notice(**row) for row in rows]


def require_open(notice: Notice, today: date) -> None:
    """Raise :class:`PlanningConflict` outside the notice's period."""
    state = notice.state(today)
    if state == "upcoming":
        raise PlanningConflict(f"公示自 {notice.begins} 起征求意见", f"comments are taken from {notice.begins}")
    if state == "ended":
        raise PlanningConflict(f"公示已于 {notice.ends} 结束", f"the notice ended on {notice.ends}")


_NOTICE = """
    SELECT id, number, coalesce(title, '') AS title, coalesce(kind, '') AS kind, coalesce(text, '') AS text, redline,
        begins, ends, coalesce(contact, '') AS contact, coalesce(summary, '') AS summary
    FROM city.notices WHERE begins IS NOT NULL AND ends IS NOT NULL AND """
