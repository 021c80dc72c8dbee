"""The questions of a site selection: candidates, and the distance of each to the nearest feature of a layer."""

import math
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, Layer
from layers.registry import load_layers, note_reads
from layers.tables import quoted
from planning.check.queries import IN_FORCE
from planning.errors import PlanningError
from planning.siting.model import Criterion, Limit

#: Most candidates of one selection.
MAX_CANDIDATES = 3000


def candidates(
    conn: Connection, layer: Layer, codes: tuple[str, ...], areas: tuple[float, float], within: bytes | None, on: date
) -> list[Any]:
    """Areas of a layer by land code (any that begins so), size [m², ellipsoid] and place; of a plan those in force."""
    code = next((name for name in ("land_code", "code") if layer.field(name)), None)
    if codes and code is None:
        raise PlanningError(f"图层 {layer.id} 没有用地代码", f"layer {layer.id!r} has no field of land codes")
    title = layer.title_field
    wanted = [IN_FORCE] if layer.field("approved_on") else []
    if codes:
        begins = f"starts_with(n.{quoted(code or '')}, c)"
        wanted.append(f"EXISTS (SELECT FROM unnest(CAST(:codes AS text[])) AS c WHERE {begins})")
    if within:
        wanted.append("ST_CoveredBy(n.geom, ST_GeomFromWKB(:within, 4490))")
    columns = f"{f'n.{quoted(title)}' if title else 'NULL'}::text AS name"
    columns += f", {f'n.{quoted(code)}' if code else 'NULL'}::text AS land_code"
    statement = (
        f"SELECT n.id, {columns}, a.area, ST_AsBinary(n.geom) AS shape FROM {quoted('city', layer.table)} AS n,"
        " LATERAL (SELECT ST_Area(n.geom::geography) AS area) AS a"
        f" WHERE {' AND '.join([*wanted, 'a.area BETWEEN :least AND :most'])} ORDER BY n.id LIMIT {MAX_CANDIDATES + 1}"
    )
    values = {"codes": list(codes), "least": areas[0], "most": areas[1], "within": within, "on": on}
    rows = conn.execute(text(statement), _used(statement, values)).all()
    if len(rows) > MAX_CANDIDATES:
        raise PlanningError(
            f"候选地块超过 {MAX_CANDIDATES} 个，请缩小范围或加条件",
            f"more than {MAX_CANDIDATES} candidates; ask for less",
        )
    return list(rows)


def distances(
    conn: Connection, of: Layer, ids: list[int], wish: Limit | Criterion, layer: Layer, on: date
) -> dict[int, float]:
    """Metres on the ellipsoid from each candidate to the nearest feature, of those that one lies within reach of."""
    if layer.srid != CGCS2000 or of.srid != CGCS2000:
        raise PlanningError(f"图层 {layer.id} 不是经纬度存储", f"layer {layer.id!r} is not stored in degrees")
    conditions = ["n.geom && ST_Expand(c.geom, :dx, :dy)"]
    if layer.field("approved_on"):
        conditions.append(IN_FORCE)
    if wish.field is not None:
        if layer.field(wish.field) is None:
            raise PlanningError(
                f"图层 {layer.id} 没有字段 {wish.field}", f"layer {layer.id!r} has no field {wish.field!r}"
            )
        conditions.append(f"n.{quoted(wish.field)}::text = :value")
    statement = (
        "SELECT c.id, min(ST_Distance(c.geom::geography, n.geom::geography)) AS metres"
        f" FROM {quoted('city', of.table)} AS c JOIN {quoted('city', layer.table)} AS n"
        f" ON {' AND '.join(conditions)} WHERE c.id = ANY (:ids) AND (n.id <> c.id OR :other) GROUP BY c.id"
    )
    values = {"ids": ids, "value": wish.value, "other": layer.id != of.id, "on": on, **_expansion(wish.reach)}
    rows = conn.execute(text(statement), _used(statement, values)).all()
    return {row.id: float(row.metres) for row in rows if row.metres <= wish.reach}


def usable(conn: Connection, names: set[str]) -> dict[str, Layer]:
    """The layers by id. Raises :class:`PlanningError` for one that is absent or not the principal's to see."""
    layers = load_layers(conn, names)
    missing = sorted(name for name in names if name not in layers or layers[name].kind != "vector")
    if missing:
        raise PlanningError(f"没有图层 {missing[0]}", f"there is no layer {missing[0]!r}")
    note_reads(conn, *layers.values())
    return layers


def _expansion(metres: float) -> dict[str, float]:
    """Degrees that hold so many metres anywhere in China (3° to 54° N), with a margin."""
    return {"dx": metres / (111_000 * math.cos(math.radians(54.0))) + 1e-6, "dy": metres / 110_000 + 1e-6}


def _used(statement: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}
