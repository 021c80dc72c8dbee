"""Who sees which layers, fields and rows over a real server, and what of it the audit log keeps."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.conftest import Site
from tests.people import employ

NAME = Field("name", "string", Text("名称", "Name"), role="title")
WELLS = Layer(
    "wells", Text("水井", "Wells"), Text("公开", "Public"), "Point",
    (NAME, Field("owner", "string", Text("业主", "Owner"), visibility="internal"),
     Field("depth", "number", Text("深度", "Depth"), visibility="sensitive")),
)  # fmt: skip
CABLES = Layer(
    "cables", Text("电缆", "Cables"), Text("敏感", "Sensitive"), "Point", (NAME,), visibility="sensitive"
)
TICKETS = Layer(
    "tickets", Text("工单", "Tickets"), Text("按部门", "By department"), "Point",
    (NAME, Field("area", "string", Text("区划", "Area"), role="area"),
     Field("department", "string", Text("部门", "Department"), role="department")), visibility="internal",
)  # fmt: skip


@pytest.fixture(scope="module")
def town(postgres_url: str, template_name: str) -> Iterator[Site]:
    """A server with a public, a sensitive and a departments' layer; the public may not edit."""
    name = f"citymap_town_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        for layer in (WELLS, CABLES, TICKETS):
            create_layer(conn, layer)
        conn.execute(text("""
            INSERT INTO access.departments (id, parent, zh, en)
            VALUES ('works', NULL, '建设局', 'Works'), ('roads', 'works', '道路处', 'Roads'), ('parks', NULL, '园林局', 'Parks');
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
            SELECT 'case-handler', 'collection', 'tickets', unnest(ARRAY['read', 'create', 'update', 'delete']), 'internal', 'department';
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
            SELECT 'grid-worker', 'collection', 'tickets', unnest(ARRAY['read', 'update']), 'internal', 'area';
            INSERT INTO city.wells (geom, name, owner, depth) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '一号井', '张家', 12);
            INSERT INTO city.cables (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '主缆');
            INSERT INTO city.tickets (geom, name, area, department)
            SELECT ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), a || '/' || d, a, d
            FROM unnest(ARRAY['420704001', '420703']) a, unnest(ARRAY['works', 'roads', 'parks']) d"""))
        employ(conn, "works", "case-handler", department="works")
        employ(conn, "roads", "case-handler", department="roads")
        employ(conn, "grid", "grid-worker", area="420704")
        employ(conn, "planner", "planner")
        employ(conn, "nobody")
        employ(conn, "auditor", "audit-administrator")
    with serve(url, ACCESS__PASSWORD__FORCE_FIRST_CHANGE="false") as base:
        yield Site(base, database)
    database.close()
    drop_database(postgres_url, name)


def names(answer: requests.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {feature["properties"]["name"] for feature in answer.json()["features"]}


def asked(town: Site, path: str, account: str | None = None, **params: Any) -> requests.Response:
    from tests.people import PASSWORD

    return requests.get(town.url + path, params=params, auth=account and (account, PASSWORD), timeout=30)


@pytest.mark.parametrize(
    ("account", "seen"),
    [(None, {"wells"}), ("nobody", {"wells"}), ("grid", {"wells", "tickets"}), ("works", {"wells", "tickets"}),
     ("planner", {"wells", "tickets", "cables"})],
)  # fmt: skip
def test_a_layer_is_listed_and_read_by_those_who_may(town: Site, account: str | None, seen: set[str]) -> None:
    listed = {c["id"] for c in asked(town, "/collections", account, f="json").json()["collections"]}
    assert listed & {"wells", "cables", "tickets"} == seen
    for layer in ("wells", "cables", "tickets"):
        for path in ("", "/items", "/items/1", "/queryables", "/schema", "/tiles/WebMercatorQuad/0/0/0", "/items?f=csv"):
            answer = asked(town, f"/collections/{layer}{path}", account)
            assert answer.status_code == (200 if layer in seen else 404), (layer, path, answer.text)
    document = asked(town, "/openapi", account, f="json").json()
    assert ("/collections/cables/items" in document["paths"]) == ("cables" in seen)
    style = asked(town, "/styles/city", account).text
    assert ("cables" in style) == ("cables" in seen)


@pytest.mark.parametrize(
    ("account", "fields"), [(None, ["name"]), ("grid", ["name", "owner"]), ("planner", ["name", "owner", "depth"])]
)
def test_a_field_is_there_for_those_who_may_see_it(town: Site, account: str | None, fields: list[str]) -> None:
    feature = asked(town, "/collections/wells/items/1", account, f="json").json()
    assert list(feature["properties"]) == fields
    assert [n for n in asked(town, "/collections/wells/queryables", account, f="json").json()["properties"] if n in ("name", "owner", "depth")] == fields
    hidden = {"name", "owner", "depth"} - set(fields)
    for name in hidden:
        for parameter in ({"filter": f"{name} IS NOT NULL"}, {"sortby": name}, {"properties": name}, {name: "x"}):
            assert asked(town, "/collections/wells/items", account, **parameter).status_code == 400, parameter
    assert asked(town, "/collections/wells/items", account, f="csv").text.splitlines()[0].count(",") >= len(fields)
    for name in hidden:
        assert name not in asked(town, "/collections/wells/items", account, f="csv").text


def test_rows_belong_to_departments_and_areas(town: Site) -> None:
    items = "/collections/tickets/items"
    assert names(asked(town, items, "roads")) == {"420704001/roads", "420703/roads"}
    assert names(asked(town, items, "works")) == {f"{a}/{d}" for a in ("420704001", "420703") for d in ("works", "roads")}
    assert names(asked(town, items, "grid")) == {f"420704001/{d}" for d in ("works", "roads", "parks")}
    assert len(names(asked(town, items, "planner"))) == 6
    for account, count in (("roads", 2), ("works", 4), ("grid", 3), ("planner", 6)):
        assert asked(town, items, account, resulttype="hits").json()["numberMatched"] == count
        page = asked(town, items, account, limit="1").json()
        assert page.get("numberMatched", count) == count
    [(hidden,)] = town.sql("SELECT id FROM city.tickets WHERE name = '420703/parks'")
    assert asked(town, f"{items}/{hidden}", "roads").status_code == 404


def test_a_row_is_changed_by_those_who_may(town: Site) -> None:
    from tests.people import PASSWORD

    [(theirs,)] = town.sql("SELECT id FROM city.tickets WHERE name = '420703/parks'")
    [(ours,)] = town.sql("SELECT id FROM city.tickets WHERE name = '420704001/roads'")
    items = f"{town.url}/collections/tickets/items"

    def patch(account: str | None, item: int, **properties: str) -> int:
        body = {"properties": properties}
        auth = (account, PASSWORD) if account else None
        return requests.patch(f"{items}/{item}", json=body, auth=auth, timeout=30).status_code

    assert patch("roads", ours, name="420704001/roads") == 204
    assert patch("roads", theirs, name="x") == 404
    assert patch("roads", ours, department="parks") == 403
    assert patch("grid", ours, name="420704001/roads") == 204
    assert patch("nobody", ours, name="x") == 404
    assert patch(None, ours, name="x") == 404
    assert patch("planner", ours, area="420704002") == 204
    assert patch("planner", ours, area="420704001") == 204
    allow = {a: requests.options(items, auth=(a, PASSWORD), timeout=30).headers["Allow"] for a in ("grid", "roads", "planner")}
    assert {a: "POST" in methods for a, methods in allow.items()} == {"grid": False, "roads": True, "planner": True}
    create = {"type": "Feature", "geometry": None, "properties": {"name": "n", "department": "parks"}}
    assert requests.post(items, json=create, auth=("roads", PASSWORD), timeout=30).status_code == 403


def test_a_new_role_counts_within_a_second(town: Site) -> None:
    with town.database.transaction() as conn:
        employ(conn, "newcomer")
    assert asked(town, "/collections/tickets/items", "newcomer").status_code == 404
    with town.database.transaction() as conn:
        employ(conn, "newcomer", "leader")
    for _ in range(20):
        if asked(town, "/collections/tickets/items", "newcomer").status_code == 200:
            break
    else:
        pytest.fail("the role did not count")
    town.sql("DELETE FROM access.memberships WHERE account = 'newcomer'")
    for _ in range(20):
        if asked(town, "/collections/tickets/items", "newcomer").status_code == 404:
            break
    else:
        pytest.fail("the role still counted")


def test_answers_to_an_account_are_kept_by_no_shared_cache(town: Site) -> None:
    assert asked(town, "/collections/tickets/items", "works").headers["Cache-Control"] == "private, no-cache"


def test_reads_of_sensitive_layers_and_fields_are_audited(town: Site) -> None:
    [(before,)] = town.sql("SELECT coalesce(max(id), 0) FROM audit.entries")
    asked(town, "/collections/wells/items")  # public
    asked(town, "/collections/tickets/items", "works")  # internal
    tile = "/tiles/WebMercatorQuad/0/0/0?collections=tickets,cables"
    for path in ("/collections/cables/items?limit=3", "/collections/cables/items/1", "/collections/wells/items",
                 "/collections/cables/items?f=csv", tile, tile):  # no cache stands before the log  # fmt: skip
        assert asked(town, path, "planner").status_code == 200
    kept = town.sql(
        "SELECT actor, object, detail ->> 'asked' FROM audit.entries WHERE action = 'read' AND id > :before ORDER BY id", before=before
    )
    assert [(actor, layer) for actor, layer, _ in kept] == [
        ("planner", "cables"), ("planner", "cables"), ("planner", "wells"), ("planner", "cables"), ("planner", "cables"),
        ("planner", "cables"),
    ]  # fmt: skip
    assert kept[0][2] == "GET /collections/cables/items?limit=3"


def test_edits_and_refusals_are_audited(town: Site) -> None:
    from tests.people import PASSWORD

    [(before,)] = town.sql("SELECT coalesce(max(id), 0) FROM audit.entries")
    body = {"type": "Feature", "geometry": None, "properties": {"name": "新"}}
    assert requests.post(f"{town.url}/collections/wells/items", json=body, auth=("grid", PASSWORD), timeout=30).status_code == 403
    made = requests.post(f"{town.url}/collections/wells/items", json=body, auth=("planner", PASSWORD), timeout=30)
    assert made.status_code == 201
    town.sql("DELETE FROM city.wells WHERE name = '新'")
    kept = town.sql(
        "SELECT actor, action, object, outcome, address FROM audit.entries WHERE id > :before"
        " AND action IN ('create', 'delete', 'refused') ORDER BY id", before=before
    )
    assert kept[:2] == [
        ("grid", "refused", "/collections/wells/items", "refused", "127.0.0.1"),
        ("planner", "create", "wells", "done", "127.0.0.1"),
    ]
    assert [row[1:4] for row in kept[2:]] == [("delete", "wells", "done")]


def test_the_audit_log_is_for_its_administrator(town: Site) -> None:
    assert asked(town, "/audit").status_code == 401
    assert asked(town, "/audit", "planner").status_code == 403
    entries = asked(town, "/audit", "auditor", limit="5").json()["entries"]
    assert 0 < len(entries) <= 5


def test_a_job_has_the_rights_of_its_account(town: Site) -> None:
    """The export runs in this process here; its worker makes the principal anew from the account."""
    from geoserver.database_roles import role_url
    from geoserver.principals import Principals
    from layers.access import APP_ROLE
    from layers.registry import load_layers

    gate = Database(town.database.url, pool_size=1)
    for account, seen in ((None, False), ("works", True)):
        principal = Principals(gate).of(account)
        app = Database(role_url(town.database.url, APP_ROLE), pool_size=1)
        with app.transaction(principal=principal) as conn:
            assert ("tickets" in load_layers(conn)) == seen
        app.close()
    gate.close()
