"""提醒 → 催办 → 督办: what the clock itself does, level by level, once in each round of a case's clock.

A worker runs :func:`escalate` now and then. The level is kept with the case, and each step is unique in its round, so a
worker that dies, or two that run at once, leave nothing out and tell nothing twice.
"""

from datetime import datetime

from sqlalchemy import Connection, text

from grid.cases.advancing import act_on
from grid.cases.queries import lock_case
from grid.model import CLOCK, Inputs
from grid.options import GridOptions
from layers.access import Grant, Principal

#: The acts of the clock by the level that a case has reached.
LEVELS = ("remind", "urge", "supervise")
#: Who the clock is in history and in the audit log.
CLOCK_PRINCIPAL = Principal(
    "citymap clock", grants=(Grant("cases", frozenset({"read", "update"}), "core"),), via="clock"
)

_DUE = text("""
    SELECT code FROM city.cases
    WHERE running_since IS NOT NULL AND state IN ('dispatched', 'handling')
      AND CASE escalation WHEN 0 THEN remind_at <= :at
                          WHEN 1 THEN deadline < date_trunc('second', CAST(:at AS timestamptz))
                          WHEN 2 THEN supervise_at <= :at ELSE false END
    ORDER BY id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED""")


def escalate(conn: Connection, options: GridOptions, at: datetime, most: int = 200) -> list[tuple[str, str]]:
    """Do what the clock is to do at an instant for so many cases; returns case numbers and acts.

    Call it until it returns nothing: a case that missed several levels gets one at a time.
    """
    done = []
    for code in conn.execute(_DUE, {"at": at, "most": most}).scalars().all():
        found = lock_case(conn, code)
        act = LEVELS[found.case.escalation]
        act_on(conn, found, act, frozenset({CLOCK}), Inputs(), options, at)
        done.append((code, act))
    return done
