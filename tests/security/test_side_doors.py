"""Ways round the rules that are not the front door: other keys' jobs, imports, styles, rights that a worker remembers."""

import os
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from geoserver.config import load
from geoserver.database_roles import role_url
from geoserver.execution import Execution
from geoserver.identity.api_keys import make_key
from geoserver.identity.model import Scope
from geoserver.job_queue import Worker
from geoserver.upkeep import upkeep
from layers.access import PUBLIC_GRANTS, visible
from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import ROOT, drop_database, make_database, serve
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
        conn.execute(
            text("""
            INSERT INTO access.roles (id, zh, en) VALUES ('surveyor', '测量员', 'Surveyor');
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
            SELECT 'surveyor', 'collection', 'wells', unnest(ARRAY['read', 'create', 'update']), 'internal', 'area'
            UNION ALL SELECT 'surveyor', 'process', 'import-layer', 'execute', 'core', 'everywhere';
            INSERT INTO city.wells (geom, name, area) SELECT ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), a, a
            FROM unnest(ARRAY['420704', '420703']) a""")
        )
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
    style = (
        {"id": "label", "layout": {"text-field": "Of {owner}"}},
        {"id": "plain", "layout": {"text-field": "{name}"}},
    )
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


@pytest.fixture
def app_role(town: Site) -> Iterator[Database]:
    """Connections as the server's own role, by which a route that forgot to ask whose rows it reads would read them."""
    database = Database(role_url(town.database.url, "citymap_app"), pool_size=1)
    yield database
    database.close()


@pytest.mark.parametrize("table", ["jobs", "uploads"])
def test_postgresql_keeps_jobs_and_uploads_to_their_account(town: Site, app_role: Database, table: str) -> None:
    row = {
        "jobs": "INSERT INTO citymap.jobs (process, inputs, actor) VALUES ('x', '{}', :actor)",
        "uploads": "INSERT INTO citymap.uploads (id, name, bytes, actor, expires)"
        " VALUES (gen_random_uuid(), 'x', 1, :actor, now() + interval '1 hour')",
    }[table]
    town.sql(f"DELETE FROM citymap.{table}")
    for actor in ("leader", "planner", None):
        town.sql(row, actor=actor)
    shown = text(f"SELECT actor FROM citymap.{table} ORDER BY 1")
    nobodys = [None]
    seen = {"leader": ["leader", None] if table == "jobs" else ["leader"], None: nobodys, "": nobodys, "x'; --": []}
    for actor, expected in seen.items():
        with app_role.transaction(actor) as conn:
            own = expected or (nobodys if table == "jobs" else [])
            assert conn.execute(shown).scalars().all() == own, actor

    with app_role.transaction("leader") as conn:
        others = {"actor": "planner"}
        assert conn.execute(text(f"DELETE FROM citymap.{table} WHERE actor = :actor"), others).rowcount == 0
        assert (
            conn.execute(text(f"UPDATE citymap.{table} SET actor = 'leader' WHERE actor = :actor"), others).rowcount
            == 0
        )
    for statement in (row, f"UPDATE citymap.{table} SET actor = :actor WHERE actor = 'leader'"):
        with pytest.raises(ProgrammingError, match="row-level security"), app_role.transaction("leader") as conn:
            conn.execute(text(statement), {"actor": "planner"})
    with upkeep(app_role) as conn:
        assert len(conn.execute(shown).all()) == 3
    with app_role.transaction() as conn:  # upkeep ends with its transaction
        assert conn.execute(shown).scalars().all() == nobodys
    town.sql(f"DELETE FROM citymap.{table}")


def test_only_the_search_reads_names_and_always_joined_to_their_layers_under_policy() -> None:
    """``citymap.names`` has no policy: it leads to features only, and what is told is read from the layer's table. So
    no other statement may read it, and the ones that do must join the table whose policies choose the rows."""
    reads = re.compile(r"(?:FROM|JOIN) citymap\.(?:names|name_terms)\b")
    places = ("layers", "geoserver", "grid", "planning", "tracking", "tiles")
    files = [path for place in places for path in (ROOT / place).rglob("*.py") if "node_modules" not in path.parts]
    found = {path.relative_to(ROOT).as_posix() for path in files if reads.search(path.read_text("utf-8"))}
    assert found == {"layers/gazetteer/lookups.py"}
    lookups = (ROOT / "layers" / "gazetteer" / "lookups.py").read_text("utf-8")
    joined = re.findall(r"citymap\.names n[ \n]+(?:ON n\.term = t\.id[ \n]+)?\"?[ \n\"f]*JOIN \{table_of", lookups)
    assert len(joined) == len(re.findall(r"citymap\.names\b", lookups))
