"""Takes red lines through their life: what each step of the table needs, checked and done in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from layers.access import Principal
from layers.raster.store import RasterStore
from planning.check.answers import Checked
from planning.check.check import check
from planning.check.inputs import of_redline
from planning.check.store import changes_since, keep, latest_check
from planning.check.subject import Wishes
from planning.errors import PlanningConflict, PlanningError, StepNotAllowed
from planning.options import PlanningOptions
from planning.publicity.writing import publish
from planning.redline.reading import RedLine, find_redline
from planning.redline.transitions import Action, Transition, require_opinion, step
from planning.redline.writing import Signed, give_out_alone, move, next_number, register
from planning.survey.parcel import Parcel

#: Who enters applications.
APPLYING = ("planning-clerk", "planner")


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever acts, on which connection, with the city's options."""

    conn: Connection
    store: RasterStore
    principal: Principal
    options: PlanningOptions

    @property
    def account(self) -> str:
        """The account that signs. Raises :class:`StepNotAllowed` for nobody."""
        if self.principal.account is None:
            raise StepNotAllowed("请先登录", "sign in first: a step is signed")
        return self.principal.account

    def role(self, roles: Sequence[str], what: str) -> str:
        """The one of these roles that the account has. Raises :class:`StepNotAllowed`."""
        found = next((role for role in roles if role in self.principal.roles), None)
        if found is None:
            raise StepNotAllowed(f"须由 {'、'.join(roles)} 办理", f"{what} is for the role {' or '.join(roles)}")
        return found


def apply(desk: Desk, parcels: Sequence[Parcel], facts: dict[str, Any], opinion: str) -> RedLine:
    """Enter an application. With ``parents`` in the facts it is the adjustment of red lines that are given out."""
    signed = Signed(desk.account, desk.role(APPLYING, "an application"), opinion)
    for number in facts.get("parents") or ():
        step("replace", find_redline(desk.conn, number).status, ("planning-approver",))
    return register(desk.conn, desk.options, parcels, facts, signed, "adjust" if facts.get("parents") else "apply")


def advance(
    desk: Desk, number: str, action: Action, opinion: str, given: dict[str, Any], revision: int | None = None
) -> None:
    """Take a step that gives out no ground. ``given``: conditions, and what a publicity says."""
    line = find_redline(desk.conn, number, lock=True, revision=revision)
    transition, role = step(action, line.status, desk.principal.roles)
    require_opinion(transition, opinion)
    today = desk.options.today()
    checked = _look(desk, line) if "looked" in transition.needs else None
    if "overdue" in transition.needs:
        _require_overdue(line, today)
    if "current" in transition.needs:
        _require_current(line, today)
    changes: dict[str, Any] = {}
    if "conditions" in transition.needs:
        changes["conditions"] = _required(given.get("conditions"), "conditions", "规划条件")
    if action == "publicise":
        publish(desk.conn, desk.options, line, _required(given.get("publicity"), "publicity", "公示内容"))
    _move(desk, line, transition, Signed(desk.account, role, opinion, check=checked), today, changes)


def allocate(desk: Desk, number: str, opinion: str, revision: int | None = None) -> tuple[int, Checked]:
    """Approve a red line: its ground is given out. Returns the check that it rests on.

    From here to the end of the transaction nobody else gives out ground, so two officers cannot approve overlapping
    lines. Raises :class:`PlanningConflict` where a blocking conflict is open.
    """
    give_out_alone(desk.conn)
    line = find_redline(desk.conn, number, lock=True, revision=revision)
    transition, role = step("approve", line.status, desk.principal.roles)
    today = desk.options.today()
    _require_current(line, today)
    _require_notice(desk.conn, line, today)
    kept, result = _check(desk, line)
    if result.blocking:
        raise PlanningConflict(*_open_conflicts(line, result))
    for parent in line.parents:
        replace(desk, find_redline(desk.conn, parent, lock=True), role, line.number)
    _move(desk, line, transition, Signed(desk.account, role, opinion, check=kept), today, {"approved_on": today})
    return kept, result


def replace(desk: Desk, line: RedLine, role: str, by: str) -> None:
    """Let a red line be replaced by another."""
    transition, _ = step("replace", line.status, (role,))
    move(desk.conn, line, transition.action, transition.after, Signed(desk.account, role, f"变更为 {by}"))


def _move(desk: Desk, line: RedLine, to: Transition, signed: Signed, today: date, changes: dict[str, Any]) -> None:
    if to.series is not None:
        number = next_number(desk.conn, desk.options, to.series, today)
        signed = Signed(signed.actor, signed.role, signed.opinion, number, signed.check)
    if to.term:
        changes = changes | {"expires_on": desk.options.valid_until(to.after, today)}
    move(desk.conn, line, to.action, to.after, signed, **changes)


def _look(desk: Desk, line: RedLine) -> int:
    """The newest check of the red line. Raises :class:`PlanningConflict` where there is none, or it is stale."""
    found = latest_check(desk.conn, line.id)
    if found is None:
        raise PlanningConflict(
            "预审前须先检查（check-redline）", "the red line was never checked: run check-redline first"
        )
    stale = ", ".join(change.layer for change in changes_since(desk.conn, found) if change.layer != "redlines")
    if stale:
        raise PlanningConflict(
            f"检查之后 {stale} 有变更，请重新检查", f"{stale} changed since the check: run check-redline again"
        )
    return found


def _check(desk: Desk, line: RedLine) -> tuple[int, Checked]:
    subject = of_redline(line, desk.options.today(), desk.options.tolerance)
    wishes = Wishes()
    result = check(desk.conn, desk.store, subject, wishes)
    return keep(desk.conn, subject, wishes, line.id, result), result


def _open_conflicts(line: RedLine, result: Checked) -> tuple[str, str]:
    found = [conflict for conflict in result.conflicts if conflict.severity == "blocking"]
    zh = "；".join(f"{c.clause.zh}（{c.size.zh}）" for c in found[:5])
    en = "; ".join(f"{c.clause.en} ({c.size.en})" for c in found[:5])
    return f"{line.number} 有 {len(found)} 处未消除的冲突：{zh}", f"{line.number} has {len(found)} open conflicts: {en}"


def _require_notice(conn: Connection, line: RedLine, today: date) -> None:
    ends = conn.execute(
        text("SELECT max(ends) FROM city.notices WHERE redline = :number"), {"number": line.number}
    ).scalar()
    if ends is None or ends >= today:
        until = f"（至 {ends}）" if ends else ""
        raise PlanningConflict(f"公示期未满{until}", f"the publicity has not ended ({ends or 'there was none'})")
    waiting = conn.execute(
        text("""SELECT count(*) FROM city.notice_comments c JOIN city.notices n ON n.number = c.notice
                WHERE n.redline = :number AND c.status = 'pending'"""),
        {"number": line.number},
    ).scalar_one()
    if waiting:
        raise PlanningConflict(
            f"公示收到的意见还有 {waiting} 条未审核", f"{waiting} comments wait: decide on them first"
        )


def _require_overdue(line: RedLine, today: date) -> None:
    term = line.facts["expires_on"]
    if term is None or term >= today:
        raise PlanningConflict(f"有效期至 {term}，尚未到期", f"the red line is valid until {term}")


def _require_current(line: RedLine, today: date) -> None:
    """What has run out carries no further step: neither an approval on old conditions, nor a permit on an old one."""
    term = line.facts["expires_on"]
    if term is not None and term < today:
        raise PlanningConflict(
            f"{line.number} 的有效期至 {term}，已过期：请办理到期（expire），或退回、重新申请",
            f"{line.number} was valid until {term}: let it expire, or return it and apply anew",
        )


def _required(value: Any, name: str, zh: str) -> Any:
    if not value:
        raise PlanningError(f"须给出{zh}（{name}）", f"input {name!r} is needed for this step")
    return value
