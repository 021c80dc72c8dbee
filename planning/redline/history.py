"""What is known of a red line: its steps and their seals, what may come next, its lineage."""

from sqlalchemy import Connection, text

from planning.redline.answers import NextStep, RedLineAnswer, Step
from planning.redline.reading import RedLine, find_redline
from planning.redline.transitions import possible
from planning.redline.writing import sealed_fields, step_digest

_NAMES = "redline, place, action, before, after, at, actor, role, opinion, document, check_id, detail, digest"


def redline_answer(conn: Connection, number: str) -> RedLineAnswer:
    """A red line as clients get it. Raises :class:`PlanningError` where there is none."""
    line = find_redline(conn, number)
    steps, unbroken = steps_of(conn, line)
    children = conn.execute(
        text("SELECT number FROM city.redlines WHERE :number = ANY (parents) ORDER BY number"), {"number": number}
    ).scalars()
    following = tuple(NextStep(t.action, t.title, t.after, t.roles, t.needs) for t in possible(line.status))
    facts = {k: v for k, v in line.facts.items() if k not in ("id", "number", "name", "status", "parents")}
    return RedLineAnswer(
        line.number, line.name, line.status, facts, steps, following, line.parents, tuple(children), unbroken
    )


def steps_of(conn: Connection, line: RedLine) -> tuple[tuple[Step, ...], bool]:
    """The steps in order, and whether each seal follows from the step and the seal before it."""
    rows = conn.execute(
        text(f"SELECT {_NAMES} FROM planning.steps WHERE redline = :id ORDER BY place"), {"id": line.id}
    ).mappings()
    steps, before, unbroken = [], "", True
    for place, row in enumerate(rows, 1):
        unbroken &= row["place"] == place and step_digest(before, sealed_fields(row)) == row["digest"]
        before = row["digest"]
        steps.append(
            Step(
                row["place"], row["action"], row["before"], row["after"], row["at"].isoformat(), row["actor"],
                row["role"], row["opinion"], row["document"], row["check_id"], row["digest"],
            )
        )  # fmt: skip
    return tuple(steps), unbroken and bool(steps) and steps[-1].after == line.status
