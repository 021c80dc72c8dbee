"""The sample year: cases as the real life cycle leaves them, the same for the same seed, with something to see."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from grid.cases.life_cycle import TRANSITIONS
from grid.clock.calendar import is_workday, working_time, years
from grid.evaluation.processes import evaluate
from grid.options import GridOptions
from grid.sample_year.kinds import kinds
from grid.sample_year.making import make_sample_year
from grid.sample_year.places import Spot
from grid.sample_year.year import year as year_of
from layers.database import Database
from tests.grid.conftest import COMMUNITY, OTHER

UNTIL = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CASES = 500


def _ground(conn: Connection) -> None:
    """Two communities, roads across them and addresses along these."""
    dice = random.Random(3)
    for code, west in ((COMMUNITY, 114.90), (OTHER, 114.905)):
        conn.execute(
            text("INSERT INTO city.admin_areas (geom, code, level, name, population) VALUES"
                 " (ST_Multi(ST_MakeEnvelope(:w, 30.40, :w + 0.005, 30.405, 4490)), :code, 'community', :code, 1400)"),
            {"w": west, "code": code},
        )  # fmt: skip
    for n in range(4):
        y = 30.4005 + n * 0.0013
        conn.execute(
            text("INSERT INTO city.roads (geom, name, class) VALUES"
                 " (ST_SetSRID(ST_MakeLine(ST_MakePoint(114.9, :y), ST_MakePoint(114.91, :y)), 4490), :n, 'tertiary')"),
            {"y": y, "n": f"第{n}路"},
        )  # fmt: skip
        conn.execute(
            text("INSERT INTO city.addresses (geom, address, road, number) VALUES"
                 " (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :a, :a, '1号')"),
            [{"x": 114.9 + 0.01 * dice.random(), "y": y + 0.0001, "a": f"第{n}路{k}号"} for k in range(30)],
        )  # fmt: skip


@pytest.fixture(scope="module")
def year(database: Database) -> Iterator[Connection]:
    """The owner's connection over such a year; rolled back."""
    with database.engine.connect() as conn:
        transaction = conn.begin()
        _ground(conn)
        made = make_sample_year(conn, GridOptions(), 4547, CASES, 7, UNTIL)
        assert made["cases"] > 0.9 * CASES and made["grid-cells"] > 20
        yield conn
        transaction.rollback()


def _cases(conn: Connection) -> list[Any]:
    return list(conn.execute(text("SELECT *, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM city.cases ORDER BY id")))


def test_every_counter_is_the_recount_of_its_steps_and_every_step_a_row_of_the_life_cycle(year: Connection) -> None:
    steps: dict[int, list[Any]] = {}
    for step in year.execute(text("SELECT * FROM grid.steps ORDER BY id")):
        steps.setdefault(step.case_id, []).append(step)
    rows = {
        (state, row.act, row.to or state, role) for row in TRANSITIONS for state in row.states for role in row.roles
    }
    names = ("dispatch", "return", "rework", "extend", "urge")
    for case in _cases(year):
        own = steps.pop(case.id)
        assert own[0].act == "report" and own[-1].to_state == case.state
        assert all(later.from_state == earlier.to_state for earlier, later in zip(own, own[1:], strict=False))
        assert [one.at for one in own] == sorted(one.at for one in own) and own[-1].at <= UNTIL
        acted = [one for one in own if one.role != "reporter"]
        assert all((one.from_state, one.act, one.to_state, one.role) in rows for one in acted)
        said = Counter(one.act for one in own)
        counters = (case.dispatches, case.returns, case.reworks, case.extensions, case.urges)
        assert counters == tuple(said[name] for name in names)
        assert case.reports == 1 + said["report-again"] and case.clock_round == said["dispatch"] + said["extend"]
        assert case.escalation <= 3 and (case.supervised or not said["supervise"])
    assert not steps


def test_cases_are_where_the_layer_would_have_located_them(year: Connection) -> None:
    wrong = year.execute(
        text("SELECT count(*), count(*) FILTER (WHERE c.area_code IS DISTINCT FROM l.area_code"
             " OR c.social_grid IS DISTINCT FROM l.social_grid OR c.place IS DISTINCT FROM grid.place_at(c.geom)),"
             " count(*) FILTER (WHERE c.grid IS DISTINCT FROM l.grid) FROM city.cases c, LATERAL grid.locate(c.geom) l")
    ).one()  # fmt: skip
    assert wrong[1] <= 0.06 * wrong[0] and wrong[2] <= 0.06 * wrong[0]  # a metre aside another house may be nearer
    assert (
        year.exec_driver_sql("SELECT count(*) FROM city.cases WHERE title <> class_name || ' ' || place").scalar() == 0
    )


def test_clocks_are_those_of_the_database_and_what_is_open_is_recent(year: Connection) -> None:
    """The same deadline, worked out in SQL; nothing that ended runs."""
    running = (
        "grid.clock_instant(limit_unit, grid.clock_position(limit_unit, running_since) + limit_seconds - used_seconds)"
    )
    facts = year.execute(
        text(f"""
            SELECT count(*) FILTER (WHERE running_since IS NOT NULL AND closed_at IS NOT NULL),
                   count(*) FILTER (WHERE running_since IS NOT NULL AND deadline IS DISTINCT FROM {running}),
                   count(*) FILTER (WHERE closed_at IS NULL), min(reported_at) FILTER (WHERE closed_at IS NULL),
                   count(*) FILTER (WHERE state = 'closed' AND used_seconds > limit_seconds),
                   count(*) FILTER (WHERE state = 'closed')
            FROM city.cases""")
    ).one()
    assert facts[:2] == (0, 0) and 0 < facts[2] < 0.1 * CASES and UNTIL - facts[3] < timedelta(days=90)
    assert 0.01 < facts[4] / facts[5] < 0.25


def test_seasons_and_days_off_are_seen(year: Connection) -> None:
    found = _cases(year)
    patrol = Counter(
        is_workday(one.reported_at.date(), GridOptions().clock) for one in found if one.channel == "patrol"
    )
    assert patrol[True] > 3 * patrol[False]
    assert {one.reported_at.month for one in found if one.class_name == "道路积雪结冰"} <= {1, 2, 11, 12}
    assert {one.state for one in found} >= {"closed", "declined", "self-handled", "void"}
    assert all(one.duplicate_of for one in found if one.state == "void")


def test_the_year_evaluates(year: Connection) -> None:
    begin, end = datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    found = evaluate(year, GridOptions(), begin, end, ("department",))
    assert found.total.counts["reported"].cases == len(_cases(year)) and len(found.rows) > 5
    assert 0.5 < (found.total.indicators["handling-on-time-rate"] or 0) <= 1


def test_the_same_seed_tells_the_same_year() -> None:
    options = GridOptions()
    line = working_time(options.clock, *years(UNTIL.date()))
    where = [Spot(114.9 + n / 1000, 30.4, None, None, COMMUNITY, None, "路口", "w") for n in range(20)]
    told = [year_of(where, kinds(), 80, UNTIL, random.Random(seed), line, options) for seed in (7, 7, 8)]
    assert told[0] == told[1] != told[2]
