"""What the server's own roles may do in PostgreSQL: a table, a function or a right that no rule names fails here."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from geoserver.database_roles import ACCESS_ROLE, role_url
from layers.access import APP_ROLE, Grant, grants_text
from layers.database import psycopg2_url
from tests.security.secrets_site import SecretsSite

#: What requests and jobs may do with each table. r SELECT, a INSERT, w UPDATE, d DELETE. Tables of layers, whose rows
#: the policies choose, are all rawd in city and r in history.
APP = {
    "citymap.layers": "rawd", "citymap.jobs": "rawd", "citymap.uploads": "rawd", "citymap.dirty": "r", "citymap.row_deltas": "r",
    # names lead to features, which are then read from their layers; coverages are registered, never changed
    "citymap.names": "r", "citymap.name_terms": "r", "citymap.pinyin": "r", "citymap.coverages": "ra",
    # a view of buildings, and what the server works out for it
    "city.buildings_3d": "r", "city.schemes_3d": "r", "citymap.derivations": "ra", "citymap.ground": "rawd", "citymap.stale": "rawd", "citymap.shells": "raw",
    # pieces of public layers, which the server makes itself; what a city edits of pipes
    "citymap.generalised": "rad", "citymap.generalised_layers": "rawd", "citymap.pipe_kinds": "r", "citymap.pipe_clearances": "r",
    # what an import did is noted by triggers; who may give names to states the policies say
    "citymap.versions": "rad", "citymap.version_layers": "ra", "citymap.seals": "", "citymap.imports": "raw", "citymap.import_changes": "r",
    # which features changed when, as positions are asked for; layers of other servers by policies
    "citymap.changes": "r", "citymap.changes_cut": "r", "citymap.proxies": "rad",
    "citymap.alembic_version": "", "city.*": "rawd", "history.*": "r", "procrastinate.*": "rawd", "access.*": "", "audit.*": "",
    # what the configuration and the rules of a city say; steps and photos are only ever added
    "planning.*": "r", "planning.counters": "", "planning.boundary_points": "ra", "planning.steps": "ra",
    "planning.checks": "ra", "planning.meetings": "raw", "planning.meeting_items": "rawd",
    "planning.meeting_opinions": "ra", "planning.drawings": "rad",
    "grid.*": "rawd", "grid.stages": "r", "grid.steps": "ra", "grid.photos": "ra", "grid.inspections": "ra", "citymap.idempotency": "rawd",
    # rows by policies; partitions are reached through their table only
    "tracking.*": "", "tracking.positions": "ra", "tracking.quarantine": "ra", "tracking.notes": "ra",
    "tracking.commands": "raw", "tracking.shares": "raw", "tracking.memory": "rawd", "tracking.marks": "rawd", "tracking.touched": "rawd",
}  # fmt: skip
#: What sign-in and the administration of access may do.
ACCESS = {
    "citymap.layers": "r", "citymap.derivations": "r", "citymap.proxies": "r", "citymap.*": "", "city.*": "", "history.*": "", "procrastinate.*": "", "access.*": "rawd",
    "access.external_identities": "rad", "grid.*": "", "planning.*": "", "tracking.*": "", "audit.entries": "r", "audit.links": "r",
    "audit.unsealed": "r", "audit.*": "",
}  # fmt: skip
#: PostGIS's own tables hold coordinate systems.
_OTHERS = ("public", "topology", "tiger", "information_schema")
#: Functions that run with the owner's rights and that requests may call; what keeps each from being a way round.
CALLED = {
    "citymap.area_shape": "gives the outline of districts, which admin-areas shows anybody",
    "citymap.tidy": "folds counts, forgets old boxes and unused texts",
    "citymap.tidy_changes": "a part of it",
    "grid.departments": "names the departments, for those who dispatch",
    "grid.department_names": "the same, with what they are called",
    "grid.phones": "gives telephones of workers on duty, to which messages go",
    "grid.known_photos": "tells which ids are photos', to who knows the ids",
    "citymap.raster_folders": "names the folders of images that are needed",
    "citymap.date_version": "gives a version that the caller is making its instant, once",
    "citymap.rules_version": "tells whether the caller manages every layer of a version",
    "planning.next_number": "counts a series of documents up by one, with the transaction",
    "citymap.is_view": "tells whether a layer is a view, which shows in what it gives",
    "citymap.worked_out": "has tiles of a derived layer drawn anew",
    "tracking.make_days": "makes partitions of the days that are named, for the gateway alone",
    "tracking.shared_position": "gives the live position of one device, to who has the secret of a link that is good",
    "audit.append": "adds an entry, whose time, id and login its caller cannot choose",
}
#: Those that only triggers and other functions call. A temporary table of the caller's must not have such a trigger.
INNER = {
    "citymap.apply_policies", "citymap.make_layer", "citymap.drop_layer", "citymap.change_policies", "citymap.after_change",
    "citymap.watch_names", "citymap.names_changed", "citymap.layer_watched", "citymap.layer_forgotten",
    "citymap.dirty_layer", "citymap.seal", "citymap.heed_seal", "citymap.note_import", "citymap.keep_versions", "citymap.version_layer",
    "grid.case_1_checked", "grid.case_2_located", "grid.case_3_begun", "grid.case_3_named", "grid.case_4_compared",
    "grid.case_recorded", "grid.case_guarded", "grid.feature_located", "grid.watch_layer", "grid.layer_watched",
    "grid.stage_moved", "grid.watch_stages", "grid.surface_located",
    "planning.guard_redline", "planning.guard_meeting", "planning.keep_apart", "planning.watch_redlines",
    "citymap.note_changes", "citymap.follow_changes", "citymap.make_layer_followed", "citymap.tidy_feed", "citymap.one_collection",
    "citymap.derive_dirty", "citymap.keep_ground", "citymap.as_closed_as_inputs", "citymap.close_derived",
    "citymap.widen_view", "citymap.make_view", "citymap.view_made", "citymap.view_changed", "citymap.drop_views",
    "citymap.drop_derived", "citymap.forget_generalised", "citymap.draw_generalised",
    "citymap.take_extent", "citymap.hand_on_extent",
    "tracking.apply_policies", "tracking.follow_visibility", "tracking.after_change",
    "audit.after_change", "audit.after_administration", "audit.watch_layer", "audit.watch_table",
}  # fmt: skip


def rule(rules: dict[str, str], table: str) -> str | None:
    return rules.get(table, rules.get(f"{table.partition('.')[0]}.*"))


@pytest.mark.parametrize(("role", "rules"), [(APP_ROLE, APP), (ACCESS_ROLE, ACCESS)])
def test_every_table_has_a_rule_for_each_role(secrets_city: SecretsSite, role: str, rules: dict[str, str]) -> None:
    found = secrets_city.sql("""
        SELECT n.nspname || '.' || c.relname,
               concat(CASE WHEN p.r THEN 'r' END, CASE WHEN p.a THEN 'a' END, CASE WHEN p.w THEN 'w' END, CASE WHEN p.d THEN 'd' END),
               p.t
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (SELECT has_any_column_privilege(:role, c.oid, 'SELECT') AS r, has_any_column_privilege(:role, c.oid, 'INSERT') AS a,
                        has_any_column_privilege(:role, c.oid, 'UPDATE') AS w, has_table_privilege(:role, c.oid, 'DELETE') AS d,
                        has_table_privilege(:role, c.oid, 'TRUNCATE, REFERENCES, TRIGGER') AS t) p
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT n.nspname LIKE 'pg\\_%' AND NOT n.nspname = ANY (:others)
    """, role=role, others=list(_OTHERS))  # fmt: skip
    assert len(found) > 30
    # A schema that one may not enter hides what is granted in it.
    schemas = dict(
        secrets_city.sql("SELECT nspname, has_schema_privilege(:role, oid, 'USAGE') FROM pg_namespace", role=role)
    )
    told = {table: rights if schemas[table.partition(".")[0]] else "" for table, rights, _ in found}
    assert {table: rights for table, rights in told.items() if rule(rules, table) != rights} == {}
    assert [table for table, _, more in found if more] == []


@pytest.mark.parametrize("role", [APP_ROLE, ACCESS_ROLE])
def test_the_roles_own_nothing_and_are_nobody_else(secrets_city: SecretsSite, role: str) -> None:
    [attributes] = secrets_city.sql(
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = :role""",
        role=role,
    )
    assert not any(attributes)
    assert (
        secrets_city.sql(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = :role", role=role
        )
        == []
    )
    owned = "SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = :role"
    assert secrets_city.sql(owned, role=role) == []
    made = "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(:role, oid, 'CREATE') AND NOT nspname LIKE 'pg\\_temp%'"
    assert secrets_city.sql(made, role=role) == []


def test_every_table_of_features_is_bound_by_policies_its_owner_included(secrets_city: SecretsSite) -> None:
    loose = secrets_city.sql("""
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('city', 'history') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""")
    assert loose == []


def test_functions_with_the_owners_rights_are_listed_and_fix_their_search_path(secrets_city: SecretsSite) -> None:
    found = secrets_city.sql("""
        SELECT n.nspname || '.' || p.proname, coalesce(array_to_string(p.proconfig, ','), ''),
               has_function_privilege('citymap_app', p.oid, 'EXECUTE') OR has_function_privilege('citymap_access', p.oid, 'EXECUTE')
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND NOT n.nspname LIKE 'pg\\_%'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""")
    assert sorted({name for name, _, called in found if called} - CALLED.keys()) == []
    assert sorted({name for name, _, called in found if not called} - INNER) == []
    # pg_temp last: else a temporary table of the caller's would be meant
    assert [name for name, setting, _ in found if not re.search(r"search_path=[^=]*pg_temp(,|$)", setting)] == []


@pytest.fixture
def as_app(secrets_city: SecretsSite) -> Iterator[Connection]:
    """A connection of the role of requests, with the rights of a planner; rolled back."""
    yield from connected(secrets_city, APP_ROLE)


@pytest.fixture
def as_access(secrets_city: SecretsSite) -> Iterator[Connection]:
    yield from connected(secrets_city, ACCESS_ROLE)


def connected(site: SecretsSite, role: str) -> Iterator[Connection]:
    engine = create_engine(psycopg2_url(role_url(site.database.url, role)))
    with engine.connect() as conn:
        grants = (Grant("*", frozenset({"read", "create", "update", "delete"}), "internal"),)
        conn.execute(text("SELECT set_config('citymap.grants', :g, false)"), {"g": grants_text(grants)})
        conn.commit()
        yield conn
        conn.rollback()
    engine.dispose()


REFUSED = [
    "ALTER TABLE city.inner DISABLE ROW LEVEL SECURITY", "ALTER TABLE city.inner NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY reading ON city.inner", "CREATE POLICY mine ON city.inner USING (true)",
    "ALTER POLICY reading ON city.inner USING (true)", "DROP TABLE city.inner", "TRUNCATE city.inner",
    "ALTER TABLE city.inner ADD COLUMN x int", "ALTER TABLE city.inner OWNER TO citymap_app",
    "ALTER TABLE city.inner DISABLE TRIGGER ALL", "SET session_replication_role = replica",
    "SET ROLE {owner}", "SET SESSION AUTHORIZATION {owner}", "GRANT {owner} TO citymap_app", "ALTER ROLE citymap_app BYPASSRLS",
    "SET row_security = off; SELECT * FROM city.kernel", "CREATE TABLE city.mine (x int)", "CREATE SCHEMA mine",
    "CREATE TABLE public.mine (x int)", "CREATE EXTENSION dblink", "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/x'",
    "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')", "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT hash FROM access.accounts", "SELECT * FROM access.memberships", "UPDATE access.permissions SET visibility = 'core'",
    "INSERT INTO access.memberships VALUES ('mixed', 'administrator', '', '')", "SELECT * FROM audit.entries",
    "INSERT INTO audit.entries (action, outcome) VALUES ('read', 'done')", "DELETE FROM audit.entries", "TRUNCATE audit.entries",
    "SELECT audit.record('read', NULL, NULL, NULL, NULL, 'done', NULL)", "SELECT audit.append('prune')",
    "INSERT INTO history.inner SELECT now(), 'x', 'update', i.* FROM city.inner i", "DELETE FROM history.inner", "UPDATE history.inner SET size = 1",
    "INSERT INTO citymap.dirty (layer, west, south, east, north) VALUES ('inner', 1, 1, 2, 2)", "DELETE FROM citymap.dirty",
    "INSERT INTO citymap.row_deltas VALUES ('inner', 5)", "UPDATE citymap.row_deltas SET delta = 0", "SELECT citymap.fold_row_deltas(0)",
    """SELECT citymap.apply_policies(jsonb_populate_record(NULL::citymap.layers,
       '{"id": "kernel", "table_name": "kernel", "visibility": "public", "srid": 4490, "fields": []}'))""",
    """SELECT citymap.watch_names(jsonb_populate_record(NULL::citymap.layers,
       '{"id": "kernel", "table_name": "kernel", "fields": [{"name": "name", "type": "string", "role": "title"}]}'))""",
    *(f"""CREATE TEMP TABLE kernel (id text, table_name text);
       CREATE TRIGGER mine AFTER DELETE ON kernel FOR EACH ROW EXECUTE FUNCTION {name}()"""
      for name in ("citymap.drop_layer", "citymap.make_layer", "citymap.after_change", "citymap.names_changed", "audit.after_change")),
    "UPDATE citymap.alembic_version SET version_num = '0001'",
]  # fmt: skip


@pytest.mark.parametrize("statement", REFUSED)
def test_requests_cannot_step_out_of_their_role(as_app: Connection, statement: str) -> None:
    owner = as_app.exec_driver_sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()").scalar_one()
    with pytest.raises(DBAPIError) as refused:
        as_app.exec_driver_sql(statement.replace("{owner}", f'"{owner}"'))
    # 42501 insufficient privilege; 0LP01 a role that may not be granted; 58P01 or 0A000 would be a way in
    assert getattr(refused.value.orig, "pgcode", None) in ("42501", "0LP01"), refused.value


def test_the_rights_of_a_planner_reach_no_further_in_sql(as_app: Connection) -> None:
    def rows(statement: str) -> int:
        return int(as_app.exec_driver_sql(f"SELECT count(*) FROM ({statement}) AS t").scalar_one())

    assert (
        rows("SELECT 1 FROM city.inner") == 5
        and rows("SELECT 1 FROM city.kernel") == rows("SELECT 1 FROM city.delicate") == 0
    )
    assert (
        rows("SELECT 1 FROM history.kernel") == 0
        and rows("SELECT 1 FROM citymap.layers WHERE id IN ('kernel', 'delicate')") == 0
    )
    assert as_app.exec_driver_sql("UPDATE city.kernel SET size = 0").rowcount == 0
    assert as_app.exec_driver_sql("DELETE FROM city.delicate").rowcount == 0
    # A condition that fails on a row it should not see would tell of it.
    assert rows("SELECT 1 FROM city.kernel WHERE 1 / (size - 3) > 0") == 0
    assert rows("SELECT 1 FROM city.kernel WHERE CAST(note_core AS int) > 0") == 0
    with pytest.raises(DBAPIError):
        as_app.exec_driver_sql("UPDATE citymap.layers SET visibility = 'public' WHERE id = 'inner'; SELECT 1/0")


def test_a_temporary_table_stands_in_for_none_of_ours(as_app: Connection) -> None:
    as_app.exec_driver_sql("CREATE TEMP TABLE layers (LIKE citymap.layers)")
    as_app.exec_driver_sql(
        "CREATE FUNCTION pg_temp.st_transform(geometry, int) RETURNS geometry LANGUAGE sql AS 'SELECT NULL::geometry'"
    )
    made = as_app.exec_driver_sql("SELECT citymap.area_shape(ARRAY['420704'], 4547)").scalar()
    assert made is not None


def test_sign_in_sees_no_feature(as_access: Connection) -> None:
    for table in (
        "city.open",
        "city.inner",
        "history.open",
        "city.admin_areas",
        "citymap.dirty",
        "citymap.jobs",
        "citymap.uploads",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), as_access.begin_nested():
            as_access.exec_driver_sql(f"SELECT * FROM {table}")
    assert as_access.exec_driver_sql("SELECT count(*) FROM citymap.layers WHERE id = 'kernel'").scalar() == 1
    for statement in (
        "UPDATE citymap.layers SET visibility = 'public'",
        "DELETE FROM audit.entries",
        "SET ROLE citymap_app",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), as_access.begin_nested():
            as_access.exec_driver_sql(statement)
