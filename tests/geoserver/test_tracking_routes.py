"""Positions over HTTP: who may report, and what is stored when the answer comes."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from argon2 import PasswordHasher
from sqlalchemy import text

from geoserver.identity.devices import make_device_secret
from layers.database import Database
from tests.conftest import serve
from tests.tracking.conftest import tracking_site
from tests.tracking.gateways import running

assert tracking_site
PASSWORD = "correct horse battery 9!"


@pytest.fixture(scope="module")
def site(tracking_site: Database) -> Iterator[tuple[str, Database, str]]:
    with tracking_site.transaction() as conn:
        conn.execute(text("INSERT INTO city.devices (code, name, department) VALUES ('phone-1', '手机', 'roads')"))
        conn.execute(
            text(
                "INSERT INTO city.devices (code, name, person, duty) VALUES ('phone-2', '网格员', true, 'Mon 00:00-00:01')"
            )
        )
        secret = make_device_secret(conn, "phone-1", "test")[0]
    with serve(tracking_site.url) as url:
        yield url, tracking_site, secret


def stored(database: Database, code: str = "phone-1") -> list[tuple[float, float]]:
    with database.transaction() as conn:
        return [tuple(r) for r in conn.execute(text(
            "SELECT extract(epoch FROM time)::float8, speed FROM tracking.positions"
            " WHERE device = (SELECT id FROM city.devices WHERE code = :c) ORDER BY time"), {"c": code})]  # fmt: skip


def test_every_way_stores_before_it_answers(site: tuple[str, Database, str]) -> None:
    url, database, secret = site
    now = time.time() // 1 - 100
    place = {"lat": 30.4, "lon": 114.9}
    got = requests.get(
        f"{url}/tracking/osmand", params={"id": "phone-1", "code": secret, "timestamp": now, "speed": 10, **place}
    )
    assert (got.status_code, got.text) == (200, "")
    assert stored(database) == [(now, pytest.approx(18.52))]
    posted = requests.post(
        f"{url}/tracking/osmand", data={"id": "phone-1", "timestamp": now + 1, **place}, params={"code": secret}
    )
    assert posted.status_code == 200
    auth = ("phone-1", secret)
    message = {"_type": "location", "tst": now + 2, "vel": 20, **place}
    answer = requests.post(f"{url}/tracking/owntracks", json=message, auth=auth)
    assert (answer.status_code, answer.json()) == (200, [])
    batch = {"positions": [{"time": now + 3 + n, "speed": 30, **place} for n in range(5)]}
    for _ in range(2):
        answer = requests.post(f"{url}/tracking/positions", json=batch, auth=auth)
        assert answer.json() == {"received": 5, "kept": 5}
    assert [t for t, _ in stored(database)] == [now + n for n in range(8)]


@pytest.mark.parametrize(("params", "auth"), [
    ({}, None), ({"id": "phone-1"}, None), ({"id": "phone-1", "code": "0" * 32}, None), ({"id": "nobody", "code": "0" * 32}, None),
    ({}, ("phone-1", "wrong")), ({"id": "phone-1"}, ("phone-1", "")),
])  # fmt: skip
def test_without_the_right_secret_nothing_is_stored(
    site: tuple[str, Database, str], params: dict[str, str], auth: tuple[str, str] | None
) -> None:
    url, database, _ = site
    before = len(stored(database))
    answer = requests.get(f"{url}/tracking/osmand", params={**params, "lat": 30, "lon": 114}, auth=auth)
    assert answer.status_code == 401
    assert len(stored(database)) == before


def test_what_is_wrong_is_named(site: tuple[str, Database, str]) -> None:
    url, _, secret = site
    answer = requests.post(f"{url}/tracking/positions", json={"positions": [{"time": "x"}]}, auth=("phone-1", secret))
    assert answer.status_code == 400
    assert "positions[0].time" in answer.json()["description"]


def test_a_position_over_http_moves_the_vehicle_that_the_gateway_shows(site: tuple[str, Database, str]) -> None:

    url, database, secret = site
    with running(database.url):
        time.sleep(1.5)
        requests.get(
            f"{url}/tracking/osmand", params={"id": "phone-1", "code": secret, "lat": 30.41, "lon": 114.91}
        ).raise_for_status()
        until = time.monotonic() + 8
        while time.monotonic() < until:
            with database.transaction() as conn:
                found = conn.execute(text("SELECT ST_X(geom) FROM city.positions WHERE device = 'phone-1'")).scalar()
            if found == 114.91:
                return
            time.sleep(0.1)
        raise AssertionError(found)


def frames(
    url: str, account: tuple[str, str] | None, count: int, last: str | None = None, tries: int = 2, **params: str
) -> list[tuple[str, dict[str, list[dict[str, object]]]]]:
    """So many frames of the live stream, with their ids."""
    found, name = [], ""
    headers = {"Last-Event-ID": last} if last else {}
    with requests.get(
        f"{url}/tracking/live", params=params, auth=account, headers=headers, stream=True, timeout=15
    ) as stream:
        stream.raise_for_status()
        for line in stream.iter_lines():
            if line.startswith(b"id: "):
                name = line[4:].decode()
            if line.startswith(b"data: "):
                found.append((name, json.loads(line[6:])))
                if len(found) == count:
                    return found
    # rights have changed a moment ago: whoever looks comes again
    assert tries > 0
    return frames(url, account, count, last, tries - 1, **params)


def test_viewers_see_what_moves_in_their_part_of_the_map_and_by_their_rights(site: tuple[str, Database, str]) -> None:
    url, database, _ = site
    place = "ST_SetSRID(ST_MakePoint({}, 30.2), 4490)"
    with database.transaction() as conn:
        conn.execute(text("DELETE FROM city.positions"))
        for n, department in enumerate(("roads", "water", "roads")):
            conn.execute(text(f"INSERT INTO city.positions (geom, device, department, state) VALUES ({place.format(114 + n / 10)}, :d, :u, 'moving')"),
                         {"d": f"live-{n}", "u": department})  # fmt: skip
        if not conn.execute(text("SELECT 1 FROM access.accounts WHERE name = 'fleet'")).first():
            conn.execute(text("INSERT INTO access.departments (id, zh, en) VALUES ('roads', '路', 'roads')"))
            cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
            for name, role in (("fleet", "fleet-dispatcher"), ("clerk", "intake-clerk")):
                conn.execute(text("INSERT INTO access.accounts (name, hash) VALUES (:n, :h)"), {"n": name, "h": cheap})
                conn.execute(
                    text("INSERT INTO access.memberships (account, role, department) VALUES (:n, :r, 'roads')"),
                    {"n": name, "r": role},
                )
    assert requests.get(f"{url}/tracking/live").status_code == 404
    ((mark, first),) = frames(url, ("clerk", PASSWORD), 1)
    assert {each["device"] for each in first["moved"]} == {"live-0", "live-1", "live-2"}
    ((_, first),) = frames(url, ("fleet", PASSWORD), 1)
    assert {each["device"] for each in first["moved"]} == {"live-0", "live-2"}
    ((_, first),) = frames(url, ("fleet", PASSWORD), 1, bbox="113.9,30,114.15,31")
    assert {each["device"] for each in first["moved"]} == {"live-0"}

    def move() -> None:
        time.sleep(2)
        with database.transaction() as conn:
            conn.execute(text(f"UPDATE city.positions SET geom = {place.format(114.9)} WHERE device = 'live-0'"))

    mover = threading.Thread(target=move)
    mover.start()
    _, (_, second) = frames(url, ("fleet", PASSWORD), 2, bbox="113.9,30,114.15,31")
    mover.join()
    assert second == {"moved": [], "gone": ["live-0"]}
    time.sleep(2)
    ((_, since),) = frames(url, ("clerk", PASSWORD), 1, last=f"{float(mark) + 3.5:.3f}")
    assert [each["device"] for each in since["moved"]] == ["live-0"]  # only what changed meanwhile
