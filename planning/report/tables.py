"""The tables of a report: headings and rows, in its language."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from layers.catalogue import Text
from planning.check.answers import Conflict
from planning.layers import LINE_KINDS, REDLINE_STATES, ZONE_KINDS
from planning.publicity.summary import in_words
from planning.redline.transitions import TRANSITIONS
from planning.report.model import Report
from planning.survey.zones import PREFIX

SEVERITIES = {
    "blocking": Text("禁止", "Blocking"),
    "warning": Text("警告", "Warning"),
    "info": Text("提示", "Notice"),
}
VERDICTS = {
    "clear": Text("无冲突", "No conflict"),
    "warnings": Text("有警告", "Warnings"),
    "blocked": Text("有禁止性冲突，不得供地", "Blocking conflicts: not to be allocated"),
}
_KINDS = (
    LINE_KINDS
    | ZONE_KINDS
    | {
        "land-use": Text("用地性质", "Land use"),
        "unplanned": Text("无控规", "No plan"),
    }
)
_ACTIONS: dict[str, Text] = {transition.action: transition.title for transition in TRANSITIONS}


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; ``widths`` are shares of the sheet, ``align`` of L, C and R."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    align: tuple[str, ...]


def facts(report: Report, timezone: str) -> list[tuple[str, str]]:
    """What the report is about."""
    say, result = report.say, report.kept.result
    areas, line = result.areas, report.line
    hectares, mu = say(Text("公顷", "ha")), say(Text("亩", "mu"))
    rows = [
        (
            say(Text("检查编号", "Check")),
            f"{report.kept.id} · {moment(report.kept.at, timezone)} · {report.kept.actor}",
        ),
        (say(Text("结论", "Verdict")), say(VERDICTS[result.verdict])),
        (say(Text("面积", "Area")), f"{areas.plane:,.2f} m² = {areas.hectares:.4f} {hectares} = {areas.mu:,.2f} {mu}"),
        (say(Text("椭球面积", "Area on the ellipsoid")), f"{areas.ellipsoidal:,.2f} m²"),
        (say(Text("周长", "Perimeter")), f"{areas.perimeter:,.3f} m"),
        (
            say(Text("坐标系", "Coordinates")),
            f"CGCS2000 {report.zone.width}° {say(Text('带', 'zone'))} {report.zone.number} (EPSG:{report.zone.srid})",
        ),
        (say(Text("规划依据日", "Plan of")), result.on),
    ]
    if line is not None:
        state = say(REDLINE_STATES[line.status])
        rows[:0] = [
            (say(Text("红线编号", "Red line")), line.number),
            (say(Text("项目名称", "Project")), line.name or "—"),
        ]
        rows.append((say(Text("办理状态", "State")), state))
        rows.append((say(Text("用地代码", "Land code")), f"{line.land_code or '—'} ({line.scheme or '—'})"))
    return rows


def conflicts(report: Report) -> Table:
    """Every collision by clause."""
    say = report.say
    rows = tuple(
        (
            str(number), say(SEVERITIES[c.severity]), _kind(report, c), say(c.clause),
            " ".join(filter(None, (c.feature.name or c.feature.code, c.feature.version))) or "—",
            *((say(c.size), "—") if c.length else (f"{c.area:,.2f}", f"{c.share:.2%}")),
        )
        for number, c in enumerate(report.kept.result.conflicts, 1)
    )  # fmt: skip
    headings = (
        Text("序", "No"), Text("程度", "Severity"), Text("类别", "Kind"), Text("条款", "Clause"),
        Text("要素与版本", "Feature, version"), Text("面积 m²", "Area m²"), Text("占比", "Share"),
    )  # fmt: skip
    return Table(
        say(Text("冲突", "Conflicts")), tuple(map(say, headings)), rows, (0.5, 0.9, 1.3, 3.6, 2.1, 1.8, 0.9),
        ("C", "C", "L", "L", "L", "R", "R"),
    )  # fmt: skip


def plots(report: Report) -> Table:
    """Plots of the control plan within the parcel."""
    say = report.say
    rows = tuple(
        (
            p.plot or "—", f"{p.land_code or '—'} {p.land_use or ''}".strip(), _limit(p.far_max), _limit(p.density_max),
            _limit(p.green_min), _limit(p.height_max), f"{p.area:,.2f}", f"{p.share:.2%}",
        )
        for p in report.kept.result.plots
    )  # fmt: skip
    headings = (
        Text("地块", "Plot"), Text("用地性质", "Use"), Text("容积率≤", "FAR ≤"), Text("密度≤%", "Density ≤ %"),
        Text("绿地率≥%", "Green ≥ %"), Text("限高 m", "Height m"), Text("面积 m²", "Area m²"), Text("占比", "Share"),
    )  # fmt: skip
    return Table(
        say(Text("控规地块", "Plots of the control plan")), tuple(map(say, headings)), rows,
        (1.4, 2.2, 1, 1.1, 1.2, 1, 1.3, 1), ("L", "L", "R", "R", "R", "R", "R", "R"),
    )  # fmt: skip


def land_use(report: Report) -> Table:
    """What the ground is used for at present."""
    say = report.say
    rows = tuple(
        (u.code or "—", u.name or "—", f"{u.area:,.2f}", f"{u.share:.2%}") for u in report.kept.result.land_use
    )
    headings = (Text("代码", "Code"), Text("用途", "Use"), Text("面积 m²", "Area m²"), Text("占比", "Share"))
    return Table(
        say(Text("土地利用现状", "Present land use")),
        tuple(map(say, headings)),
        rows,
        (1, 3, 1.5, 1),
        ("L", "L", "R", "R"),
    )


def surroundings(report: Report) -> list[tuple[str, str]]:
    """Buildings, pipelines, roads, ground."""
    say, result = report.say, report.kept.result
    rows: list[tuple[str, str]] = []
    if (b := result.buildings) is not None:
        inside = Text(
            f"{b.count} 栋（界线穿过 {b.cut} 栋），基底 {b.footprint:,.0f} m²，"
            f"建筑面积 {b.floor_area:,.0f} m²，约 {b.people} 人",
            f"{b.count} ({b.cut} cut by the boundary), {b.footprint:,.0f} m² of ground, "
            f"{b.floor_area:,.0f} m² of floors, some {b.people} people",
        )
        rows.append((say(Text("建筑", "Buildings")), say(inside)))
    for crossed in result.crossed:
        name = report.title(crossed.layer, "kind", crossed.kind)
        rows.append((name, f"{crossed.count} · {crossed.length:,.1f} m" if crossed.length else str(crossed.count)))
    for road in result.access[:8]:
        name = road.name or road.road_class or "—"
        rows.append((say(Text("道路", "Road")), f"{name} · {road.distance:.1f} m"))
    if (g := result.ground) is not None:
        ground = Text(
            f"高程 {g.lowest:.1f}–{g.highest:.1f} m，平均坡度 {g.mean_slope:.1f}°，最陡 {g.steepest:.1f}°",
            f"{g.lowest:.1f} to {g.highest:.1f} m, mean slope {g.mean_slope:.1f}°, steepest {g.steepest:.1f}°",
        )
        rows.append((say(Text("地形", "Ground")), say(ground)))
    return rows


def coordinates(report: Report) -> Table:
    """The boundary points: survey X and Y with the zone number, and the way to the next [m]."""
    rows = []
    for parcel in report.parcels:
        offset = parcel.zone.number * PREFIX
        for number, ring in enumerate(parcel.rings, 1):
            for point, following in zip(ring, (*ring[1:], ring[0]), strict=True):
                away = math.hypot(following.north - point.north, following.east - point.east)
                east = point.east + offset
                rows.append(
                    (parcel.number, str(number), point.name, f"{point.north:.3f}", f"{east:.3f}", f"{away:.3f}")
                )
    headings = (
        Text("地块", "Parcel"), Text("圈", "Ring"), Text("点号", "Point"), Text("X (m)", "X (m)"),
        Text("Y (m)", "Y (m)"), Text("边长 (m)", "Side (m)"),
    )  # fmt: skip
    return Table(
        report.say(Text("界址点坐标", "Boundary points")), tuple(map(report.say, headings)), tuple(rows),
        (2.6, 0.6, 0.8, 1.6, 1.7, 1.2), ("L", "C", "C", "R", "R", "R"),
    )  # fmt: skip


def life(report: Report, timezone: str) -> Table:
    """The steps of the red line."""
    say = report.say
    rows = tuple(
        (
            moment(datetime.fromisoformat(s.at), timezone), say(_ACTIONS.get(s.action, Text(s.action, s.action))),
            say(REDLINE_STATES[s.after]), f"{s.actor} ({s.role})", s.opinion or "—", s.document or "—",
        )
        for s in report.steps
    )  # fmt: skip
    headings = (
        Text("时间", "When"), Text("步骤", "Step"), Text("状态", "State"), Text("经办", "By"), Text("意见", "Opinion"),
        Text("文号", "Document"),
    )  # fmt: skip
    return Table(
        say(Text("办理过程", "Course")), tuple(map(say, headings)), rows, (1.7, 1.2, 1.2, 1.6, 2.4, 2.2), ("L",) * 6
    )


def publicity(report: Report) -> list[tuple[str, str]]:
    """The notices of the red line, and what the public said of it."""
    rows = []
    for notice, counts in report.publicity:
        rows.append((notice.number, f"{notice.title} · {notice.begins} – {notice.ends}"))
        rows.append((report.say(Text("公众意见", "Comments")), report.say(in_words(counts))))
    return rows


def remarks(report: Report) -> Sequence[str]:
    """What could not be judged, what is missing, and what changed since."""
    result = report.kept.result
    found = [report.say(text) for text in (*result.unknown, *result.remarks)]
    if report.stale:
        names = ", ".join(report.title(change.layer) for change in report.stale)
        aged = Text(f"检查之后附近有变更，结论可能过时：{names}", f"changed nearby since the check: {names}")
        found.append(report.say(aged))
    return found


def moment(at: datetime, timezone: str) -> str:
    """A time as the city's clocks show it."""
    return at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")


def _kind(report: Report, conflict: Conflict) -> str:
    if conflict.subject == "redlines":  # whose kind is its state
        return report.title("redlines", "status", conflict.kind)
    return report.say(_KINDS[conflict.kind]) if conflict.kind in _KINDS else conflict.kind


def _limit(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"
