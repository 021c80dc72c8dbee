"""Pipes and analyses at a running server: who may ask, what is refused, and a large result as a file of a job."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, text

from layers.database import psycopg2_url
from tests.conftest import serve
from tests.people import employ


@pytest.fixture(scope="module")
def planner(city_database: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """A server, and what HTTP Basic wants of a planner."""
    engine = create_engine(psycopg2_url(city_database))
    with engine.begin() as conn:
        who = employ(conn, "pipe-planner", "planner")
    with serve(city_database) as url:
        yield url, who
    with engine.begin() as conn:
        conn.execute(text("DELETE FROM access.memberships WHERE account = 'pipe-planner'"))
    engine.dispose()


def execute(site: str, process: str, who: tuple[str, str] | None, **inputs: Any) -> requests.Response:
    return requests.post(f"{site}/processes/{process}/execution", json={"inputs": inputs}, auth=who, timeout=120)


def test_pipes_are_for_those_who_may_read_them(planner: tuple[str, tuple[str, str]], city_database: str) -> None:
    site, who = planner
    for process, inputs in (
        ("pipe-trace", {"pipe": 1, "mode": "connected"}),
        ("pipe-section", {"pipes": [1]}),
        ("buffer", {"features": {"layer": "pipelines"}, "distance": 1}),
    ):
        answer = execute(site, process, None, **inputs)
        assert answer.status_code == 404 and "'pipelines'" in answer.json()["description"]
    engine = create_engine(psycopg2_url(city_database))
    with engine.begin() as conn:
        read = text(
            "SELECT count(*) FROM audit.entries WHERE object = 'pipelines' AND action = 'read' AND actor = 'pipe-planner'"
        )
        before = conn.execute(read).scalar_one()
        drain = conn.execute(
            text("SELECT id FROM city.pipelines WHERE kind = 'WS' ORDER BY start_invert DESC LIMIT 1")
        ).scalar_one()
    found = execute(site, "pipe-trace", who, pipe=drain, mode="downstream").json()
    assert found["count"] > 1 and found["pipes"]["features"][0]["id"] == drain
    assert any(node["fitting"] == "pump" for node in found["nodes"])  # where the sewage leaves the sample city
    drawn = execute(site, "pipe-section", who, pipes=[drain]).json()
    assert drawn["drawing"].startswith("<svg ")
    with engine.begin() as conn:
        assert conn.execute(read).scalar_one() > before
    engine.dispose()


def test_a_burst_in_the_sample_city_cuts_somebody_off(planner: tuple[str, tuple[str, str]], city_database: str) -> None:
    site, who = planner
    engine = create_engine(psycopg2_url(city_database))
    with engine.begin() as conn:
        main = conn.execute(
            text("SELECT p.id FROM city.pipelines p JOIN city.pipe_nodes n ON n.source_id = p.to_node"
                 " WHERE p.kind = 'JP' AND n.customers > 50 ORDER BY n.customers DESC LIMIT 1")
        ).scalar_one()  # fmt: skip
    engine.dispose()
    found = execute(site, "pipe-trace", who, pipe=main, mode="burst").json()
    assert found["cut_off"]["fed"] and found["cut_off"]["customers"] > 50
    assert found["valves"] and all(valve["node"].startswith("JPv") for valve in found["valves"])
    refused = execute(site, "pipe-trace", who, pipe=main, mode="burst", broken=["JP000001"])
    assert refused.status_code == 400 and "'JP000001' is no valve" in refused.json()["description"]


@pytest.mark.parametrize(
    ("process", "inputs", "says"),
    [
        ("buffer", {"features": {"layer": "pois"}}, "give one of the inputs 'distance' and 'field'"),
        ("buffer", {"features": {"layer": "pois", "filter": "nonsense >"}, "distance": 1}, "input 'features.filter'"),
        ("buffer", {"features": {"type": "FeatureCollection", "features": []}, "distance": 1}, "input 'features"),
        ("overlay", {"features": {"layer": "pois"}, "other": {"layer": "roads"}}, "no areas"),
        ("nearest", {"features": {"layer": "pois"}, "candidates": {"layer": "pois"}, "count": 0}, "input 'count'"),
        ("exposure", {"hazard": {"layer": "roads"}, "distance": 60000}, "input 'distance'"),
        ("zonal-statistics", {"zones": {"layer": "water"}, "coverage": "dem"}, "'dem' has no image"),
        ("change-detection", {"before": ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"],
                              "after": ["2021-01-01T00:00:00Z", "2021-02-01T00:00:00Z"]}, "input 'before'"),
        ("buffer", {"features": {"layer": "pois"}, "distance": 1, "file": True}, "send Prefer: respond-async"),
        ("pipe-section", {"line": {"type": "LineString", "coordinates": [[114.9, 30.4], [114.9, 30.4]]}}, "no length"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    planner: tuple[str, tuple[str, str]], process: str, inputs: dict[str, Any], says: str
) -> None:
    site, who = planner
    answer = execute(site, process, who, **inputs)
    assert answer.status_code == 400
    assert says in answer.json()["description"]
