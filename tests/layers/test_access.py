"""Rows, fields and layers that a principal may see and change: PostgreSQL's policies against a plain statement of the rules."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from layers.access import Grant, Principal, grants_from, grants_text, visible, visible_layers
from layers.catalogue import Field, Layer, Text
from layers.crs import CRS84
from layers.database import Database, Reader, acting_as
from layers.editing import checked_edit
from layers.features import RowDenied, change_feature, count, create_feature, delete_feature, read_page
from layers.query import Box, FeatureQuery
from layers.registry import create_layer, load_layers, update_layer

RANK = {"public": 0, "internal": 1, "sensitive": 2, "core": 3}
ROWS = [(area, department) for area in ("420704001", "420704002001", "420703", None) for department in ("parks", "roads", None)]
GRANTS = [
    (),
    (Grant("*", frozenset({"read"}), "public"),),
    (Grant("*", frozenset({"read"}), "internal"),),
    (Grant("*", frozenset({"read", "update"}), "core"),),
    (Grant("files", frozenset({"read"}), "core"),),
    (Grant("*", frozenset({"read"}), "core", besides=("files",)),),
    (Grant("files", frozenset({"read", "create", "update", "delete"}), "core", area="420704"),),
    (Grant("files", frozenset({"read", "create", "update", "delete"}), "core", departments=("parks",)),),
    (Grant("files", frozenset({"read"}), "core", departments=()),),
    (
        Grant("files", frozenset({"read", "update"}), "sensitive", area="420704002"),
        Grant("*", frozenset({"read"}), "internal", departments=("roads", "water")),
    ),
]


def files(visibility: Any) -> Layer:
    return Layer(
        id="files",
        title=Text("档案", "Files"),
        description=Text("测试用", "For tests"),
        geometry_type="Point",
        fields=(
            Field("name", "string", Text("名称", "Name")),
            Field("area", "string", Text("区划", "Area"), role="area"),
            Field("department", "string", Text("部门", "Department"), role="department"),
            Field("owner", "string", Text("业主", "Owner"), visibility="sensitive"),
        ),
        visibility=visibility,
        style=({"id": "a", "paint": {"circle-color": ["get", "owner"]}}, {"id": "b", "paint": {}}),
    )


def plainly_allowed(grants: tuple[Grant, ...], visibility: str, action: str, row: tuple[str | None, str | None]) -> bool:
    """The rules in words: docs/security.md."""
    if action == "read" and visibility == "public":
        return True
    for grant in grants:
        if grant.collection != "files" and (grant.collection != "*" or "files" in grant.besides):
            continue
        if action not in grant.actions or RANK[grant.visibility] < RANK[visibility]:
            continue
        if grant.departments is not None:
            if row[1] in grant.departments:
                return True
        elif grant.area == "" or (row[0] or "").startswith(grant.area):
            return True
    return False


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """The owner's connection, with the layer ``files`` and its rows; rolled back."""
    with database.engine.connect() as connection:
        transaction = connection.begin()
        create_layer(connection, files("internal"))
        for area, department in ROWS:
            connection.execute(
                text("INSERT INTO city.files (geom, name, area, department, owner)"
                     " VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :n, :a, :d, 'x')"),
                {"n": f"{area}/{department}", "a": area, "d": department},
            )
        yield connection
        transaction.rollback()


def become(conn: Connection, grants: tuple[Grant, ...], account: str = "li") -> None:
    """From here on the connection is the server's, acting for somebody with these grants."""
    conn.execute(text("SET LOCAL ROLE citymap_app"))
    told = acting_as(Principal(account, grants=grants))
    conn.execute(text("SELECT set_config('citymap.grants', :grants, true), set_config('citymap.actor', :actor, true)"), told)


def rows_of(conn: Connection, statement: str) -> set[str]:
    return set(conn.execute(text(statement)).scalars())


@pytest.mark.parametrize("visibility", RANK)
@pytest.mark.parametrize("grants", GRANTS, ids=range(len(GRANTS)))
def test_each_action_reaches_the_rows_that_the_rules_allow(owner: Connection, grants: tuple[Grant, ...], visibility: Any) -> None:
    update_layer(owner, files(visibility))

    def allowed(action: str) -> set[str]:
        return {f"{a}/{d}" for a, d in ROWS if plainly_allowed(grants, visibility, action, (a, d))}

    become(owner, grants)
    assert rows_of(owner, "SELECT name FROM city.files") == allowed("read")
    may_change = allowed("read") & allowed("update")
    assert rows_of(owner, "UPDATE city.files SET owner = 'y' RETURNING name") == may_change
    may_remove = allowed("read") & allowed("delete")
    assert rows_of(owner, "DELETE FROM city.files RETURNING name") == may_remove


@pytest.mark.parametrize("grants", GRANTS, ids=range(len(GRANTS)))
def test_a_row_is_created_only_where_the_rules_allow(owner: Connection, grants: tuple[Grant, ...]) -> None:
    become(owner, grants)
    for area, department in ROWS:
        savepoint = owner.begin_nested()
        try:
            owner.execute(
                text("INSERT INTO city.files (name, area, department) VALUES ('new', :a, :d)"), {"a": area, "d": department}
            )
            made = True
        except ProgrammingError as error:
            assert isinstance(error.orig, InsufficientPrivilege)
            made = False
        savepoint.rollback()
        assert made == plainly_allowed(grants, "internal", "create", (area, department)), (area, department)


def test_a_row_cannot_be_moved_out_of_ones_area(owner: Connection) -> None:
    become(owner, (Grant("files", frozenset({"read", "update"}), "core", area="420704"),))
    with pytest.raises(ProgrammingError, match="row-level security"), owner.begin_nested():
        owner.execute(text("UPDATE city.files SET area = '420703' WHERE area = '420704001'"))


def test_past_states_are_as_hidden_as_present_ones(owner: Connection) -> None:
    owner.execute(text("UPDATE city.files SET owner = 'later'"))
    grants = GRANTS[6]
    become(owner, grants)
    expected = {f"{a}/{d}" for a, d in ROWS if plainly_allowed(grants, "internal", "read", (a, d))}
    assert rows_of(owner, "SELECT name FROM history.files") == expected


def test_without_an_area_field_the_ground_decides(owner: Connection) -> None:
    owner.execute(text(
        "INSERT INTO city.admin_areas (geom, name, code) VALUES"
        " (ST_Multi(ST_MakeEnvelope(114.8, 30.3, 114.9, 30.4, 4490)), '西', '420704')"))
    lamps = Layer("lamps", Text("灯", "Lamps"), Text("", ""), "Geometry", (Field("name", "string", Text("名称", "Name")),),
                  visibility="internal", srid=4547)
    create_layer(owner, lamps)
    owner.execute(text(
        "INSERT INTO city.lamps (geom, name) SELECT ST_Transform(ST_SetSRID(ST_MakePoint(x, 30.35), 4490), 4547), x::text"
        " FROM unnest(ARRAY[114.85, 114.95]) x"))
    become(owner, (Grant("lamps", frozenset({"read", "create"}), "internal", area="420704"),))
    assert rows_of(owner, "SELECT name FROM city.lamps") == {"114.85"}
    insert = "INSERT INTO city.lamps (geom) VALUES (ST_Transform(ST_SetSRID(ST_MakePoint(:x, 30.35), 4490), 4547))"
    owner.execute(text(insert), {"x": 114.86})
    with pytest.raises(ProgrammingError, match="row-level security"), owner.begin_nested():
        owner.execute(text(insert), {"x": 114.96})
    across = "ST_MakeLine(ST_MakePoint(114.86, 30.35), ST_MakePoint(114.96, 30.35))"
    with pytest.raises(ProgrammingError, match="row-level security"), owner.begin_nested():
        owner.execute(text(f"INSERT INTO city.lamps (geom) VALUES (ST_Transform(ST_SetSRID({across}, 4490), 4547))"))


def test_reads_are_bound_by_the_grants_of_their_principal(owner: Connection) -> None:
    owner.execute(text("SET LOCAL ROLE citymap_app"))
    raw: Any = owner.connection.driver_connection
    layer = visible(files("internal"), GRANTS[7])
    assert layer is not None
    reader = Reader(raw, Principal("li", grants=GRANTS[7]))
    parks = sum(department == "parks" for _, department in ROWS)
    assert len(read_page(reader, layer, FeatureQuery(limit=100)).features) == count(reader, layer, FeatureQuery()) == parks


def test_rights_are_gone_with_the_statement_that_they_were_for(database: Database) -> None:
    own = Database(database.url, pool_size=1)
    asked = "SELECT pg_backend_pid(), coalesce(current_setting('citymap.grants', true), '')"
    with own.reading(Principal("li", grants=GRANTS[7])) as reader:
        [(backend, told)] = reader.fetch(asked, {})
        assert grants_from(told) == GRANTS[7]
    with own.reading() as reader:
        assert reader.fetch(asked, {}) == [(backend, "")]
    with own.transaction(principal=Principal("li", grants=GRANTS[7])) as conn:
        assert conn.execute(text("SELECT citymap.actor()")).scalar() == "li"
    with own.reading() as reader:
        assert reader.fetch("SELECT current_setting('citymap.grants', true), current_setting('citymap.actor', true)", {}) == [("", "")]
    own.close()


def test_an_edit_outside_ones_area_is_refused_by_name(owner: Connection) -> None:
    layer = files("internal")
    grants = (Grant("files", frozenset({"read"}), "core"), Grant("files", frozenset({"create", "update", "delete"}), "core", area="420704"))
    outside = owner.execute(text("SELECT id FROM city.files WHERE area = '420703' LIMIT 1")).scalar_one()
    become(owner, grants)
    edit = checked_edit(layer, {"type": "Feature", "geometry": None, "properties": {"name": "n"}}, CRS84, partial=True)
    with pytest.raises(RowDenied, match="outside the area"):
        change_feature(owner, layer, outside, edit, None)
    with pytest.raises(RowDenied, match="outside the area"):
        delete_feature(owner, layer, outside, None)
    with pytest.raises(RowDenied, match="outside the area"):
        create_feature(owner, layer, edit)


@pytest.mark.parametrize(("visibility", "grants"), list(product(RANK, GRANTS)))
def test_the_layer_as_seen_agrees_with_the_rows(visibility: Any, grants: tuple[Grant, ...]) -> None:
    seen = visible(files(visibility), grants)
    reading = [g for g in grants if g.collection == "files" or (g.collection == "*" and "files" not in g.besides)]
    reading = [g for g in reading if "read" in g.actions and RANK[g.visibility] >= RANK[visibility]]
    assert (seen is not None) == (visibility == "public" or bool(reading))
    if seen is None:
        return
    # Rows have the same fields, so a field that may be seen of some rows only is seen of none.
    level = visibility if RANK[visibility] >= RANK["sensitive"] else "sensitive"
    rows = [row for row in ROWS if plainly_allowed(grants, visibility, "read", row)]
    sees_owner = all(plainly_allowed(grants, level, "read", row) for row in rows)
    assert [f.name for f in seen.fields] == ["name", "area", "department", *(["owner"] if sees_owner else [])]
    assert [s["id"] for s in seen.style] == (["a", "b"] if sees_owner else ["b"])
    whole = visibility == "public" or any(g.area == "" and g.departments is None for g in reading)
    assert seen.partial is not whole


def test_a_hidden_layer_is_in_no_catalogue(owner: Connection) -> None:
    update_layer(owner, files("core"))
    assert "files" in load_layers(owner)
    become(owner, GRANTS[2])
    found = load_layers(owner)
    assert "files" not in found and found == visible_layers(found, GRANTS[2])
    assert owner.execute(text("SELECT count(*) FROM citymap.layers WHERE id = 'files'")).scalar() == 0


def test_grants_survive_their_way_through_a_setting() -> None:
    for grants in GRANTS[1:]:
        assert grants_from(grants_text(grants)) == grants


def test_an_index_serves_a_box_below_row_level_security(owner: Connection) -> None:
    owner.execute(text(
        "INSERT INTO city.files (geom, name) SELECT ST_SetSRID(ST_MakePoint(114 + i % 100 * 0.01, 30 + i / 100 * 0.01), 4490), i"
        " FROM generate_series(1, 20000) i"))
    owner.execute(text("ANALYZE city.files"))
    from layers.query import page_statement

    query = FeatureQuery(limit=10, box=Box(114.5, 30.5, 114.52, 30.52))
    statement = page_statement(files("internal"), query)
    become(owner, GRANTS[4])
    raw: Any = owner.connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.sql, statement.bind(query.values()))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "files_geom_idx" in plan, plan
