"""Patrols planned against patrols done by tracks; residents' requests from opening to satisfaction; stages; cameras."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from grid.emergency.processes import cameras_near_case
from grid.social.grid_work import service_figures
from grid.social.patrols import Plan, fulfilled, slots, whole_periods
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, act_as_owner, principal_of
from tests.grid.site import GridSite
from tests.grid.test_life_cycle import report
from tracking.model import Fix, Stored
from tracking.storing import cursor_of, make_days, store
from tracking.storing import day_of as day
from tracking.tracks import read_device

ZONE = ZoneInfo("Asia/Shanghai")


def plan(**more: Any) -> Plan:
    values: dict[str, Any] = {
        "code": "P1", "name": None, "worker": None, "device": "d", "grids": ("g",), "route": None, "times": 2,
        "every": "week", "least_share": 0.5, "width": 50.0, "begins": None, "ends": None,
    }  # fmt: skip
    return Plan(**{**values, **more})


def at(text_: str) -> datetime:
    return datetime.fromisoformat(f"{text_}+08:00")


def test_only_whole_periods_of_a_plan_in_force_count() -> None:
    november = at("2026-11-01T00:00"), at("2026-12-01T00:00")
    assert [one.name for one in whole_periods(plan(), *november, ZONE)] == [
        "2026-W45",
        "2026-W46",
        "2026-W47",
        "2026-W48",
    ]
    assert [one.name for one in whole_periods(plan(every="month"), *november, ZONE)] == ["2026-11"]
    assert len(whole_periods(plan(every="day"), at("2026-11-02T08:00"), at("2026-11-05T00:00"), ZONE)) == 2
    in_force = plan(begins=date(2026, 11, 3), ends=date(2026, 11, 22))
    assert [one.name for one in whole_periods(in_force, *november, ZONE)] == ["2026-W46", "2026-W47"]


def test_walks_beyond_the_plan_in_one_period_make_up_for_no_other() -> None:
    weeks = whole_periods(plan(), at("2026-11-02T00:00"), at("2026-11-16T00:00"), ZONE)
    days = slots(plan(), weeks, ZONE)
    assert len(days) == 14 and {one.end - one.begin for one in days} == {timedelta(days=1)}
    assert fulfilled(plan(), [days[0], days[1], days[2]], 2) == 2
    assert fulfilled(plan(), [days[0], days[8]], 2) == 2 and fulfilled(plan(), [], 2) == 0


def test_twice_a_day_means_before_and_after_noon() -> None:
    twice = plan(every="day")
    found = slots(twice, whole_periods(twice, at("2026-11-02T00:00"), at("2026-11-03T00:00"), ZONE), ZONE)
    assert [(one.begin.astimezone(ZONE).hour, one.period) for one in found] == [(0, 0), (12, 0)]


def test_patrols_are_told_by_the_tracks_of_the_plans_device(site: GridSite) -> None:
    """Two weeks; the road is walked whole on one Monday, and by a fifth on the next."""
    monday = datetime(2026, 11, 9, 2, tzinfo=UTC)
    lines = [(monday, 1.0), (monday + timedelta(days=7), 0.2)]
    with site.database.transaction() as conn:
        conn.exec_driver_sql("INSERT INTO city.devices (code, name) VALUES ('walker-1', 'walker')")
        device = read_device(conn, "walker-1")
        with cursor_of(conn) as cursor:
            for begin, share in lines:
                begun = begin.timestamp()
                walked = [
                    Fix(begun + 20 * n, 114.90 + 0.01 * share * n / 60, 30.41, 5.0, 90, 20, 0, 3) for n in range(61)
                ]
                make_days(cursor, {day(begun)})
                store(cursor, [Stored(device, fix) for fix in walked], begun + 3600)
        conn.execute(
            text("INSERT INTO city.patrol_plans (geom, code, name, device, area_code, times, every, least_share, width)"
                 " VALUES (ST_GeomFromText('MULTILINESTRING((114.90 30.41, 114.91 30.41))', 4490), 'P-1', '滨湖路',"
                 " 'walker-1', :area, 1, 'week', 0.6, 30), (NULL, 'P-2', '无终端', NULL, :area, 1, 'day', NULL, NULL)"),
            {"area": COMMUNITY},
        )  # fmt: skip
    walked, lacking = site.done(
        "shift", "patrol-performance", begin="2026-11-09T00:00:00+08:00", end="2026-11-23T00:00:00+08:00"
    )
    assert (walked["plan"], walked["periods"], walked["planned"], walked["done"], walked["share"]) == (
        "P-1",
        2,
        2,
        1,
        0.5,
    )
    (walk,) = walked["walks"]
    assert walk["begin"].startswith("2026-11-08T16:00") and walk["share"] > 0.97
    assert (lacking["planned"], lacking["done"]) == (14, 0) and "device" in lacking["problem"]
    assert site.run("worker", "patrol-performance", begin="2026-11-09", end="2026-11-23").status_code == 400


WORKER = principal_of("worker", "grid-worker", area=COMMUNITY)


def opened(conn: Connection, subject: str, lon: float = 114.905, **more: Any) -> int:
    values = {"subject": subject, **more}
    names, bound = "".join(f", {name}" for name in values), "".join(f", :{name}" for name in values)
    sql = f"INSERT INTO city.service_requests (geom{names}) VALUES (ST_SetSRID(ST_MakePoint(:x, 30.405), 4490){bound}) RETURNING id"
    return int(conn.execute(text(sql), {"x": lon, **values}).scalar_one())


def moved(conn: Connection, request: int, **values: Any) -> None:
    sets = ", ".join(f"{name} = :{name}" for name in values)
    conn.execute(text(f"UPDATE city.service_requests SET {sets} WHERE id = :id"), {"id": request, **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [({"state": "closed", "satisfaction": 5}, "next may be handling, withdrawn"), ({"state": "handling"}, "needs worker"),
     ({"state": "gone"}, "cannot follow"), ({"satisfaction": 6}, "1 to 5")],
)  # fmt: skip
def test_a_request_moves_only_as_its_stages_say(ground: Connection, values: dict[str, Any], said: str) -> None:
    request = opened(ground, "灯坏了")
    with pytest.raises(Exception, match=said), ground.begin_nested():
        moved(ground, request, **values)


def test_the_times_of_a_request_are_the_databases(ground: Connection) -> None:
    request = opened(ground, "灯坏了", opened_at="2001-01-01T00:00:00Z", closed_at="2001-01-01T00:00:00Z")
    moved(ground, request, state="handling", worker="w1")
    moved(ground, request, state="handled", result="修好", opened_at="2001-01-01T00:00:00Z")
    row = ground.execute(
        text("SELECT *, now() AS now FROM city.service_requests WHERE id = :id"), {"id": request}
    ).one()
    assert row.opened_at == row.accepted_at == row.handled_at == row.now and row.closed_at is None
    assert (row.grid, row.area_code) == (COMMUNITY + "01", COMMUNITY)


def test_over_http_what_cannot_follow_is_refused_with_what_can(site: GridSite) -> None:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9051, 30.4102]}}
    about = {"subject": "楼道灯不亮", "kind": "repair", "resident_phone": "13800000001"}
    items = "/collections/service-requests/items"
    made = site.call("worker", "POST", items, json={**feature, "properties": about})
    assert made.status_code == 201, made.text
    path = items + "/" + made.headers["Location"].rsplit("/", 1)[1]

    def moved_to(revision: int, **values: Any) -> tuple[int, str]:
        headers = {"If-Match": f'"{revision}"', "Content-Type": "application/merge-patch+json"}
        answer = site.call("worker", "PATCH", path, json={"properties": values}, headers=headers)
        return answer.status_code, answer.text

    status, told = moved_to(1, state="closed", satisfaction=5)
    assert status == 409 and "next may be handling, withdrawn" in told
    status, told = moved_to(1, state="handling")
    assert status == 400 and "needs worker" in told
    for revision, values in enumerate(
        (
            {"state": "handling", "worker": "w-1"},
            {"state": "handled", "result": "换灯"},
            {"state": "closed", "satisfaction": 5},
        ),
        1,
    ):
        assert moved_to(revision, **values)[0] in (200, 204)
    kept = site.call("worker", "GET", path, params={"f": "json"}).json()["properties"]
    assert kept["state"] == "closed" and kept["closed_at"] and kept["area_code"] == COMMUNITY
    assert kept["resident_phone"] == "13800000001"
    shift, away = (site.call(who, "GET", path, params={"f": "json"}) for who in ("shift", "away"))
    assert shift.status_code == 200 and "resident_phone" not in shift.json()["properties"]
    assert away.status_code == 404  # residents are known to the workers of their own area
    assert site.call(None, "GET", items, params={"f": "json"}).status_code in (401, 403, 404)


def test_figures_of_requests_are_a_recount(ground: Connection) -> None:
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    first = datetime(2026, 11, 2, tzinfo=UTC)
    rows = [("closed", 4, 5), ("closed", 8, 2), ("handled", 30, None), ("withdrawn", None, None), ("open", None, None)]
    for n, (state, hours, satisfaction) in enumerate(rows):
        opened(
            ground, str(n), state=state, opened_at=first, due=first + timedelta(hours=6), satisfaction=satisfaction,
            handled_at=first + timedelta(hours=hours) if hours else None, grid=COMMUNITY + "01", area_code=COMMUNITY,
            closed_at=first + timedelta(hours=40) if state in ("closed", "withdrawn") else None,
        )  # fmt: skip
    opened(ground, "elsewhere", state="open", opened_at=first, area_code=OTHER)
    act_as(ground, WORKER)
    whole, one = service_figures(ground, first, first + timedelta(days=1), COMMUNITY)
    assert (whole.grid, one.grid, one.name) == (None, COMMUNITY + "01", "第一网格")
    assert (one.opened, one.handled, one.closed, one.withdrawn, one.waiting) == (5, 3, 2, 1, 2)
    assert (one.late, one.hours, one.rated, one.satisfaction, one.satisfied) == (4, 14.0, 2, 3.5, 0.5)
    assert whole.opened == 5


def test_a_worker_opens_requests_in_the_own_area_only(ground: Connection) -> None:
    act_as(ground, WORKER)
    with pytest.raises(Exception, match="row-level security"), ground.begin_nested():
        opened(ground, "x", lon=114.93)


def test_cameras_near_a_case_tell_which_look_at_it(ground: Connection) -> None:
    act_as_owner(ground)
    code = report(ground)
    x, y = ground.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM city.cases WHERE code = :c"), {"c": code}).one()
    for name, east, direction, reach in (("sees", -0.0005, 90, 100), ("away", -0.0004, 270, 100), ("short", -0.0006, 90, 30),
                                         ("unknown", -0.0002, None, None), ("far", -0.01, 90, 100)):  # fmt: skip
        ground.execute(
            text("INSERT INTO city.cameras (geom, name, source_id, direction, view_angle, reach) VALUES"
                 " (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :n, :n, :d, 60, :r)"),
            {"x": x + east, "y": y, "n": name, "d": direction, "r": reach},
        )  # fmt: skip
    act_as(ground, principal_of("shift", "shift-leader"))
    with pytest.raises(LookupError):
        cameras_near_case(ground, code, 200)
    act_as_owner(ground)
    found = cameras_near_case(ground, code, 200)
    assert [(one.name, one.sees) for one in found] == [
        ("sees", True),
        ("away", False),
        ("short", False),
        ("unknown", None),
    ]
    assert found[0].distance == pytest.approx(48, abs=1) and found[0].bearing == pytest.approx(90, abs=0.1)
