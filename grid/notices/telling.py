"""After an act: who is told what. Everything only waits here, in the transaction of the act."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from grid.model import Case
from grid.notices.model import AUDIENCES, words
from grid.notices.queries import enqueue, phones
from grid.options import GridOptions


def tell(
    conn: Connection,
    case: Case,
    act: str,
    title: str | None,
    area: str | None,
    step: Mapping[str, Any],
    deadline: datetime | None,
    options: GridOptions,
) -> None:
    """Let the messages of an act wait: to phones where the city sends any, and to the systems that listen."""
    notices = options.notices
    if notices.sms and act in AUDIENCES:
        receivers = phones(conn, AUDIENCES[act], case.department, area)
        said = words(act, case.code, title, deadline, options.clock.timezone)
        enqueue(conn, "sms", receivers, act, case.id, {"words": said})
    listening = [hook.url for hook in notices.webhooks if not hook.events or act in hook.events]
    if listening:
        facts = {"case": case.code, "id": case.id, "state": case.state, "department": case.department, "area": area}
        enqueue(conn, "webhook", listening, act, case.id, {"type": f"case.{act}", "data": {**facts, **step}})
