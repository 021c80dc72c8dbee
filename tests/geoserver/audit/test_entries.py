"""What the log keeps of edits by whatever road, of administration, and of calls; and who may write and read it."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from geoserver.audit.entries import APPEND, Filters, append, append_values, page
from layers.database import Database
from layers.registry import load_layers
from tests.geoserver.audit.conftest import WELLS, add_wells


def newest(conn: Connection, number: int = 1) -> list[dict]:
    return page(conn, Filters(limit=number))[0]


def total(conn: Connection) -> int:
    return int(conn.exec_driver_sql("SELECT count(*) FROM audit.entries").scalar_one())


def acting(conn: Connection, actor: str, request: dict[str, str]) -> None:
    conn.exec_driver_sql(
        "SELECT set_config('citymap.actor', %s, true), set_config('citymap.request', %s, true)",
        (actor, json.dumps(request)),
    )


def test_each_statement_of_plain_sql_leaves_one_entry_with_its_rows(wells: Connection) -> None:
    ids = (
        wells.exec_driver_sql("INSERT INTO city.test_wells (name) SELECT 'w' FROM generate_series(1, 3) RETURNING id")
        .scalars()
        .all()
    )
    wells.exec_driver_sql("UPDATE city.test_wells SET name = 'v' WHERE id <> %s", (ids[0],))
    wells.exec_driver_sql("DELETE FROM city.test_wells WHERE id = %s", (ids[0],))
    deleted, updated, created = newest(wells, 3)
    assert [
        (e["action"], e["kind"], e["object"], e["row_count"], e["row_ids"]) for e in (created, updated, deleted)
    ] == [
        ("create", "layer", "test-wells", 3, ids),
        ("update", "layer", "test-wells", 2, ids[1:]),
        ("delete", "layer", "test-wells", 1, ids[:1]),
    ]
    login = wells.exec_driver_sql("SELECT session_user").scalar_one()
    assert (created["actor"], created["login"], created["outcome"]) == (None, login, "done")


def test_a_statement_that_changes_no_row_leaves_no_entry(wells: Connection) -> None:
    before = total(wells)
    wells.exec_driver_sql("UPDATE city.test_wells SET name = 'x'")
    wells.exec_driver_sql("DELETE FROM city.test_wells")
    assert total(wells) == before


@pytest.mark.parametrize("road", ["insert", "copy"])
def test_a_bulk_load_leaves_one_entry_that_names_a_hundred_rows(wells: Connection, road: str) -> None:
    before = total(wells)
    if road == "insert":
        wells.exec_driver_sql("INSERT INTO city.test_wells (name) SELECT i::text FROM generate_series(1, 10000) i")
    else:
        cursor = wells.connection.cursor()
        cursor.copy_expert(
            "COPY city.test_wells (name) FROM STDIN", io.StringIO("".join(f"{i}\n" for i in range(10_000)))
        )
    (entry,) = newest(wells)
    assert total(wells) == before + 1
    assert entry["row_count"] == 10_000 and len(entry["row_ids"]) == 100


def test_actor_address_and_request_are_those_of_the_transaction(wells: Connection) -> None:
    acting(wells, "李四", {"id": "r-1", "address": "10.1.2.3", "via": "key:tong"})
    add_wells(wells, "a")
    append(wells, "read", "layer", "test-wells", rows=7, row_ids=[1, 2], detail={"filter": "name = 'x'"})
    read, created = newest(wells, 2)
    for entry in (read, created):
        assert (entry["actor"], entry["address"], entry["request"], entry["via"]) == (
            "李四",
            "10.1.2.3",
            "r-1",
            "key:tong",
        )
    assert (read["action"], read["row_count"], read["row_ids"], json.loads(read["detail"])) == (
        "read", 7, [1, 2], {"filter": "name = 'x'"})  # fmt: skip


def test_the_time_is_the_clocks_whatever_the_transaction_says(wells: Connection) -> None:
    append(wells, "read")
    made = datetime.fromisoformat(newest(wells)[0]["at"])
    assert abs(datetime.now(UTC) - made) < timedelta(seconds=60)


def test_what_is_too_long_is_cut_and_what_no_text_holds_is_replaced(wells: Connection) -> None:
    append(wells, "refused", "ke\0y", "x" * 1000 + "\ud800", row_ids=range(500), outcome="refused",
           detail={"a": "长" * 5000, "b": ["\0"] * 1000, "c": {"d": float("inf")}, "e": object()})  # fmt: skip
    (entry,) = newest(wells)
    assert (entry["kind"], len(entry["object"]), len(entry["row_ids"])) == ("ke\ufffdy", 300, 100)
    assert len(entry["detail"].encode()) <= 4096
    wells.exec_driver_sql(
        "SELECT audit.append('read', detail => jsonb_build_object('x', repeat(E'\\U0001F333\"', 50000)))"
    )
    (entry,) = newest(wells)
    assert len(entry["detail"].encode()) <= 4096 and json.loads(entry["detail"])["bytes"] > 100_000


def test_the_values_go_with_another_statement_too(wells: Connection) -> None:
    wells.exec_driver_sql(f"{APPEND}; SELECT 1", append_values("export", "layer", "roads"))
    assert newest(wells)[0]["action"] == "export"


def test_every_layer_has_its_triggers_and_a_new_one_gets_them(wells: Connection) -> None:
    bare = wells.exec_driver_sql("""
        SELECT table_name FROM citymap.layers WHERE to_regclass(format('city.%%I', table_name)) IS NOT NULL
        AND id NOT IN ('buildings-3d', 'schemes-3d', 'positions', 'trajectories') AND 3 <> (
            SELECT count(*) FROM pg_trigger WHERE tgrelid = format('city.%%I', table_name)::regclass
            AND tgfoid = 'audit.after_change'::regproc)""").all()
    assert bare == [] and WELLS.id in load_layers(wells)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.entries SET actor = 'x'", "UPDATE audit.links SET seq = seq", "TRUNCATE audit.entries",
        "TRUNCATE audit.links", "DELETE FROM audit.entries", "DELETE FROM audit.links WHERE seq = 1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_the_owner_too_can_only_append(wells: Connection, statement: str, role: str) -> None:
    from geoserver.audit.sealing import seal_waiting

    add_wells(wells, "a")
    seal_waiting(wells, "sha256")
    wells.exec_driver_sql(f"SET LOCAL session_replication_role = {role}")
    with pytest.raises(DBAPIError, match="only ever appended"):
        wells.exec_driver_sql(statement)


def test_a_made_up_prune_entry_lets_nothing_young_go(wells: Connection) -> None:
    from geoserver.audit.sealing import seal_waiting

    add_wells(wells, "a")
    seal_waiting(wells, "sha256")
    wells.exec_driver_sql("SELECT audit.record('prune', NULL, NULL, NULL, NULL, 'done', '{\"upto\": 1000000}')")
    with pytest.raises(DBAPIError, match="only ever appended"):
        wells.exec_driver_sql("DELETE FROM audit.entries WHERE id = 1")


@pytest.mark.parametrize("role", ["citymap_app", "citymap_access"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit.entries (action, outcome) VALUES ('read', 'done')", "INSERT INTO audit.unsealed VALUES (1)",
        "INSERT INTO audit.links VALUES (1, 1, now(), 'sha256', '', '')", "UPDATE audit.entries SET actor = 'x'",
        "DELETE FROM audit.entries", "DELETE FROM audit.unsealed", "TRUNCATE audit.entries", "SELECT audit.append('prune')",
        "SELECT audit.record('read', NULL, NULL, NULL, NULL, 'done', NULL)",
        "ALTER TABLE audit.entries DISABLE TRIGGER ALL",
        "SELECT audit.watch_table(l) FROM citymap.layers l WHERE false",
    ],
)  # fmt: skip
def test_the_servers_roles_can_append_by_the_function_alone(wells: Connection, role: str, statement: str) -> None:
    wells.exec_driver_sql(f"SET LOCAL SESSION AUTHORIZATION {role}")
    append(wells, "sign-in", "account", "li")
    with pytest.raises(DBAPIError, match="permission denied|must be owner|only `citymap audit prune`"):
        wells.exec_driver_sql(statement)


def test_an_entry_tells_which_role_appended_it_and_only_access_reads(wells: Connection) -> None:
    wells.exec_driver_sql("SET LOCAL SESSION AUTHORIZATION citymap_app")
    append(wells, "read", "layer", "x")
    wells.exec_driver_sql("SET LOCAL SESSION AUTHORIZATION citymap_access")
    assert newest(wells)[0]["login"] == "citymap_app"
    wells.exec_driver_sql("SET LOCAL SESSION AUTHORIZATION citymap_app")
    with pytest.raises(DBAPIError, match="permission denied"):
        newest(wells)


def test_an_edit_that_an_unprivileged_role_makes_is_kept(wells: Connection) -> None:
    wells.exec_driver_sql("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'test-wells'")
    grants = [
        {
            "collection": "*",
            "besides": [],
            "actions": ["create", "read"],
            "visibility": "core",
            "area": "",
            "departments": None,
        }
    ]
    wells.exec_driver_sql("SELECT set_config('citymap.grants', %s, true)", (json.dumps(grants),))
    wells.exec_driver_sql("SET LOCAL SESSION AUTHORIZATION citymap_app")
    add_wells(wells, "a")
    wells.exec_driver_sql("RESET SESSION AUTHORIZATION")
    (entry,) = newest(wells)
    assert (entry["action"], entry["object"], entry["login"]) == ("create", "test-wells", "citymap_app")


def test_who_may_do_what_is_kept_when_it_changes_and_no_password_with_it(wells: Connection) -> None:
    wells.exec_driver_sql("INSERT INTO access.departments (id, zh, en) VALUES ('parks', '园林', 'Parks')")
    wells.exec_driver_sql("UPDATE access.departments SET en = 'Gardens' WHERE id = 'parks'")
    updated, created = newest(wells, 2)
    assert (created["action"], created["kind"], created["object"]) == ("administer", "department", "parks")
    assert json.loads(updated["detail"]) == {"change": "update", "fields": {"en": ["Parks", "Gardens"]}}
    wells.exec_driver_sql("INSERT INTO access.accounts (name, hash) VALUES ('li', 'geheim')")
    wells.exec_driver_sql("UPDATE access.accounts SET disabled = true, hash = 'geheimer' WHERE name = 'li'")
    disabled, added = newest(wells, 2)
    assert (added["kind"], added["object"], disabled["object"]) == ("account", "li", "li")
    assert "geheim" not in f"{added} {disabled}" and json.loads(disabled["detail"])["fields"] == {
        "disabled": [False, True]
    }
    wells.exec_driver_sql("INSERT INTO access.memberships (account, role) VALUES ('li', 'planner')")
    assert newest(wells)[0]["object"] == "li planner  "
    wells.exec_driver_sql("DELETE FROM access.permissions WHERE role = 'leader' AND resource = '*'")
    assert newest(wells)[0]["object"] == "leader collection * read"


def test_a_layers_visibility_is_administration_but_its_growing_extent_is_not(wells: Connection) -> None:
    wells.exec_driver_sql("UPDATE citymap.layers SET visibility = 'sensitive' WHERE id = 'test-wells'")
    assert json.loads(newest(wells)[0]["detail"])["fields"] == {"visibility": ["public", "sensitive"]}
    before = total(wells)
    wells.exec_driver_sql("INSERT INTO city.test_wells (geom) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490))")
    assert total(wells) == before + 1 and newest(wells)[0]["action"] == "create"
    wells.exec_driver_sql("DELETE FROM citymap.layers WHERE id = 'test-wells'")
    (gone,) = newest(wells)
    assert (gone["action"], gone["object"], json.loads(gone["detail"])) == (
        "administer",
        "test-wells",
        {"change": "delete"},
    )


def test_pages_follow_each_other_without_overlap_and_filters_hold(log: Database) -> None:
    with log.transaction() as conn:
        for i in range(25):
            acting(conn, "li" if i % 2 else "wang", {"id": f"r{i}"})
            append(conn, "read" if i % 3 else "export", "layer", f"layer-{i % 5}")
        seen: list[int] = []
        before = None
        while True:
            entries, before = page(conn, Filters(limit=10, before=before))
            seen += [e["id"] for e in entries]
            if before is None:
                break
        assert len(seen) == total(conn) and seen == sorted(set(seen), reverse=True)
        assert len(page(conn, Filters(actor="li"))[0]) == 12
        assert len(page(conn, Filters(action="export", object="layer-0"))[0]) == 2
        assert [e["request"] for e in page(conn, Filters(request="r7"))[0]] == ["r7"]
        now = datetime.now(UTC)
        assert page(conn, Filters(begin=now + timedelta(hours=1)))[0] == []
        assert len(
            page(conn, Filters(begin=now - timedelta(hours=1), end=now + timedelta(hours=1), limit=1000))[0]
        ) == len(seen)
