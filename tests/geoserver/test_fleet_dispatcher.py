"""What a fleet dispatcher does over HTTP: links to live positions, tracks from files, units, cases of alarms."""

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


def execute(url: str, process: str, account: tuple[str, str] | None = SHARER, **inputs: Any) -> requests.Response:
    return requests.post(f"{url}/processes/{process}/execution", json={"inputs": inputs}, auth=account, timeout=60)


def test_a_track_is_uploaded_and_imported(site: tuple[str, Database]) -> None:
    url, database = site
    table = (
        "time,lon,lat\n2026-11-20 10:00:00,114.9,30.4\n2026-11-20 10:00:10,114.901,30.4\n2026-11-20 10:00:20,x,30.4\n"
    )
    sent = requests.post(f"{url}/uploads", files={"file": ("track.csv", table)}, auth=SHARER, timeout=20)
    assert sent.status_code == 201, sent.text
    found = execute(url, "import-track", file=sent.json()["id"], device="shared-1")
    assert found.status_code == 200, found.text
    assert (found.json()["stored"], found.json()["left_out"], found.json()["reasons"][0]["where"]) == (2, 1, "line 4")
    with database.transaction() as conn:
        query = "SELECT count(*) FROM tracking.positions WHERE device = (SELECT id FROM city.devices WHERE code = 'shared-1')"
        assert conn.execute(text(query)).scalar() == 2


def test_a_unit_is_found_and_sent_by_whose_it_is(site: tuple[str, Database]) -> None:
    url, database = site
    with database.transaction() as conn:
        conn.execute(
            text(
                "INSERT INTO city.roads (geom, class) VALUES (ST_GeomFromText('LINESTRING(116 31, 116.02 31)', 4490), 'primary')"
            )
        )
        conn.execute(text("INSERT INTO city.devices (code, name, department) VALUES ('sent-1', '应急1号', 'roads')"))
        conn.execute(text("INSERT INTO city.positions (geom, device, department, state, time) VALUES"
                          " (ST_SetSRID(ST_MakePoint(116.001, 31), 4490), 'sent-1', 'roads', 'moving', now())"))  # fmt: skip
    near = execute(url, "nearest-units", point=[116.01, 31])
    assert near.status_code == 200, near.text
    assert [unit["device"] for unit in near.json()["units"]][0] == "sent-1"
    assert execute(url, "nearest-units", OTHER, point=[116.01, 31]).json()["units"] == []
    assert execute(url, "nearest-units", None, point=[116.01, 31]).status_code == 404
    refused = execute(url, "dispatch-unit", OTHER, device="sent-1", point=[116.01, 31], text="x")
    assert refused.status_code == 404
    assert execute(url, "dispatch-unit", None, device="sent-1", point=[116.01, 31], text="x").status_code == 401
    sent = execute(url, "dispatch-unit", device="sent-1", point=[116.01, 31], text="清障")
    assert sent.status_code == 200, sent.text
    tasks = requests.get(f"{url}/collections/unit-tasks/items", auth=SHARER, timeout=20).json()["features"]
    (task,) = (each["properties"] for each in tasks if each["properties"]["device"] == "sent-1")
    assert (task["code"], task["state"], task["assigned_by"]) == (sent.json()["task"], "assigned", "sharer")
    again = execute(url, "dispatch-unit", device="sent-1", point=[116.01, 31], text="清障")
    assert again.status_code == 409
    assert execute(url, "advance-task", OTHER, task=task["code"], to="done").status_code == 404
    assert execute(url, "advance-task", task=task["code"], to="done").json()["state"] == "done"


def test_an_alarm_becomes_a_case(site: tuple[str, Database]) -> None:
    url, database = site
    with database.transaction() as conn:
        conn.execute(text("INSERT INTO city.alarms (geom, key, kind, device, name, department, began, state) VALUES (ST_SetSRID("
                          "ST_MakePoint(116.2, 31.2), 4490), 'fleet-alarm', 'leave', 'shared-1', '环卫1号', 'roads', now(), 'new')"))  # fmt: skip
    assert execute(url, "alarm-to-case", OTHER, alarm="fleet-alarm", class_code="0102").status_code == 404
    made = execute(url, "alarm-to-case", alarm="fleet-alarm", class_code="0102")
    assert made.status_code == 200, made.text
    again = execute(url, "alarm-to-case", alarm="fleet-alarm", class_code="0102")
    assert again.status_code == 409 and made.json()["case"] in again.json()["description"]
    begin = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    counted = execute(url, "alarm-statistics", begin=begin, end=end, by=["kind"]).json()["groups"]
    assert [group["cases"] for group in counted if group["of"] == ["leave"]] == [1]
    empty = execute(url, "shift-report", begin=begin, end=end)
    assert empty.status_code == 200, empty.text
