"""Reads and writes meetings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg2.errors import CheckViolation, InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from layers.features import RowDenied
from planning.errors import PlanningConflict, PlanningError
from planning.meetings.model import GivenDecision, GivenItem, Item, Meeting, MeetingHead, Opinion
from planning.redline.reading import find_redline, redlines_layer


def find_meeting(conn: Connection, number: str) -> Meeting:
    """A meeting by its number. Raises :class:`PlanningError` where there is none to be seen."""
    redlines_layer(conn)
    row = (
        conn.execute(text("SELECT * FROM planning.meetings WHERE number = :number"), {"number": number})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise PlanningError(f"没有会议 {number[:60]!r}", f"there is no meeting {number[:60]!r}")
    return Meeting(
        row["number"], row["title"], row["held_on"], row["venue"], row["chair"], tuple(row["attendants"]), row["state"],
        row["conclusion"], row["actor"], row["closed_at"], row["closed_by"], tuple(_items(conn, row["id"])),
    )  # fmt: skip


def list_meetings(conn: Connection, most: int) -> tuple[MeetingHead, ...]:
    """Meetings, the newest first."""
    redlines_layer(conn)
    rows = conn.execute(
        text("""SELECT number, title, held_on, venue, state,
                    (SELECT count(*) FROM planning.meeting_items i WHERE i.meeting = m.id) AS items
                FROM planning.meetings m ORDER BY held_on DESC, id DESC LIMIT :most"""),
        {"most": most},
    ).mappings()
    return tuple(MeetingHead(**row) for row in rows)


def _items(conn: Connection, meeting: int) -> Iterator[Item]:
    rows = conn.execute(
        text("""SELECT i.*, r.name, r.status FROM planning.meeting_items i
                LEFT JOIN city.redlines r ON r.number = i.redline WHERE i.meeting = :meeting ORDER BY i.place"""),
        {"meeting": meeting},
    ).all()
    said = conn.execute(
        text("""SELECT item, at, actor, speaker, stance, opinion FROM planning.meeting_opinions
                WHERE item = ANY (:items) ORDER BY id"""),
        {"items": [row.id for row in rows]},
    ).all()
    for row in rows:
        opinions = tuple(Opinion(o.at, o.actor, o.speaker, o.stance, o.opinion) for o in said if o.item == row.id)
        yield Item(
            row.place, row.redline, row.subject, row.name, row.status, row.decision, row.words, row.decided_at,
            row.decided_by, opinions,
        )  # fmt: skip


def enter(conn: Connection, number: str, facts: Mapping[str, Any], items: Sequence[GivenItem]) -> None:
    """Enter a new meeting with its agenda."""
    with _guarded():
        conn.execute(
            text("""INSERT INTO planning.meetings (number, title, held_on, venue, chair, attendants)
                    VALUES (:number, :title, :held_on, :venue, :chair, :attendants)"""),
            {**facts, "number": number},
        )
        _arrange(conn, _id(conn, number), items)


def rearrange(conn: Connection, number: str, facts: Mapping[str, Any], items: Sequence[GivenItem]) -> None:
    """Change a meeting and its agenda; an item keeps what was said of it, wherever it goes.

    Raises :class:`PlanningConflict` for a closed meeting, or one that drops an item on which there are opinions.
    """
    with _guarded():
        meeting = _id(conn, number)
        conn.execute(
            text("""UPDATE planning.meetings SET title = :title, held_on = :held_on, venue = :venue, chair = :chair,
                        attendants = :attendants WHERE id = :id"""),
            {**facts, "id": meeting},
        )
        _arrange(conn, meeting, items)


def say(conn: Connection, number: str, place: int, speaker: str, stance: str, opinion: str) -> None:
    """Record an opinion on an item. Raises :class:`PlanningError` for none, :class:`PlanningConflict` when closed."""
    with _guarded():
        conn.execute(
            text("""INSERT INTO planning.meeting_opinions (item, speaker, stance, opinion)
                    VALUES (:item, :speaker, :stance, :opinion)"""),
            {"item": _item(conn, number, place), "speaker": speaker, "stance": stance, "opinion": opinion},
        )


def decide(conn: Connection, number: str, account: str, decisions: Sequence[GivenDecision]) -> None:
    """Write what was decided on the items."""
    with _guarded():
        for one in decisions:
            conn.execute(
                text("""UPDATE planning.meeting_items SET decision = :decision, words = :words, decided_at = now(),
                            decided_by = :by WHERE id = :item"""),
                {"decision": one.decision, "words": one.words, "by": account, "item": _item(conn, number, one.item)},
            )


def close(conn: Connection, number: str, account: str, conclusion: str) -> None:
    """Close a meeting. Raises :class:`PlanningConflict` while an item is undecided."""
    open_items = [item.place for item in find_meeting(conn, number).items if item.decision is None]
    if open_items:
        places = ", ".join(map(str, open_items))
        raise PlanningConflict(f"第 {places} 项尚无决定", f"items {places} have no decision yet")
    with _guarded():
        conn.execute(
            text("""UPDATE planning.meetings SET state = 'closed', conclusion = :conclusion, closed_at = now(),
                        closed_by = :by WHERE id = :id"""),
            {"conclusion": conclusion, "by": account, "id": _id(conn, number)},
        )


def _arrange(conn: Connection, meeting: int, items: Sequence[GivenItem]) -> None:
    for item in items:
        if item.redline:
            find_redline(conn, item.redline)
        elif not item.subject.strip():
            raise PlanningError("每项议题须有红线或题目", "an item has a red line or a subject")
    keys = [(item.redline or None, item.subject.strip()) for item in items]
    if len(set(keys)) != len(keys):
        raise PlanningError("议程中有重复的议题", "an item stands twice in the agenda")
    kept = {
        (row.redline, row.subject): row
        for row in conn.execute(
            text("""SELECT id, place, redline, subject, decision IS NOT NULL OR EXISTS (
                        SELECT FROM planning.meeting_opinions o WHERE o.item = i.id) AS spoken
                    FROM planning.meeting_items i WHERE meeting = :meeting"""),
            {"meeting": meeting},
        )
    }
    if dropped := [row.place for key, row in kept.items() if key not in keys and row.spoken]:
        raise PlanningConflict(
            f"第 {dropped[0]} 项已有意见，不能删去", f"item {dropped[0]} has opinions and cannot be dropped"
        )
    for key, row in kept.items():
        if key not in keys:
            conn.execute(text("DELETE FROM planning.meeting_items WHERE id = :id"), {"id": row.id})
    for place, key in enumerate(keys, 1):
        if key in kept:
            statement = "UPDATE planning.meeting_items SET place = :place WHERE id = :id"
            conn.execute(text(statement), {"place": place, "id": kept[key].id})
        else:
            conn.execute(
                text("""INSERT INTO planning.meeting_items (meeting, place, redline, subject)
                        VALUES (:meeting, :place, :redline, :subject)"""),
                {"meeting": meeting, "place": place, "redline": key[0], "subject": key[1]},
            )


def _id(conn: Connection, number: str) -> int:
    """Its row, locked. Raises :class:`PlanningError` where there is none."""
    found = conn.execute(
        text("SELECT id FROM planning.meetings WHERE number = :number FOR UPDATE"), {"number": number}
    ).scalar()
    if found is None:
        raise PlanningError(f"没有会议 {number[:60]!r}", f"there is no meeting {number[:60]!r}")
    return int(found)


def _item(conn: Connection, number: str, place: int) -> int:
    found = conn.execute(
        text("""SELECT i.id FROM planning.meeting_items i JOIN planning.meetings m ON m.id = i.meeting
                WHERE m.number = :number AND i.place = :place"""),
        {"number": number, "place": place},
    ).scalar()
    if found is None:
        raise PlanningError(f"会议没有第 {place} 项", f"the meeting has no item {place}")
    return int(found)


@contextmanager
def _guarded() -> Iterator[None]:
    """What the database refuses is told in our words."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, CheckViolation) and error.orig.diag.constraint_name == "meeting_closed":
            raise PlanningConflict(
                "会议已结束，纪要不再变动", "the meeting is closed: its minutes change no more"
            ) from None
        raise
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied("meetings are not yours to change") from None
        raise
