"""规划版本 versions of a plan: a draft is approved and supersedes the version before it; two are compared."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from layers.catalogue import Layer
from layers.features import RowDenied
from layers.registry import find_layer
from layers.tables import quoted
from planning.errors import PlanningConflict, PlanningError

#: Layers that are kept by versions.
VERSIONED = ("control-plan", "control-lines", "open-control-lines", "control-zones")
#: Fields of a plot that a comparison looks at.
INDICES = ("scheme", "land_code", "far_max", "far_min", "density_max", "green_min", "height_max", "parking_min")
#: Most plots and transitions of a comparison that are told one by one.
MOST = 2000


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval did in one layer."""

    layer: str
    approved: int
    superseded: int


@dataclass(frozen=True, slots=True)
class Transition:
    """Ground [m², ellipsoid] that was planned for one use and is planned for another; None: not planned."""

    before: str | None
    after: str | None
    area: float


@dataclass(frozen=True, slots=True)
class PlotChange:
    """An index of a plot that differs."""

    plot: str
    index: str
    before: str | float | None
    after: str | float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions: their areas [m²], the ground that changed its use, and plots by what became of them."""

    before_area: float
    after_area: float
    unchanged_area: float
    changed_area: float
    transitions: tuple[Transition, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    plots: tuple[PlotChange, ...]
    plots_changed: int
    truncated: bool


def approve_version(conn: Connection, plan: str, version: str, basis: str, on: date) -> tuple[Approved, ...]:
    """Approve the draft of a version in every layer that has it; the approved one before it is superseded on that day.

    Raises :class:`PlanningConflict` where there is no draft, and :class:`layers.features.RowDenied`.
    """
    done = []
    for name in VERSIONED:
        table = quoted("city", find_layer(conn, name).table)
        values = {"plan": plan, "version": version, "on": on, "basis": basis}
        drafts = conn.execute(
            text(f"SELECT count(*) FROM {table} WHERE plan = :plan AND version = :version AND status = 'draft'"), values
        ).scalar_one()
        if not drafts:
            continue
        superseded = conn.execute(
            text(f"""UPDATE {table} SET status = 'superseded', superseded_on = :on
                     WHERE plan = :plan AND status = 'approved' AND version <> :version"""), values
        ).rowcount  # fmt: skip
        approved = conn.execute(
            text(f"""UPDATE {table} SET status = 'approved', approved_on = :on, superseded_on = NULL, basis = :basis
                     WHERE plan = :plan AND version = :version AND status = 'draft'"""), values
        ).rowcount  # fmt: skip
        if approved != drafts:
            raise RowDenied(f"{drafts - approved} features of {name} are not yours to approve")
        done.append(Approved(name, approved, superseded))
    if not done:
        raise PlanningConflict(
            f"规划 {plan} 没有版本 {version} 的草案", f"plan {plan!r} has no draft of version {version!r}"
        )
    return tuple(done)


def compare_versions(conn: Connection, plan: str, before: str, after: str) -> Comparison:
    """Compare two versions of the control plan. Raises :class:`PlanningError` for a version that there is not."""
    layer = find_layer(conn, "control-plan")
    for version in (before, after):
        found = conn.execute(
            text(f"SELECT 1 FROM {quoted('city', layer.table)} WHERE plan = :plan AND version = :version LIMIT 1"),
            {"plan": plan, "version": version},
        ).first()
        if found is None:
            raise PlanningError(f"规划 {plan} 没有版本 {version}", f"plan {plan!r} has no version {version!r}")
    values = {"plan": plan, "before": before, "after": after}
    areas, transitions = _ground(conn, layer, values)
    added, removed, plots = _plots(conn, layer, values)
    same = sum(t.area for t in transitions if t.before == t.after)
    changed = [t for t in transitions if t.before != t.after]
    return Comparison(
        *areas, round(same, 2), round(sum(t.area for t in changed), 2), tuple(changed[:MOST]), tuple(added[:MOST]),
        tuple(removed[:MOST]), tuple(plots[:MOST]), len({p.plot for p in plots}),
        max(len(changed), len(added), len(removed), len(plots)) > MOST,
    )  # fmt: skip


def _ground(conn: Connection, layer: Layer, values: dict[str, str]) -> tuple[tuple[float, float], list[Transition]]:
    """Areas on the ellipsoid of both versions, and of every pair of uses; ground that one of them lacks has None."""
    table = quoted("city", layer.table)
    rows = conn.execute(
        text(f"""
            WITH old AS MATERIALIZED (SELECT land_code, geom FROM {table} WHERE plan = :plan AND version = :before),
            new AS MATERIALIZED (SELECT land_code, geom FROM {table} WHERE plan = :plan AND version = :after)
            SELECT o.land_code AS before, n.land_code AS after,
                sum(ST_Area(ST_CollectionExtract(ST_Intersection(o.geom, n.geom), 3)::geography)) AS area
            FROM old o JOIN new n ON ST_Intersects(o.geom, n.geom) GROUP BY 1, 2"""),
        values,
    ).all()
    totals = conn.execute(
        text(f"""SELECT version, land_code, sum(ST_Area(geom::geography)) AS area FROM {table}
                 WHERE plan = :plan AND version IN (:before, :after) GROUP BY 1, 2"""),
        values,
    ).all()
    found = [Transition(row.before, row.after, round(row.area, 2)) for row in rows if row.area > 0.5]
    for total in totals:
        old = total.version == values["before"]
        met = sum(row.area for row in rows if (row.before if old else row.after) == total.land_code)
        if total.area - met > 0.5:
            code, rest = total.land_code, round(total.area - met, 2)
            found.append(Transition(code, None, rest) if old else Transition(None, code, rest))
    areas = [round(sum(t.area for t in totals if t.version == values[name]), 2) for name in ("before", "after")]
    return (areas[0], areas[1]), sorted(found, key=lambda t: (-t.area, t.before or "", t.after or ""))


def _plots(conn: Connection, layer: Layer, values: dict[str, str]) -> tuple[list[str], list[str], list[PlotChange]]:
    """Plots that one version has only, and indices of the others that differ."""
    indices = [name for name in INDICES if layer.field(name)]
    columns = ", ".join(f"o.{name} AS before_{name}, n.{name} AS after_{name}" for name in indices)
    table = quoted("city", layer.table)
    rows = conn.execute(
        text(f"""
            SELECT coalesce(o.plot, n.plot) AS plot, o.plot AS before, n.plot AS after, {columns}
            FROM (SELECT DISTINCT ON (plot) * FROM {table} WHERE plan = :plan AND version = :before ORDER BY plot, id) o
            FULL JOIN (SELECT DISTINCT ON (plot) * FROM {table} WHERE plan = :plan AND version = :after
                       ORDER BY plot, id) n USING (plot) WHERE plot IS NOT NULL ORDER BY plot"""),
        values,
    ).mappings()
    added, removed, changes = [], [], []
    for row in rows:
        if row["before"] is None:
            added.append(row["plot"])
        elif row["after"] is None:
            removed.append(row["plot"])
        else:
            pairs = ((name, row[f"before_{name}"], row[f"after_{name}"]) for name in indices)
            changes += [PlotChange(row["plot"], name, old, new) for name, old, new in pairs if old != new]
    return added, removed, changes
