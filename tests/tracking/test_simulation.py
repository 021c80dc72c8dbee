"""The simulated vehicles drive on the roads, and what they send comes through the real port."""

import asyncio
import time

import pytest
import shapely
from sqlalchemy import text

from geoserver.identity.devices import make_device_secret
from layers.database import Database
from tests.tracking.gateways import running
from tracking.judging import metres
from tracking.simulation import Streets, Traffic, Vehicle, run

#: A square with a diagonal, 1 to 2 km.
A, B, C, D = (114.90, 30.40), (114.91, 30.40), (114.91, 30.41), (114.90, 30.41)
STREETS = Streets([[A, B], [B, C], [D, C], [A, D], [A, (114.905, 30.406), C]])


def test_a_vehicle_stays_on_the_roads_and_drives_as_far_as_its_speed_says() -> None:
    vehicle = Vehicle(STREETS, 5)
    roads = shapely.MultiLineString(STREETS.lines)
    before = vehicle.drive(vehicle.first)
    stood = 0
    for n in range(1, 600):
        fix = vehicle.drive(vehicle.first + 5 * n)
        assert roads.distance(shapely.Point(fix.lon, fix.lat)) < 2e-6
        assert metres(before.lon, before.lat, fix.lon, fix.lat) <= 70 / 3.6 * 5 + 1
        assert fix.mileage is not None and before.mileage is not None and fix.mileage >= before.mileage
        stood += fix.speed == 0
        before = fix
    assert 0 < stood < 500


def test_a_vehicle_keeps_its_timetable_whenever_it_is_asked() -> None:
    vehicle = Vehicle(STREETS, 5)
    assert vehicle.round % 60 == vehicle.first % 60 == 0
    rounds = [[vehicle.drive(vehicle.first + n * vehicle.round + at) for at in (-1, 0, 20, 300)] for n in range(3)]
    for waits, departs, drives, on in rounds:
        assert waits.speed == 0 and (waits.lon, waits.lat) == (departs.lon, departs.lat)
        assert drives.speed and drives.speed > 20 and metres(departs.lon, departs.lat, drives.lon, drives.lat) > 20
        assert (on.lon, on.lat) == (rounds[0][3].lon, rounds[0][3].lat)
    first, second, third = (departs.mileage or 0 for _, departs, _, _ in rounds)
    assert 6 < second - first == pytest.approx(third - second, abs=0.11)  # there and back: 6 km at least
    assert Vehicle(STREETS, 5).drive(rounds[2][3].time) == rounds[2][3]


def test_what_vehicles_send_is_answered_and_stored(tracking_site: Database) -> None:
    with tracking_site.transaction() as conn:
        conn.execute(
            text("INSERT INTO city.devices (code, name) SELECT '1770000000' || n, 'x' FROM generate_series(0, 4) n")
        )
        codes = {f"1770000000{n}": make_device_secret(conn, f"1770000000{n}", "test")[0] for n in range(5)}
    traffic = Traffic()

    async def drive(port: int) -> None:
        stop = asyncio.Event()
        driving = asyncio.ensure_future(run("127.0.0.1", port, codes, STREETS, 0.3, traffic, stop))
        until = time.monotonic() + 15
        while traffic.answered < 20 and time.monotonic() < until:
            await asyncio.sleep(0.1)
        stop.set()
        await driving

    with running(tracking_site.url) as gateway:
        asyncio.run(drive(gateway.port))
    assert traffic.answered >= 20
    with tracking_site.transaction() as conn:
        found = conn.execute(text("SELECT count(*), count(DISTINCT device) FROM tracking.positions"
                                  " WHERE device IN (SELECT id FROM city.devices WHERE code LIKE '177%')")).one()  # fmt: skip
    assert found[1] == 5 and found[0] > 5
