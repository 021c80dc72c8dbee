"""check-redline: a 5 ha parcel in a city with 50 000 planned plots and 20 000 control lines, against its own SQL alone
and against the same questions answered by geopandas."""

import time
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection, event, text

from benchmarks.bench import Bench
from planning.check.check import check
from planning.check.pieces import Tolerance
from planning.check.subject import Subject, Wishes
from planning.plan.land_codes import LandCode
from planning.survey.zones import Zone

PLOTS, LINES = 50_000, 20_000
_CENTRE = (586_489.034, 3_364_799.485)
_IN_FORCE = "'规划', '2024', 'approved', date '2024-01-01'"
_FILL = (
    f"""INSERT INTO city.control_plan (geom, plot, code, scheme, land_code, plan, version, status, approved_on)
    SELECT ST_Multi(ST_Transform(ST_MakeEnvelope(x + i * 100 + 5, y + j * 100 + 5, x + i * 100 + 95, y + j * 100 + 95, 4547), 4490)),
        'B' || i || '-' || j, 'B' || i || '-' || j, '2023', (ARRAY['070102', '0901', '1401', '100101'])[1 + (i * 7 + j) % 4], {_IN_FORCE}
    FROM (SELECT :x - 12500 AS x, :y - 10000 AS y) o, generate_series(0, 249) i, generate_series(0, 199) j""",
    f"""INSERT INTO city.control_lines (geom, kind, name, code, plan, version, status, approved_on)
    SELECT ST_Multi(ST_Transform(ST_Buffer(ST_SetSRID(ST_MakePoint(x + (i % 200) * 125 + (i * 37 % 90), y + (i / 200) * 200 + (i * 53 % 140)), 4547), 15 + i % 40), 4490)),
        (ARRAY['road', 'green', 'blue', 'purple', 'yellow'])[1 + i % 5], 'K' || i, 'K' || i, {_IN_FORCE}
    FROM (SELECT :x - 12500 AS x, :y - 10000 AS y) o, generate_series(0, 19999) i""",
)


def piece(bench: Bench) -> list[str]:
    """The lines of the page."""
    with bench.database.engine.connect() as conn, conn.begin() as transaction:
        conn.execute(text("DELETE FROM city.control_plan"))
        conn.execute(text("DELETE FROM city.control_lines"))
        for statement in _FILL:
            conn.execute(text(statement), {"x": _CENTRE[0], "y": _CENTRE[1]})
        for table in ("control_plan", "control_lines"):
            conn.exec_driver_sql(f"ANALYZE city.{table}")
        subjects = _subjects(40 * bench.rounds)
        check(conn, None, subjects[0], Wishes())
        ours, bare = _side_by_side(conn, subjects)
        peer = _geopandas(conn, subjects[: 10 * bench.rounds])
        begun = time.perf_counter()
        for subject in _subjects(1000):
            check(conn, None, subject, Wishes())
        batch = time.perf_counter() - begun
        buildings = conn.execute(text("SELECT count(*) FROM city.buildings")).scalar_one()
        transaction.rollback()
    return [
        "## Red-line check",
        "",
        f"A parcel of 5 ha against {buildings} buildings, {PLOTS} plots, {LINES} control lines, land use, pipelines, roads [ms].",
        "",
        "| | median | p95 | against ours |",
        "|---|---|---|---|",
        _row("check-redline", ours, ours),
        _row("its SQL alone", bare, ours),
        _row("geopandas, the layers in memory, lines + plan + buildings only", peer, ours),
        "",
        f"1 000 parcels one after the other: {batch:.1f} s.",
    ]


def _subjects(count: int) -> list[Subject]:
    rng = np.random.default_rng(count)
    places = rng.uniform(-3000, 3000, (count, 2)) + _CENTRE
    half = 50_000**0.5 / 2
    shapes = [shapely.box(x - half, y - half, x + half, y + half) for x, y in places]
    return [Subject(shape, Zone(38), LandCode("2023", "0901"), date(2026, 1, 1), Tolerance()) for shape in shapes]


def _times(call: Callable[[Subject], Any], subjects: list[Subject]) -> list[float]:
    found = []
    for subject in subjects:
        begun = time.perf_counter()
        call(subject)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _side_by_side(conn: Connection, subjects: list[Subject]) -> tuple[list[float], list[float]]:
    """Checks, and the statements that each sends, sent again by the driver alone; in turns, since the machine is shared."""
    ours, bare = [], []
    raw: Any = conn.connection.driver_connection
    for subject in subjects:
        sent: list[tuple[str, Any]] = []

        def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any, sent: list[Any] = sent) -> None:
            sent.append((statement, values))

        event.listen(conn, "before_cursor_execute", note)
        check(conn, None, subject, Wishes())
        event.remove(conn, "before_cursor_execute", note)
        ours += _times(lambda s: check(conn, None, s, Wishes()), [subject])
        begun = time.perf_counter()
        with raw.cursor() as cursor:
            for statement, values in sent:
                cursor.execute(statement, values)
                cursor.fetchall()
        bare.append((time.perf_counter() - begun) * 1000)
    return ours, bare


def _geopandas(conn: Connection, subjects: list[Subject]) -> list[float]:
    """Overlays in memory with spatial indexes; reading the layers is not counted."""

    def read(table: str, columns: str) -> gpd.GeoDataFrame:
        rows = conn.execute(text(f"SELECT ST_AsBinary(geom), {columns} FROM city.{table}")).all()
        shapes = shapely.from_wkb([bytes(row[0]) for row in rows])
        return gpd.GeoDataFrame({"value": [row[1] for row in rows]}, geometry=shapes, crs=4490).to_crs(4547)

    layers = [read("control_lines", "kind"), read("control_plan", "land_code"), read("buildings", "floors")]
    for layer in layers:
        assert layer.sindex is not None

    def overlay(subject: Subject) -> None:
        parcel = gpd.GeoDataFrame(geometry=[subject.shape], crs=4547)
        for layer in layers:
            near = layer.iloc[layer.sindex.query(subject.shape.buffer(15), predicate="intersects")]
            gpd.overlay(near, parcel, how="intersection")
        gpd.overlay(parcel, layers[1].iloc[layers[1].sindex.query(subject.shape)], how="difference")

    return _times(overlay, subjects)


def _row(name: str, times: list[float], ours: list[float]) -> str:
    p95 = float(np.percentile(times, 95))
    return f"| {name} | {median(times):.1f} | {p95:.1f} | {median(times) / median(ours):.2f}× |"
