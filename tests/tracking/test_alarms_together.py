"""Alarms that need more than one vehicle's fixes: gatherings, and what the roads allow."""

import time
from collections.abc import Iterator

import numpy as np
import psycopg2
import pytest
from psycopg2.extensions import connection
from shapely import box
from sqlalchemy import text

from geoserver.database_roles import role_url
from layers.access import APP_ROLE
from layers.database import Database
from tests.layers.network.drawn import lonlat, network, road
from tests.tracking.conftest import NOON, drive
from tracking.alarms.conditions import Alarm, Limits
from tracking.alarms.engine import Engine
from tracking.alarms.fences import Fence, FenceIndex
from tracking.alarms.gathering import Gatherings
from tracking.alarms.roads import RoadLimits, limits_at
from tracking.alarms.watch import Watch
from tracking.model import Device, Fix, Stored
from tracking.states import Seen

DEVICES = [Device(n, f"D{n}", f"车{n}", "roads", "muck") for n in range(5)]
YARD = box(114.89, 30.39, 114.91, 30.41)
FENCE = Fence(7, "工地", YARD, frozenset({"gathering"}), most=2, dwell=60)


class Site:
    """Vehicles, what is remembered of them, and who gathers."""

    def __init__(self) -> None:
        self.engine = Engine(FenceIndex((FENCE,)), Limits())
        self.gatherings = Gatherings()
        self.seen: dict[int, Seen] = {}

    def put(self, n: int, at: float, inside: bool) -> None:
        fix = Fix(at, 114.9 if inside else 114.95, 30.4, 0.0, 0, 0, 0, 3)
        assert self.engine.run([Stored(DEVICES[n], fix)]) == ([], [])
        self.seen.setdefault(n, Seen(DEVICES[n])).take(fix, at)

    def look(self, at: float) -> list[Alarm]:
        return self.gatherings.look([FENCE], self.seen.values(), self.engine.memories, at, 1800.0)


def test_one_vehicle_too_many_makes_a_gathering_from_when_it_came_until_one_has_gone() -> None:
    site = Site()
    for n, at in ((0, 0), (1, 100), (2, 200), (3, 205)):
        site.put(n, NOON + at, inside=True)
    assert site.look(NOON + 250) == []  # not long enough
    (alarm,) = site.look(NOON + 260)
    assert (alarm.kind, alarm.began, alarm.ended, alarm.fence) == ("gathering", NOON + 200, None, 7)
    assert (alarm.device, alarm.value, alarm.most, alarm.key) == (DEVICES[2], 4.0, 2.0, f"D2 gather-7 {NOON + 200:.0f}")
    assert alarm.detail == "工地: 车0、车1、车2、车3"
    assert site.look(NOON + 300) == []
    site.put(0, NOON + 310, inside=False)
    assert site.look(NOON + 320) == []  # three are still too many
    site.put(1, NOON + 330, inside=False)
    (over,) = site.look(NOON + 340)
    assert (over.key, over.ended) == (alarm.key, NOON + 340)
    assert site.look(NOON + 350) == []


def test_who_is_not_heard_of_any_more_does_not_gather() -> None:
    site = Site()
    for n in range(3):
        site.put(n, NOON, inside=True)
    assert site.look(NOON + 1801) == []
    assert len(site.look(NOON + 1800)) == 1


def test_the_limit_is_that_of_the_road_which_leads_the_vehicles_way() -> None:
    east, north = 90.0, 0.0
    graph = network(
        road((0, 0), (10, 0), kind="primary"),
        road((0, 0.1), (10, 0.1), kind="service"),  # 11 m beside it
        road((5, -5), (5, 5), kind="residential", maxspeed=30.0),
        road((0, 3), (10, 3), kind="motorway", oneway=1),
        road((0, 4), (10, 4), kind="track"),
    ).graph("drive", "time")
    by_class = {"primary": 70.0, "service": 20.0, "motorway": 120.0}
    asked = [
        ((2, 0.05), east, 70.0),  # the higher of two that may be it
        ((2, 0.05), 270.0, 70.0),  # a road of both directions
        ((2, 0.05), np.nan, 70.0),
        ((2, 0.05), north, np.nan),  # neither leads there
        ((5, 2), north, 30.0),  # its own
        ((5, 0.05), north, 30.0),
        ((2, 3), east, 120.0),
        ((2, 3), 270.0, np.nan),  # against one-way traffic: not on that road
        ((2, 4), east, np.nan),  # nobody knows
        ((2, 1), east, np.nan),  # 110 m away
    ]
    places = np.array([lonlat(*spot) for spot, _, _ in asked])
    found = limits_at(graph, places, np.array([heading for _, heading, _ in asked]), by_class)
    np.testing.assert_array_equal(found, [limit for _, _, limit in asked])
    assert np.isnan(limits_at(network().graph("drive", "time"), places, np.full(10, 90.0), by_class)).all()


def test_faster_than_the_road_allows_is_an_alarm_with_tolerance() -> None:
    fixes = drive(NOON, 20, speed=60.0)
    allowed = [None, None, *[50.0] * 6, *[58.0] * 6, *[None] * 6]
    limits = iter(allowed)
    engine = Engine(FenceIndex(()), Limits(), road_limits=lambda rows: [next(limits) for _ in rows])
    alarms, _ = engine.run([Stored(DEVICES[0], fix) for fix in fixes])
    assert [(a.kind, a.began - NOON, a.ended and a.ended - NOON, a.value) for a in alarms] == [
        ("overspeed", 20, None, 60.0), ("overspeed", 20, 80, 60.0),
    ]  # fmt: skip


@pytest.fixture
def town(tracking_site: Database) -> Iterator[connection]:
    with tracking_site.transaction() as conn:
        conn.execute(text("INSERT INTO city.roads (geom, class) VALUES (ST_GeomFromText('LINESTRING(113.0 29.0, 113.1 29.0)', 4490),"
                          " 'secondary')"))  # fmt: skip
        conn.execute(text("INSERT INTO city.geofences (geom, name, watch, most, kinds) VALUES (ST_MakeEnvelope(113.0, 28.99, 113.1,"
                          " 29.01, 4490), '工地', '{gathering}', 1, '{muck}')"))  # fmt: skip
    conn = psycopg2.connect(tracking_site.url)
    yield conn
    conn.close()
    with tracking_site.transaction() as other:
        other.execute(text("DELETE FROM city.geofences WHERE name = '工地'"))
        other.execute(text("DELETE FROM city.roads WHERE geom && ST_MakeEnvelope(112.9, 28.9, 113.2, 29.1, 4490)"))


def test_both_come_into_the_layer_once_even_after_a_restart(tracking_site: Database, town: connection) -> None:
    now = time.time() // 1
    roads = RoadLimits(role_url(tracking_site.url, APP_ROLE), {"secondary": 40.0})
    by_code = {device.code: device for device in DEVICES}

    def told() -> list[tuple[str, str, bool]]:
        with town.cursor() as cursor:
            cursor.execute("SELECT kind, device, ended IS NULL FROM city.alarms WHERE began >= to_timestamp(%s)"
                           " AND geom && ST_MakeEnvelope(112.9, 28.9, 113.2, 29.1, 4490) ORDER BY kind, device", (now - 400,))  # fmt: skip
            return cursor.fetchall()

    def run(watch: Watch, at: float, lon: float, speed: float) -> None:
        rows = [Stored(d, Fix(at, lon, 29.0, speed, 90, 0, 0, 3)) for d in DEVICES[:2]]
        seen = [Seen(d, row.fix, now) for d, row in zip(DEVICES, rows, strict=False)]
        watch.look(town, rows, seen, now)
        town.commit()

    watch = Watch(Limits(), roads)
    for n in range(5):
        run(watch, now - 300 + n * 10, 113.01 + n * 0.001, 60.0)
    both = [("gathering", "D1", True), ("overspeed", "D0", True), ("overspeed", "D1", True)]
    assert told() == both
    with town.cursor() as cursor:
        watch.remember(cursor)
        town.commit()
        watch = Watch(Limits(), roads)
        watch.recall(cursor, by_code)
    run(watch, now - 200, 113.02, 60.0)
    assert told() == both
    run(watch, now - 190, 113.5, 30.0)
    assert told() == [(kind, device, False) for kind, device, _ in both]
    roads.close()
