"""意见汇总 what the public said of a notice: by stance, by what became of it, by division; and the notice's end."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from layers.catalogue import Text
from layers.features import RowDenied
from planning.errors import PlanningConflict
from planning.publicity.layers import STANCES
from planning.publicity.reading import Notice


@dataclass(frozen=True, slots=True)
class AreaCount:
    """Comments on places in one division; None: no place, or in none."""

    code: str | None
    name: str | None
    support: int
    suggest: int
    oppose: int


@dataclass(frozen=True, slots=True)
class CommentSummary:
    """Counts of comments by stance; of ``received``, those ``published``, ``rejected`` and still ``pending``."""

    received: int
    published: int
    rejected: int
    pending: int
    support: int
    suggest: int
    oppose: int
    replied: int
    areas: tuple[AreaCount, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A comment as the public sees it."""

    number: str
    stance: str
    comment: str
    reply: str | None
    area_name: str | None
    received_on: date


def summarise(conn: Connection, notice: str, table: str = "notice_comments") -> CommentSummary:
    """The counts of all comments, or of ``published_comments``, which the public sees."""
    rows = conn.execute(
        text(f"""
            SELECT area_code, area_name, stance, {"status" if table == "notice_comments" else "'published' AS status"},
                reply IS NOT NULL AS replied, count(*) AS many
            FROM city.{table} WHERE notice = :notice GROUP BY 1, 2, 3, 4, 5"""),
        {"notice": notice},
    ).all()

    def total(**of: object) -> int:
        return sum(int(r.many) for r in rows if all(getattr(r, name) == value for name, value in of.items()))

    places = sorted({(r.area_code, r.area_name) for r in rows}, key=lambda place: (place[0] is None, place[0] or ""))
    stances = {stance: total(stance=stance) for stance in STANCES}
    return CommentSummary(
        total(), total(status="published"), total(status="rejected"), total(status="pending"), **stances,
        replied=total(replied=True),
        areas=tuple(
            AreaCount(code, name, **{s: total(area_code=code, area_name=name, stance=s) for s in STANCES})
            for code, name in places
        ),
    )  # fmt: skip


def published(conn: Connection, notice: str, most: int = 1000) -> tuple[Published, ...]:
    """The published comments of a notice, in the order in which they came."""
    rows = conn.execute(
        text("""SELECT number, stance, comment, reply, area_name, received_on FROM city.published_comments
                WHERE notice = :notice ORDER BY id LIMIT :most"""),
        {"notice": notice, "most": most},
    ).mappings()
    return tuple(Published(**row) for row in rows)


def close(conn: Connection, notice: Notice, today: date, words: str) -> CommentSummary:
    """Write the summary of a notice whose period is over.

    Raises :class:`PlanningConflict` before its end and while comments wait in the queue.
    """
    if notice.state(today) != "ended":
        raise PlanningConflict(f"公示期至 {notice.ends}，尚未结束", f"the notice lasts until {notice.ends}")
    found = summarise(conn, notice.number)
    if found.pending:
        raise PlanningConflict(
            f"还有 {found.pending} 条意见待审核", f"{found.pending} comments wait: decide on them first"
        )
    summary = f"{in_words(found).zh}{words.strip()}"
    changed = conn.execute(
        text("UPDATE city.notices SET summary = :summary WHERE id = :id"), {"summary": summary, "id": notice.id}
    ).rowcount
    if not changed:
        raise RowDenied("notices are not yours to close")
    return found


def in_words(found: CommentSummary) -> Text:
    """The counts in a sentence."""
    return Text(
        f"共收到意见 {found.received} 条：支持 {found.support}，建议 {found.suggest}，反对 {found.oppose}；"
        f"公布 {found.published} 条，答复 {found.replied} 条。",
        f"{found.received} comments came in: {found.support} in support, {found.suggest} suggestions, {found.oppose}"
        f" objections; {found.published} were published, {found.replied} answered.",
    )
