"""Under load and abuse a worker stays alive, bounded, and says why it refuses."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import text

from geoserver import reply
from tests.conftest import serve
from tests.geoserver.conftest import Site

ITEMS = "/collections/plots/items"


def test_health_answers_while_every_request_thread_waits(site: Site) -> None:
    with ThreadPoolExecutor(8) as clients, site.database.transaction() as conn:
        conn.execute(text("LOCK TABLE city.plots IN ACCESS EXCLUSIVE MODE"))
        waiting = [clients.submit(site.get, ITEMS) for _ in range(8)]
        time.sleep(0.3)
        start = time.monotonic()
        assert site.get("/health").status_code == 200
        assert time.monotonic() - start < 1
        conn.rollback()
        assert {answer.result().status_code for answer in waiting} == {200}


def test_more_requests_than_may_wait_are_told_to_come_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "MOST_WAITING", 6)
    with ThreadPoolExecutor(12) as clients, site.database.transaction() as conn:
        conn.execute(text("LOCK TABLE city.plots IN ACCESS EXCLUSIVE MODE"))
        waiting = [clients.submit(site.get, ITEMS) for _ in range(12)]
        time.sleep(0.5)
        conn.rollback()
        answers = [answer.result() for answer in waiting]
    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [503] * 6
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["Retry-After"] and "waiting" in refused.json()["description"]


def test_a_stranger_is_turned_away_before_the_body_is_read(site: Site) -> None:
    with serve(site.database.url) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            head = f"POST {ITEMS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/geo+json\r\nContent-Length: 50000000\r\n\r\n"
            line.sendall(head.encode() + b"{")
            assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_a_body_that_does_not_arrive_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "BODY_SECONDS", 0.3)

    def slow() -> Iterator[bytes]:
        yield b"{"
        time.sleep(1)
        yield b"}"

    answer = requests.post(site.url + ITEMS, data=slow(), headers={"Content-Type": "application/geo+json"}, timeout=30)
    assert answer.status_code == 400 and "did not arrive" in answer.json()["description"]


def test_an_export_whose_rows_cannot_be_read_is_refused_before_it_begins(site: Site) -> None:
    site.sql("INSERT INTO city.trees (geom, name, code, planted) VALUES (ST_SetSRID(ST_MakePoint(24, 0), 4490), '远', 'far', '2020-01-01')")
    try:
        answer = site.get("/collections/trees/items", f="csv", crs="http://www.opengis.net/def/crs/EPSG/0/4547", filter="code = 'far'")
        assert answer.status_code == 400
    finally:
        site.sql("DELETE FROM city.trees WHERE code = 'far'")
