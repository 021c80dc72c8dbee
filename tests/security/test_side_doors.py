"""Ways round the rules that are not the front door: other keys' jobs, imports, styles, rights that a worker remembers."""

import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
import requests
from sqlalchemy import text

from geoserver.config import load
from geoserver.execution import Execution
from geoserver.identity.api_keys import make_key
from geoserver.identity.model import Scope
from geoserver.job_queue import Worker
from layers.access import PUBLIC_GRANTS, visible
from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.conftest import Site
from tests.people import PASSWORD, employ

T = Text("测试", "Test")
NAME = Field("name", "string", T, role="title")
AREA = Field("area", "string", T, role="area")
LAYERS = (
    Layer("wells", T, T, "Point", (NAME, AREA), visibility="internal"),
    Layer("kernel", T, T, "Point", (NAME,), visibility="core"),
    Layer("closed", T, T, "Point", (NAME,), editable=False),
)


@pytest.fixture(scope="module")
def town(postgres_url: str, template_name: str) -> Iterator[Site]:
    """A server with a planner, and with a surveyor who may read, create and update the wells of one district."""
    name = f"citymap_doors_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        for layer in LAYERS:
            create_layer(conn, layer)
        conn.execute(text("""
            INSERT INTO access.roles (id, zh, en) VALUES ('surveyor', '测量员', 'Surveyor');
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
            SELECT 'surveyor', 'collection', 'wells', unnest(ARRAY['read', 'create', 'update']), 'internal', 'area'
            UNION ALL SELECT 'surveyor', 'process', 'import-layer', 'execute', 'core', 'everywhere';
            INSERT INTO city.wells (geom, name, area) SELECT ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), a, a
            FROM unnest(ARRAY['420704', '420703']) a"""))
        employ(conn, "planner", "planner")
        employ(conn, "leader", "leader")
        employ(conn, "surveyor", "surveyor", area="420704")
    with serve(url, ACCESS__PASSWORD__FORCE_FIRST_CHANGE="false") as base:
        yield Site(base, database)
    database.close()
    drop_database(postgres_url, name)


def call(town: Site, method: str, path: str, who: str, **more: Any) -> requests.Response:
    if who.startswith("cmk_"):
        more["headers"] = {**more.get("headers", {}), "Authorization": f"Bearer {who}"}
    else:
        more["auth"] = (who, PASSWORD)
    return requests.request(method, town.url + path, timeout=60, **more)


def submitted(town: Site, who: str, layer: str = "wells") -> str:
    answer = call(
        town, "POST", "/processes/export-layer/execution", who,
        json={"inputs": {"layer": layer}}, headers={"Prefer": "respond-async"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobID"])


def imported(town: Site, who: str, row: dict[str, str], layer: str, mode: str = "append") -> requests.Response:
    geometry = {"type": "Point", "coordinates": [114.9, 30.4]}
    body = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": row, "geometry": geometry}]}
    sent = call(town, "POST", "/uploads", who, params={"name": "x.geojson"}, data=orjson.dumps(body))
    inputs = {"upload": sent.json()["id"], "layer": layer, "mode": mode}
    return call(town, "POST", "/processes/import-layer/execution", who, json={"inputs": inputs})


def test_a_narrow_key_knows_only_of_jobs_of_its_own_scope(town: Site) -> None:
    def key(*collections: str) -> str:
        scope = Scope(collections=frozenset(collections))
        with town.database.transaction() as conn:
            return make_key(conn, "planner", "k", scope, 10, "planner", 100)[0]

    def listed(who: str) -> set[str]:
        return {job["jobID"] for job in call(town, "GET", "/jobs", who, params={"f": "json"}).json()["jobs"]}

    narrow, twin, other = key("closed"), key("closed"), key("wells")
    wide_job, narrow_job = submitted(town, "planner"), submitted(town, narrow)
    assert listed("planner") == {wide_job, narrow_job}
    assert listed(narrow) == listed(twin) == {narrow_job}
    assert listed(other) == set()
    for who, job in ((narrow, wide_job), (other, wide_job), (other, narrow_job)):
        for method, path in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
            assert call(town, method, f"/jobs/{job}{path}", who).status_code == 404, (who, job, method)
    assert call(town, "GET", f"/jobs/{narrow_job}", twin).status_code == 200
    assert call(town, "DELETE", f"/jobs/{wide_job}", "planner").status_code == 200


@pytest.mark.parametrize("layer", ["closed", "imagery"])
def test_a_closed_layer_takes_no_import(town: Site, layer: str) -> None:
    before = town.sql(f"SELECT count(*) FROM city.{layer}")
    answer = imported(town, "planner", {"name": "x", "folder": "dem/0123456789abcdef"}, layer)
    assert answer.status_code == 400 and "read-only" in answer.text, answer.text
    assert town.sql(f"SELECT count(*) FROM city.{layer}") == before


def test_the_id_of_a_hidden_layer_is_refused_without_an_error_of_the_server(town: Site) -> None:
    answer = imported(town, "planner", {"name": "x"}, "kernel")
    assert answer.status_code == 400 and "taken" in answer.text, answer.text


def test_an_import_ends_at_the_borders_of_ones_area(town: Site) -> None:
    assert imported(town, "surveyor", {"name": "x", "area": "420703"}, "wells").status_code == 403
    answer = imported(town, "surveyor", {"name": "x", "area": "420704"}, "wells", "replace")
    assert answer.status_code == 403 and "may not delete" in answer.text, answer.text
    assert town.sql("SELECT count(*) FROM city.wells") == [(2,)]


def test_a_style_that_writes_a_hidden_field_is_left_out() -> None:
    owner = Field("owner", "string", T, visibility="internal")
    style = ({"id": "label", "layout": {"text-field": "Of {owner}"}}, {"id": "plain", "layout": {"text-field": "{name}"}})
    seen = visible(Layer("wells", T, T, "Point", (NAME, owner), style=style), PUBLIC_GRANTS)
    assert seen is not None and [each["id"] for each in seen.style] == ["plain"]


def test_a_worker_remembers_no_rights(town: Site, tmp_path: Any) -> None:
    settings = load(environ={"CITYMAP__SERVER__JOBS__DIRECTORY": str(tmp_path)})
    worker = Worker(settings, town.database.url)

    def outcome() -> str:
        job = submitted(town, "leader")
        record = worker.jobs.claim(UUID(job))
        assert record is not None
        worker._work(record, Execution())
        return str(call(town, "GET", f"/jobs/{job}", "leader").json()["status"])

    try:
        assert outcome() == "successful"
        town.sql("DELETE FROM access.memberships WHERE account = 'leader'")
        assert outcome() == "failed"
    finally:
        worker._database.close()
        worker._gate.close()
