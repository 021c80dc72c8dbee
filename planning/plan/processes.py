"""Processes on the plan itself: approval of a version, comparison of two."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.processing import process
from planning.errors import StepNotAllowed
from planning.options import PlanningOptions
from planning.plan.versions import Approved, Comparison

_Text = Annotated[str, Field(min_length=1, max_length=200)]
#: Who approves a plan.
_APPROVER = "planning-approver"


@process(
    edits=True,
    keywords=("控规 control plan", "版本 version", "批准 approval"),
    example={"plan": "示范市中心城区控规", "version": "2026", "basis": "市政函〔2026〕1号"},
)
def approve_plan(
    conn: Connection, principal: Principal, options: PlanningOptions, plan: _Text, version: _Text, basis: _Text
) -> tuple[Approved, ...]:
    """批准规划版本 | Approve a version of a plan

    把一个版本的草案（控规地块、控制线、控制区）批准生效，原版本同日被替代；按日期仍可查原版本。 | Approves the draft of
    a version in control plan, lines and zones; the version before it is superseded on the same day, and stays to be
    asked for by date.

    plan: 规划 | Plan
    version: 版本 | Version
    basis: 批准文号 | Decision by which it is approved
    returns: 各图层批准与替代的要素数 | Features approved and superseded, by layer
    """
    from planning.plan.versions import approve_version

    if _APPROVER not in principal.roles:
        raise StepNotAllowed(f"须由 {_APPROVER} 办理", f"to approve a plan is for the role {_APPROVER}")
    return approve_version(conn, plan, version, basis, options.today())


@process(
    keywords=("控规 control plan", "版本比较 comparison"),
    example={"plan": "示范市中心城区控规", "before": "2019", "after": "2024"},
)
def compare_plans(conn: Connection, plan: _Text, before: _Text, after: _Text) -> Comparison:
    """比较规划版本 | Compare versions of a plan

    两个版本之间用途变更的用地（按原用途与新用途分列，椭球面积）、增减的地块、指标变化。 | Ground that changed its use,
    by old and new use (area on the ellipsoid), plots that came and went, and indices that differ.

    plan: 规划 | Plan
    before: 原版本 | Version before
    after: 新版本 | Version after
    returns: 比较结果 | The comparison
    """
    from planning.plan.versions import compare_versions

    return compare_versions(conn, plan, before, after)
