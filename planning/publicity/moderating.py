"""The queue of comments: an officer publishes one, with a reply perhaps, or not, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection, text

from layers.features import RowDenied
from planning.errors import PlanningError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a comment: ``reason`` is for the file, ``reply`` goes to the public with it."""

    comment: Annotated[str, Field(min_length=1, max_length=100)]
    publish: bool
    reason: Annotated[str, Field(max_length=1000)] = ""
    reply: Annotated[str, Field(max_length=5000)] = ""


@dataclass(frozen=True, slots=True)
class Moderated:
    """A comment, and what became of it."""

    comment: str
    status: Literal["published", "rejected"]


def moderate(conn: Connection, account: str, verdict: Verdict) -> Moderated:
    """Decide on a comment, also anew. Raises :class:`PlanningError` for none, or no reason to refuse it."""
    if not verdict.publish and not verdict.reason.strip():
        raise PlanningError(
            f"不予公布 {verdict.comment} 须写明理由", f"say why {verdict.comment!r} is not published (field 'reason')"
        )
    status: Literal["published", "rejected"] = "published" if verdict.publish else "rejected"
    values = {"number": verdict.comment, "status": status, "reason": verdict.reason or None,
              "reply": verdict.reply or None, "by": account}  # fmt: skip
    seen = conn.execute(text("SELECT 1 FROM city.notice_comments WHERE number = :number FOR UPDATE"), values).scalar()
    if seen is None:
        raise PlanningError(f"没有意见 {verdict.comment!r}", f"there is no comment {verdict.comment!r}")
    changed = conn.execute(
        text("""UPDATE city.notice_comments SET status = :status, reason = :reason, reply = :reply,
                    moderated_by = :by, moderated_at = now() WHERE number = :number"""),
        values,
    ).rowcount
    if not changed:
        raise RowDenied(f"comment {verdict.comment} is not yours to decide on")
    _show(conn, values) if verdict.publish else _hide(conn, values)
    return Moderated(verdict.comment, status)


def _show(conn: Connection, values: Mapping[str, object]) -> None:
    """To the public go the words and the place; nothing of the person."""
    conn.execute(
        text("""INSERT INTO city.published_comments AS p (geom, notice, stance, comment, reply, area_code, area_name,
                    received_on, number)
                SELECT geom, notice, stance, comment, reply, area_code, area_name, received_on, number
                FROM city.notice_comments WHERE number = :number
                ON CONFLICT (number) DO UPDATE SET reply = excluded.reply
                WHERE p.reply IS DISTINCT FROM excluded.reply"""),
        values,
    )


def _hide(conn: Connection, values: Mapping[str, object]) -> None:
    conn.execute(text("DELETE FROM city.published_comments WHERE number = :number"), values)
