"""Links to a live position: who makes and ends them, what whoever has one sees, and for how long."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from argon2 import PasswordHasher
from sqlalchemy import text

from geoserver.guard.redaction import redacted
from layers.database import Database
from tests.conftest import serve
from tests.tracking.conftest import tracking_site

assert tracking_site
PASSWORD = "correct horse battery 9!"
SHARER, OTHER = ("sharer", PASSWORD), ("neighbour", PASSWORD)


@pytest.fixture(scope="module")
def site(tracking_site: Database) -> Iterator[tuple[str, Database]]:
    with tracking_site.transaction() as conn:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for name, department in (("sharer", "roads"), ("neighbour", "water")):
            conn.execute(text("INSERT INTO access.departments (id, zh, en) VALUES (:d, :d, :d) ON CONFLICT DO NOTHING"),
                         {"d": department})  # fmt: skip
            conn.execute(text("INSERT INTO access.accounts (name, hash) VALUES (:n, :h)"), {"n": name, "h": cheap})
            conn.execute(text("INSERT INTO access.memberships (account, role, department) VALUES (:n, 'fleet-dispatcher', :d)"),
                         {"n": name, "d": department})  # fmt: skip
        conn.execute(text("INSERT INTO city.devices (code, name, kind, department, person, duty) VALUES"
                          " ('shared-1', '环卫1号', 'sanitation', 'roads', false, NULL),"
                          " ('shared-2', '网格员', 'grid-worker', 'roads', true, 'daily 00:00-24:00')"))  # fmt: skip
        for code in ("shared-1", "shared-2"):
            conn.execute(text("INSERT INTO city.positions (geom, device, department, state, time, speed) VALUES"
                              " (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :c, 'roads', 'moving', now(), 36)"), {"c": code})  # fmt: skip
    with serve(tracking_site.url) as url:
        yield url, tracking_site


def share(url: str, account: tuple[str, str] | None = SHARER, **body: Any) -> requests.Response:
    return requests.post(f"{url}/tracking/shares", json={"device": "shared-1", **body}, auth=account, timeout=20)


def entries(database: Database, share_id: str) -> list[tuple[str, str]]:
    with database.transaction() as conn:
        query = "SELECT action, actor FROM audit.entries WHERE kind = 'position-share' AND object = :o ORDER BY id"
        return [tuple(row) for row in conn.execute(text(query), {"o": share_id})]


def test_whoever_has_the_link_sees_where_the_device_is_now_and_nothing_else(site: tuple[str, Database]) -> None:
    url, database = site
    made = share(url, hours=1, note="给居民")
    assert made.status_code == 201
    link = f"{url}/tracking/shared/{made.json()['link'].rpartition('/')[2]}"
    found = requests.get(link, timeout=20)
    assert found.status_code == 200 and found.headers["Cache-Control"] == "no-store"
    seen = found.json()
    assert (seen["name"], seen["state"], seen["lon"], seen["lat"]) == ("环卫1号", "moving", 114.9, 30.4)
    assert seen.keys() == {"name", "kind", "state", "time", "lon", "lat", "speed", "heading", "expires"}
    with database.transaction() as conn:
        conn.execute(
            text("UPDATE city.positions SET geom = ST_SetSRID(ST_MakePoint(115, 30.4), 4490) WHERE device = 'shared-1'")
        )
    assert requests.get(link, timeout=20).json()["lon"] == 115
    page = requests.get(link, headers={"Accept": "text/html"}, timeout=20).text
    assert "环卫1号" in page and "115.000000" in page and "行驶" in page
    (listed,) = requests.get(f"{url}/tracking/shares?device=shared-1", auth=SHARER, timeout=20).json()["shares"]
    assert (listed["looks"], listed["note"], listed["id"]) == (3, "给居民", made.json()["id"])
    assert entries(database, listed["id"]) == [("create", "sharer"), ("read", "anonymous")]  # once a minute


def test_the_token_is_kept_as_a_hash_and_masked_in_logs(site: tuple[str, Database]) -> None:
    url, database = site
    token = share(url).json()["link"].rpartition("/")[2]
    assert len(token) >= 43
    with database.transaction() as conn:
        digest = hashlib.sha256(token.encode()).digest()
        row = conn.execute(text("SELECT s::text FROM tracking.shares s WHERE digest = :d"), {"d": digest}).scalar_one()
    assert token not in row
    assert redacted(f"GET /tracking/shared/{token}?f=json 200") == "GET /tracking/shared/***?f=json 200"


def test_a_link_ends_by_its_time_and_by_whoever_may(site: tuple[str, Database]) -> None:
    url, database = site
    first, second = share(url).json(), share(url, until=(datetime.now(UTC) + timedelta(days=2)).isoformat()).json()
    paths = [url + "/tracking/shared/" + each["link"].rpartition("/")[2] for each in (first, second)]
    assert [requests.get(path, timeout=20).status_code for path in paths] == [200, 200]
    with database.transaction() as conn:
        conn.execute(
            text("UPDATE tracking.shares SET expires = now() - interval '1 s' WHERE id = :i"), {"i": first["id"]}
        )
    ending = f"{url}/tracking/shares/{second['id']}"
    assert requests.delete(ending, auth=OTHER, timeout=20).status_code == 404
    assert requests.get(paths[1], timeout=20).status_code == 200
    assert requests.delete(ending, auth=SHARER, timeout=20).status_code == 204
    assert requests.delete(ending, auth=SHARER, timeout=20).status_code == 404
    assert [requests.get(path, timeout=20).status_code for path in paths] == [404, 404]
    assert entries(database, second["id"])[-1] == ("delete", "sharer")


def test_only_who_may_change_a_device_shares_it(site: tuple[str, Database]) -> None:
    url, _ = site
    assert share(url, None).status_code == 401
    assert share(url, OTHER).status_code == 404  # a device that it does not see
    assert requests.get(f"{url}/tracking/shares", auth=OTHER, timeout=20).json() == {"shares": []}
    assert requests.get(f"{url}/tracking/shares", timeout=20).status_code == 401
    past = datetime.now(UTC) - timedelta(hours=1)
    assert share(url, until=past.isoformat()).status_code == 409
    assert share(url, until=(past + timedelta(days=60)).isoformat()).status_code == 409
    for body in ({"hours": "x"}, {"hours": -1}, {"until": "2026-01-01T00:00:00"}, {"more": 1}):
        answer = share(url, **body)
        assert answer.status_code == 400 and "member" in answer.json()["description"]
    for token in ("x", "A" * 43, "%00", "A" * 2000):
        assert requests.get(f"{url}/tracking/shared/{token}", timeout=20).status_code == 404


def test_a_persons_place_is_shown_on_duty_only(site: tuple[str, Database]) -> None:
    url, database = site
    link = url + "/tracking/shared/" + share(url, device="shared-2").json()["link"].rpartition("/")[2]
    assert requests.get(link, timeout=20).json()["lon"] == 114.9
    yesterday = time.strftime("%a", time.gmtime(time.time() + 8 * 3600 - 86_400))
    with database.transaction() as conn:
        conn.execute(
            text("UPDATE city.devices SET duty = :d WHERE code = 'shared-2'"), {"d": f"{yesterday} 10:00-10:01"}
        )
    seen = requests.get(link, timeout=20).json()
    assert (seen["state"], seen["lon"], seen["lat"], seen["time"]) == ("off-duty", None, None, None)
