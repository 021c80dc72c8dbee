"""Handling alarms: a case of one by the process that every client uses, and statistics against a plain count."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from geoserver.database_roles import role_url
from geoserver.errors import NotAllowed, describe
from geoserver.execution import Execution, Executor
from geoserver.process_adapter import PROCESSES
from geoserver.settings import Settings
from layers.access import APP_ROLE, Grant, Principal
from layers.database import Database
from tests.tracking.test_storing import act_as
from tracking.alarms.handling import AlarmHandled, AlarmNotFound
from tracking.alarms.processes import alarm_statistics
from tracking.inputs.values import InputRefused

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
EDIT = frozenset({"read", "create", "update"})


@pytest.fixture
def alarm(tracking_site: Database) -> Iterator[str]:
    key = f"A1 leave-7 {random.randrange(10**9)}"
    with tracking_site.transaction() as conn:
        conn.execute(text("INSERT INTO city.alarms (geom, key, kind, device, name, department, began, detail, state) VALUES"
                          " (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :k, 'leave', 'A1', '渣土1号', 'roads', now(), '东区', 'new')"),
                     {"k": key})  # fmt: skip
    yield key
    with tracking_site.transaction() as conn:
        conn.execute(text("DELETE FROM city.alarms WHERE key = :k"), {"k": key})


def dispatcher(*processes: str, department: str = "roads") -> Principal:
    own = (department,)
    grants = (
        Grant("alarms", EDIT, "internal", departments=own),
        Grant("cases", EDIT, "internal"),
        Grant("*", frozenset({"read"}), "public"),
    )
    return Principal("fleet", grants=grants, processes=frozenset({"*", *processes}))


def run(site: Database, principal: Principal, tmp_path: Path, **inputs: Any) -> Any:
    process = PROCESSES["alarm-to-case"]
    database = Database(role_url(site.url, APP_ROLE), pool_size=1)
    try:
        executor = Executor(Settings(), database, None)  # type: ignore[arg-type] # no files here
        return executor.run(
            process, process.checked(inputs), principal, Execution(), tmp_path, 30.0, lambda _c, _r: None
        )
    finally:
        database.close()


def case_of(site: Database, key: str) -> Any:
    with site.transaction() as conn:
        return conn.execute(text("SELECT a.case_id, a.state, c.description, ST_X(c.geom) AS x FROM city.alarms a"
                                 " LEFT JOIN city.cases c ON c.code = a.case_id WHERE a.key = :k"), {"k": key}).one()  # fmt: skip


def test_a_case_is_made_of_an_alarm_once(tracking_site: Database, alarm: str, tmp_path: Path) -> None:
    who = dispatcher("alarm-to-case", "report-case")
    made = run(tracking_site, who, tmp_path, alarm=alarm, class_code="0102")
    row = case_of(tracking_site, alarm)
    assert (row.case_id, row.state, row.x) == (made.case, "assigned", 114.9)
    assert row.description == "车辆报警：离开 渣土1号 东区"
    with pytest.raises(AlarmHandled, match=made.case) as again:
        run(tracking_site, who, tmp_path, alarm=alarm, class_code="0102")
    assert describe(again.value)[0] == 409


def test_without_the_right_to_report_nothing_is_made(tracking_site: Database, alarm: str, tmp_path: Path) -> None:
    for who, error in (
        (dispatcher("alarm-to-case"), NotAllowed),
        (dispatcher("alarm-to-case", "report-case", department="water"), AlarmNotFound),
    ):
        with pytest.raises(error):
            run(tracking_site, who, tmp_path, alarm=alarm, class_code="0102")
    assert tuple(case_of(tracking_site, alarm)[:2]) == (None, "new")


def test_statistics_are_those_of_a_plain_count(conn: Connection) -> None:
    chance = random.Random(5)
    rows = []
    conn.execute(text("DELETE FROM city.alarms"))
    for n in range(300):
        began = BEGIN + timedelta(minutes=chance.randrange(-3000, 60 * 24 * 10))
        ended = began + timedelta(seconds=chance.randrange(1, 4000)) if chance.random() < 0.7 else None
        rows.append({
            "key": str(n), "kind": chance.choice(["leave", "overspeed", "sos"]), "device": f"D{chance.randrange(5)}",
            "department": chance.choice(["roads", "water"]), "began": began, "ended": ended, "late": chance.choice([True, None]),
            "state": chance.choice(["new", "acknowledged", "closed"]), "case": chance.choice(["C1", None]),
        })  # fmt: skip
    conn.execute(text("INSERT INTO city.alarms (geom, key, kind, device, department, began, ended, late, state, case_id) VALUES"
                      " (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :key, :kind, :device, :department, :began, :ended, :late, :state,"
                      " :case)"), rows)  # fmt: skip
    end = BEGIN + timedelta(days=7)
    found = alarm_statistics(conn, BEGIN, end, ("kind", "day"))
    groups = defaultdict(list)
    for row in rows:
        if BEGIN <= row["began"] < end:
            groups[row["kind"], str((row["began"] + timedelta(hours=8)).date())].append(row)
    assert {each.of for each in found.groups} == set(groups)
    for each in found.groups:
        own = groups[each.of]
        lengths = [(row["ended"] - row["began"]).total_seconds() for row in own if row["ended"]]
        assert each.alarms == len(own) and each.devices == len({row["device"] for row in own})
        assert each.waiting == sum(row["state"] == "new" for row in own) and each.late == sum(
            bool(row["late"]) for row in own
        )
        assert each.closed == sum(row["state"] == "closed" for row in own) and each.cases == sum(
            bool(row["case"]) for row in own
        )
        assert each.seconds == (pytest.approx(sum(lengths) / len(lengths)) if lengths else None)
    assert [g.alarms for g in found.groups] == sorted((g.alarms for g in found.groups), reverse=True)
    (only,) = alarm_statistics(conn, BEGIN, end, ("kind",), ("sos",)).groups
    assert only.of == ("sos",)
    act_as(conn, Grant("alarms", EDIT, "internal", departments=("water",)))
    assert {each.of for each in alarm_statistics(conn, BEGIN, end, ("department",)).groups} == {("water",)}


def test_a_statistic_of_nothing_is_refused(conn: Connection) -> None:
    for begin, end, by in (
        (BEGIN, BEGIN, ("kind",)),
        (BEGIN, BEGIN + timedelta(days=4000), ("kind",)),
        (BEGIN, BEGIN + timedelta(1), ("kind", "kind")),
    ):
        with pytest.raises(InputRefused):
            alarm_statistics(conn, begin, end, by)  # type: ignore[arg-type]
