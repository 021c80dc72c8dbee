"""Every number and indicator against pandas, and every number's filter lists as many cases."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from grid.errors import GridError
from grid.evaluation.model import periods
from grid.evaluation.options import COUNTS, INDICATORS
from grid.evaluation.processes import Row, evaluate
from grid.options import GridOptions
from layers.access import Principal
from layers.cql2 import parse
from layers.query import FeatureQuery, Filter, count_statement
from layers.registry import find_layer
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, act_as_owner, principal_of

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN, END = datetime(2026, 1, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE)
STATES = ("reported", "accepted", "filed", "dispatched", "handling", "suspended", "handled", "checked", "closed",
          "declined", "self-handled", "void")  # fmt: skip
CASES = 400


def _case(dice: random.Random) -> dict[str, Any]:
    """A case that went some way; times one after the other, some late."""
    at = BEGIN + timedelta(minutes=dice.randrange(181 * 24 * 60))
    state = dice.choice(STATES)
    reach = STATES.index(state) if state not in STATES[9:] else dice.choice((0, 1, 2, 3))

    def after(hours: float) -> datetime:
        nonlocal at
        at += timedelta(hours=dice.uniform(0.1, hours))
        return at

    found: dict[str, Any] = {
        "state": state, "reported_at": at, "channel": dice.choice(("patrol", "hotline", "open311")), "class": dice.choice(("0102", "0103", "0201")),
        "area_code": dice.choice((COMMUNITY, OTHER, COMMUNITY[:9], None, "429702003001")), "reworks": dice.choice((0, 0, 0, 1)),
        "department": dice.choice(("sanitation", "water", "园林'局")) if reach >= 3 else None, "extensions": dice.choice((0, 0, 1)),
        "social_grid": dice.choice((COMMUNITY + "01", None)), "grid": dice.choice((COMMUNITY + "001", None)), "returns": dice.choice((0, 0, 2)),
    }  # fmt: skip
    if reach >= 1:
        found["accepted_at"] = after(5)
        found["filing_due"] = at + timedelta(hours=dice.uniform(0, 5))
    if reach >= 2:
        found["filed_at"] = after(5)
        found |= {"limit_seconds": 14400, "limit_unit": "work-hours"}
    if reach >= 3:
        found["dispatched_at"] = after(5)
        found["used_seconds"] = dice.randrange(30_000)
    if state in ("dispatched", "handling"):
        found["deadline"] = datetime.now(UTC) + timedelta(hours=dice.uniform(-50, 50))
    if reach >= 6:
        found["handled_at"] = after(50)
        found["check_due"] = at + timedelta(hours=dice.uniform(0, 10))
    if reach >= 7:
        found["checked_at"] = after(12)
    if state in ("closed", "declined", "self-handled", "void"):
        found["closed_at"] = after(5)
    return found


def enter(conn: Connection, cases: list[dict[str, Any]]) -> list[int]:
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    ids = []
    for case in cases:
        names, bound = ", ".join(f'"{n}"' for n in case), ", ".join(f":{n}" for n in case)
        statement = f"INSERT INTO city.cases (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(0, 0), 4490), {bound}) RETURNING id"
        ids.append(int(conn.execute(text(statement), case).scalar_one()))
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")
    return ids


@pytest.fixture
def leader(ground: Connection) -> Principal:
    """A leader over a half year of cases."""
    dice = random.Random(11)
    enter(ground, [_case(dice) for _ in range(CASES)])
    found = principal_of("leader", "leader")
    act_as(ground, found)
    return found


def _frame(conn: Connection) -> pd.DataFrame:
    rows = conn.execute(text("SELECT * FROM city.cases")).mappings()
    return pd.DataFrame([dict(row) for row in rows])


def _reference(cases: pd.DataFrame, now: datetime) -> dict[str, pd.Series]:
    """What each count means, said again in pandas."""
    had = {name: cases[name].notna() for name in cases.columns}
    live = cases["state"] != "void"
    over = cases["used_seconds"] > cases["limit_seconds"]
    late = over | (pd.to_datetime(cases["deadline"], utc=True) <= now)
    in_time = had["limit_seconds"] & had["used_seconds"] & ~over
    sent, closed = had["dispatched_at"] & live, had["filed_at"] & (cases["state"] == "closed")
    handled = sent & had["handled_at"]
    unchecked = pd.to_datetime(cases["check_due"], utc=True) <= now
    return {
        "reported": had["reported_at"], "valid": had["filed_at"] | (cases["state"] == "self-handled"),
        "accepted": had["accepted_at"], "filed": had["filed_at"],
        "filed-on-time": had["filed_at"] & (cases["filed_at"] <= cases["filing_due"]),
        "dispatch-due": had["filed_at"] & live, "dispatched": sent, "dispatched-well": sent & (cases["returns"] == 0),
        "handling-due": sent & (had["handled_at"] | late), "handled": handled, "handled-on-time": handled & in_time,
        "closing-due": had["filed_at"] & live & (closed | unchecked | late), "closed": closed,
        "closed-on-time": closed & in_time, "check-due": handled & (had["checked_at"] | unchecked),
        "checked-on-time": handled & had["checked_at"] & (cases["checked_at"] <= cases["check_due"]),
        "reworked": sent & (cases["reworks"] > 0), "extended": sent & (cases["extensions"] > 0),
    }  # fmt: skip


def _keys(cases: pd.DataFrame, by: str) -> pd.Series:
    if by in ("district", "street", "community"):
        digits = {"district": 6, "street": 9, "community": 12}[by]
        return cases["area_code"].map(lambda code: code[:digits] if isinstance(code, str) and len(code) >= digits else None)
    if by == "grid":
        return cases["social_grid"].where(cases["social_grid"].notna(), cases["grid"])
    local = pd.to_datetime(cases["reported_at"], utc=True).dt.tz_convert(ZONE)
    if by == "month":
        return local.dt.strftime("%Y-%m")
    return local.dt.strftime("%G-W%V") if by == "week" else cases[by]


def _listed(conn: Connection, row: Row) -> dict[str, int]:
    """How many cases the filter of each number lists."""
    layer = find_layer(conn, "cases")
    found = {}
    for name, figure in row.counts.items():
        assert figure.filter is not None
        statement = count_statement(
            layer, FeatureQuery(filter=Filter(orjson.dumps(parse(figure.filter, "cql2-text")).decode()))
        )
        found[name] = conn.exec_driver_sql(statement.sql, statement.bind({})).scalar_one()
    return found


@pytest.mark.parametrize(
    "by", [("community", "month"), ("street",), ("district", "department"), ("grid",), ("class", "channel", "week")]
)
def test_numbers_are_those_of_pandas(
    ground: Connection, options: GridOptions, leader: Principal, by: tuple[Any, ...]
) -> None:
    found = evaluate(ground, options, BEGIN, END, by=by)
    cases = _frame(ground)
    cases = cases[(cases["reported_at"] >= BEGIN) & (cases["reported_at"] < END)]
    flags = pd.DataFrame(_reference(cases, found.as_of))
    keys = [_keys(cases, one).fillna("-").rename(one) for one in by]
    expected = {k if isinstance(k, tuple) else (k,): row.to_dict() for k, row in flags.groupby(keys).sum().iterrows()}
    got = {tuple(row.keys[one] or "-" for one in by): {n: f.cases for n, f in row.counts.items()} for row in found.rows}
    assert got == expected
    assert {n: f.cases for n, f in found.total.counts.items()} == flags.sum().to_dict()
    for row in (*found.rows, found.total):
        for name, rule in INDICATORS.items():
            due = row.counts[rule.denominator].cases
            assert row.indicators[name] == (row.counts[rule.numerator].cases / due if due else None)


@pytest.mark.parametrize("by", [("community", "quarter"), ("department", "grid"), ("street", "class")])
def test_each_number_comes_with_the_filter_of_its_cases(
    ground: Connection, options: GridOptions, leader: Principal, by: tuple[Any, ...]
) -> None:
    found = evaluate(ground, options, BEGIN, END, by=by, condition="channel <> 'hotline' OR class = '0102'")
    assert len(found.rows) > 4
    for row in (*random.Random(3).sample(found.rows, 4), found.total):
        assert _listed(ground, row) == {name: figure.cases for name, figure in row.counts.items()}


def _did(conn: Connection, steps: list[tuple[int, str, str, str]]) -> None:
    for case, act, actor, role in steps:
        conn.execute(
            text("INSERT INTO grid.steps (case_id, case_code, act, to_state, actor, role, at)"
                 " VALUES (:case, '', :act, '', :actor, :role, now())"),
            {"case": case, "act": act, "actor": actor, "role": role},
        )  # fmt: skip


def test_persons_answer_for_what_they_did_last(ground: Connection, options: GridOptions) -> None:
    at = BEGIN + timedelta(days=3)
    filed = {
        "reported_at": at,
        "filed_at": at,
        "accepted_at": at,
        "filing_due": at,
        "state": "dispatched",
        "dispatched_at": at,
    }
    ids = enter(ground, [filed | {"returns": n % 2, "area_code": COMMUNITY} for n in range(5)])
    _did(ground, [(case, "file", "shift", "shift-leader") for case in ids])
    _did(ground, [(case, "dispatch", "first", "case-dispatcher") for case in ids])
    _did(ground, [(case, "dispatch", "second", "case-dispatcher") for case in ids[:2]])
    act_as(ground, principal_of("leader", "leader"))
    found = evaluate(ground, options, BEGIN, END, by=("post", "person"))
    rows = {(r.keys["post"], r.keys["person"]): r for r in found.rows}
    first, second = rows["case-dispatcher", "first"], rows["case-dispatcher", "second"]
    assert (first.counts["dispatched"].cases, first.indicators["right-dispatch-rate"]) == (3, 2 / 3)
    assert (second.counts["dispatched"].cases, second.indicators["right-dispatch-rate"]) == (2, 1 / 2)
    assert first.counts["filed"].cases == 0
    assert rows["shift-leader", "shift"].indicators["filing-on-time-rate"] == 1
    assert rows[None, None].counts["handling-due"].cases == 0 and rows[None, None].counts["reported"].cases == 5
    for row in found.rows:
        assert _listed(ground, row) == {name: figure.cases for name, figure in row.counts.items()}


def test_only_cases_that_one_may_see_are_counted(ground: Connection, options: GridOptions, leader: Principal) -> None:
    everywhere = evaluate(ground, options, BEGIN, END).total.counts["reported"].cases
    act_as(ground, principal_of("v", "case-verifier", area=COMMUNITY))
    own = evaluate(ground, options, BEGIN, END, by=("community",))
    assert 0 < own.total.counts["reported"].cases < everywhere == CASES
    assert [row.keys["community"] for row in own.rows] == [COMMUNITY]


def test_a_city_subtracts_suspended_cases_by_its_configuration(
    ground: Connection, options: GridOptions, leader: Principal
) -> None:
    from geoserver.settings.evaluation import Evaluation as EvaluationSettings

    condition = f"{COUNTS['closing-due'].condition} AND state <> 'suspended'"
    settings = EvaluationSettings.model_validate({
        "counts": {"due": {"zh": "应结案", "en": "Due", "condition": condition}},
        "indicators": {"closing-rate": {"zh": "结案率", "en": "Closing", "numerator": "closed", "denominator": "due"}},
    })  # fmt: skip
    own = GridOptions(evaluation=settings.for_processes())
    before, after = (evaluate(ground, one, BEGIN, END).total for one in (options, own))
    late = before.counts["closing-due"].cases - after.counts["due"].cases
    assert late == ground.execute(text(
        "SELECT count(*) FROM city.cases WHERE state = 'suspended' AND used_seconds > limit_seconds")).scalar_one() > 0  # fmt: skip
    assert after.indicators["closing-rate"] == after.counts["closed"].cases / after.counts["due"].cases


def test_an_indicator_that_divides_nothing_known_is_refused() -> None:
    from pydantic import ValidationError

    from geoserver.settings.evaluation import Evaluation as EvaluationSettings

    wrong = {"indicators": {"x": {"zh": "x", "en": "x", "numerator": "closed", "denominator": "nothing"}}}
    with pytest.raises(ValidationError, match="'x' names the count 'nothing'; there are accepted"):
        EvaluationSettings.model_validate(wrong)


def test_areas_are_named(ground: Connection, options: GridOptions, leader: Principal) -> None:
    act_as_owner(ground)
    ground.execute(text("UPDATE city.admin_areas SET name = '文星社区' WHERE code = :c"), {"c": COMMUNITY})
    act_as(ground, leader)
    (row,) = [
        r for r in evaluate(ground, options, BEGIN, END, by=("community",)).rows if r.keys["community"] == COMMUNITY
    ]
    assert row.names == {"community": "文星社区"}


@pytest.mark.parametrize("step", ["day", "week", "month", "quarter", "year"])
def test_periods_follow_one_another_without_gap_in_the_citys_time(step: str) -> None:
    zone = ZoneInfo("America/Los_Angeles")  # its days have 23, 24 and 25 hours
    begin, end = datetime(2025, 10, 5, 13, tzinfo=UTC), datetime(2026, 4, 7, 1, tzinfo=UTC)
    found = periods(step, begin, end, zone)
    assert (found[0].begin, found[-1].end) == (begin, end)
    assert all(a.end == b.begin for a, b in zip(found, found[1:], strict=False))
    assert all(one.begin.astimezone(zone).strftime("%H:%M") == "00:00" for one in found[1:])
    assert len({one.name for one in found}) == len(found)


@pytest.mark.parametrize(
    ("more", "says"),
    [({"begin": END, "end": BEGIN}, "begin must lie before end"), ({"begin": datetime(2026, 1, 1)}, "begin lacks its offset"),
     ({"by": ("month", "week")}, "one kind of period"), ({"by": ("day",), "begin": datetime(1990, 1, 1, tzinfo=UTC)}, "more than 1000 periods")],
)  # fmt: skip
def test_what_cannot_be_evaluated_says_why(
    ground: Connection, options: GridOptions, clerk: Principal, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(GridError, match=says):
        evaluate(ground, options, **({"begin": BEGIN, "end": END} | more))
