"""What the worker does beside jobs, through restarts; what a changed calendar does to clocks that run."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, text

from geoserver.config import load
from geoserver.grid_upkeep import GridUpkeep
from grid.options import GridOptions
from grid.reporting.photos import photo_path
from grid.setup import load_classes, prepare
from tests.conftest import serve
from tests.grid.people import act_as_owner
from tests.grid.site import GridSite
from tests.grid.test_life_cycle import dispatched, row


def overdue_case(site: GridSite, lon: float) -> str:
    case = str(site.done("worker", "report-case", position=[lon, 30.4191], class_code="0402")["case"])
    site.done("clerk", "advance-case", case=case, act="accept")
    site.done("shift", "advance-case", case=case, act="file")
    site.done("dispatcher", "advance-case", case=case, act="dispatch", department="sanitation")
    with site.database.transaction() as conn:
        conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'advance', true)")
        conn.execute(text("UPDATE city.cases SET remind_at = remind_at - interval '2 days', deadline = deadline - interval '2 days',"
                          " supervise_at = supervise_at - interval '2 days', running_since = running_since - interval '2 days'"
                          " WHERE code = :c"), {"c": case})  # fmt: skip
    return case


def told(site: GridSite, case: str) -> list[str]:
    return [
        r[0] for r in site.sql("SELECT act FROM grid.steps WHERE case_code = :c AND role = 'clock' ORDER BY id", c=case)
    ]


def upkeep(site: GridSite) -> GridUpkeep:
    """A worker's, as it begins."""
    environ = {f"CITYMAP__{k}": v for k, v in site.settings.items()}
    return GridUpkeep(load(environ=environ), site.database)


def test_workers_that_come_and_go_tell_each_level_once(site: GridSite) -> None:
    case = overdue_case(site, 114.9011)
    assert upkeep(site).keep_time() >= 3
    for _ in range(2):
        upkeep(site).keep_time()
    assert told(site, case) == ["remind", "urge", "supervise"]
    assert site.sql("SELECT light FROM city.cases WHERE code = :c", c=case)[0][0] == "red"


def test_files_of_photos_that_no_case_has_are_removed(site: GridSite) -> None:
    directory = Path(site.settings["GRID__PHOTOS__DIRECTORY"])
    kept, orphan = uuid4(), uuid4()
    site.sql("INSERT INTO grid.photos (id, case_id, media_type, bytes, width, height, sha256, actor)"
             " VALUES (:i, 0, 'image/jpeg', 1, 1, 1, '', 'x')", i=kept)  # fmt: skip
    for photo in (kept, orphan):
        path = photo_path(directory, photo)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert upkeep(site).remove_orphans(24) == 0
    assert upkeep(site).remove_orphans(0) >= 1
    assert photo_path(directory, kept).exists() and not photo_path(directory, orphan).exists()


def test_a_new_holiday_moves_the_deadlines_of_clocks_that_run(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options, "一立方米以上")
    before = row(ground, case)
    days = frozenset((datetime.now(UTC) + timedelta(n)).date() for n in range(-1, 9))
    act_as_owner(ground)
    assert prepare(ground, replace(options, clock=replace(options.clock, extra_holidays=days)))
    after = row(ground, case)
    assert after.deadline - before.deadline >= timedelta(days=5)
    assert prepare(ground, options) and row(ground, case).deadline == before.deadline


def test_what_is_prepared_already_is_left_alone(ground: Connection, options: GridOptions) -> None:
    assert not prepare(ground, options)
    assert load_classes(ground) == 0


def test_a_server_writes_its_own_calendar(site: GridSite) -> None:
    sunday = "SELECT count(*) FROM grid.working_time WHERE (begins AT TIME ZONE 'Asia/Shanghai')::date = :d"
    url = site.database.url
    assert site.sql(sunday, d=date(2026, 12, 6))[0][0] == 0
    with serve(url, **site.settings, GRID__CLOCK__EXTRA_WORKDAYS="[2026-12-06]"):
        assert site.sql(sunday, d=date(2026, 12, 6))[0][0] == 2
    with site.database.transaction() as conn:
        prepare(conn, load(environ={f"CITYMAP__{k}": v for k, v in site.settings.items()}).grid.for_processes())
    assert site.sql(sunday, d=date(2026, 12, 6))[0][0] == 0
