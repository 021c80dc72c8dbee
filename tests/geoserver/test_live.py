"""Server-sent events name the tiles that changed, to those who may know, and go on where a client was cut off."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from sqlalchemy import text

from tests.geoserver.conftest import Site
from tests.geoserver.test_vector_tiles import TILE, put, town  # noqa: F401
from tests.people import PASSWORD


@contextmanager
def stream(
    site: Site, account: str | None = None, last: str | None = None, **params: str
) -> Iterator[Iterator[dict[str, Any]]]:
    headers = {"Last-Event-ID": last} if last else {}
    auth = account and (account, PASSWORD)
    with requests.get(f"{site.url}/live", params, headers=headers, auth=auth, stream=True, timeout=5) as answer:  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in answer.iter_lines(chunk_size=1):
        if line:
            name, _, value = line.decode().partition(": ")
            event[name] = value
        elif event:
            yield event
            event = {}


def next_tiles(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return next(e | {"data": json.loads(e["data"])} for e in events if e.get("event") == "tiles")


def test_an_edit_is_named_by_its_tiles_at_once(town: Site) -> None:  # noqa: F811
    with stream(town) as events:
        assert next(e for e in events if "id" in e)["event"] == "open"
        put(town, "pits", "直播")
        begun = time.monotonic()
        told = next_tiles(events)["data"]
        assert time.monotonic() - begun < 1
    _, z, y, x = TILE.split("/")
    assert told["layer"] == "pits" and told["tileMatrixSet"] == "WebMercatorQuad"
    assert told["tiles"][z] == [int(x), int(y), int(x), int(y)]


def test_a_client_that_was_cut_off_is_told_what_it_missed(town: Site) -> None:  # noqa: F811
    with stream(town) as events:
        last = next(e for e in events if "id" in e)["id"]
    put(town, "wells", "错过的井")
    with stream(town, last=last, tms="CGCS2000Quad") as events:
        told = next_tiles(events)
        assert told["data"]["layer"] == "wells" and told["data"]["tiles"]["13"] == [13421, 2712, 13421, 2712]
    with stream(town, last=told["id"]) as events:
        put(town, "pits", "之后")
        assert next_tiles(events)["data"]["layer"] == "pits"


@pytest.mark.parametrize(
    "last", ["x", "9:1:", "1:99999999999999999:", "1:2:'; DROP TABLE x", "0:0:", "5:9:" + "7," * 500]
)
def test_an_id_that_is_none_of_ours_means_everything_again(town: Site, last: str) -> None:  # noqa: F811
    with stream(town, last=last) as events:
        assert next(e for e in events if "id" in e)["event"] == "reset"


@pytest.mark.parametrize("account", [None, "east", "planner"])
def test_nobody_is_told_of_rows_that_he_may_not_see_nor_of_sensitive_layers(town: Site, account: str | None) -> None:  # noqa: F811
    with stream(town, account) as events:
        next(e for e in events if "id" in e)
        with town.database.transaction() as conn:
            for layer in ("cables", "tickets", "pits"):
                conn.execute(
                    text(f"INSERT INTO city.{layer} (geom, name) VALUES (ST_SetSRID(ST_MakePoint(10, 10), 4490), 's')")
                )
        seen = {next_tiles(events)["data"]["layer"]}
        put(town, "pits", "哨兵", lon=11)
        while (told := next_tiles(events)["data"])["layer"] != "pits" or told["tiles"]["16"][0] < 34700:
            seen.add(told["layer"])
    assert "cables" not in seen
    assert ("tickets" in seen) == (account == "planner")


def test_a_change_of_rights_ends_the_stream(town: Site) -> None:  # noqa: F811
    with stream(town, "planner") as events:
        next(e for e in events if "id" in e)
        town.sql("UPDATE access.roles SET position = position WHERE id = 'planner' RETURNING id")
        time.sleep(0.3)
        put(town, "pits", "收回后")
        assert not [e for e in events if e.get("event") == "tiles"]


def test_a_client_holds_so_many_streams_and_no_more(town: Site) -> None:  # noqa: F811
    time.sleep(0.5)
    opened = [requests.get(f"{town.url}/live", stream=True, timeout=5) for _ in range(14)]
    try:
        assert [a.status_code for a in opened].count(503) >= 2
        assert [a.status_code for a in opened].count(200) >= 8
    finally:
        for answer in opened:
            answer.close()
