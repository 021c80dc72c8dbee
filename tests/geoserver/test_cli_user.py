"""``citymap user`` and ``citymap keys`` on a real database."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from geoserver.accounts import password_matches
from geoserver.cli import app
from geoserver.identity.api_keys import find_key
from layers.database import Database
from tests.conftest import drop_database, make_database

Run = Callable[..., Result]
STRONG = "Blue-Lantern-47 river"


@pytest.fixture(scope="module")
def database_url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_cli_user_{os.getpid()}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


@pytest.fixture
def look(database_url: str) -> Iterator[Callable[..., list[Any]]]:
    database = Database(database_url, pool_size=1)

    def sql(statement: str, **values: Any) -> list[Any]:
        with database.transaction() as conn:
            found = conn.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    yield sql
    sql("DELETE FROM access.accounts")
    database.close()


@pytest.fixture
def run(database_url: str, tmp_path: Path, look: object) -> Run:
    env = {"DATABASE_URL": database_url, "CITYMAP__ACCESS__SERVER_KEY": str(tmp_path / "server.key")}

    def call(*words: str, input: str | None = None) -> Result:  # noqa: A002
        return CliRunner().invoke(app, words, env=env, input=input)

    return call


def test_an_account_is_made_with_a_role_in_a_department_and_area(run: Run, look: Callable[..., list[Any]]) -> None:
    look("INSERT INTO access.departments VALUES ('ziguiju', NULL, '自规局', 'Planning') ON CONFLICT DO NOTHING")
    made = run("user", "add", "wang", "--role", "planner", "--department", "ziguiju", "--area", "420704", "--json")
    assert made.exit_code == 0, made.output
    password = json.loads(made.stdout)["password"]
    [listed] = json.loads(run("user", "list", "--json").stdout)
    assert listed["name"] == "wang" and listed["mustChange"] is True
    assert listed["roles"] == [{"role": "planner", "department": "ziguiju", "area": "420704"}]
    assert password_matches(look("SELECT hash FROM access.accounts")[0][0], password)
    assert "planner@ziguiju/420704" in run("user", "list").stdout


def test_a_chosen_password_is_read_from_stdin_and_never_repeated(run: Run, look: Callable[..., list[Any]]) -> None:
    made = run("user", "add", "wang", "--password-stdin", "--own", "--json", input=f"{STRONG}\n")
    assert made.exit_code == 0 and STRONG not in made.output
    assert look("SELECT must_change FROM access.accounts") == [(False,)]


@pytest.mark.parametrize(("words", "code", "told"), [
    (("user", "add", "wang"), 6, "exists"),
    (("user", "add", "a:b"), 6, "account name"),
    (("user", "add", "li", "--role", "emperor"), 5, "role 'emperor'"),
    (("user", "add", "li", "--role", "planner", "--area", "x"), 6, "division code"),
    (("user", "passwd", "nobody"), 5, "nobody"),
    (("user", "disable", "nobody"), 5, "nobody"),
    (("user", "unlock", "nobody"), 5, "nobody"),
    (("user", "grant", "nobody", "--role", "planner"), 5, "nobody"),
    (("user", "revoke", "wang", "--role", "planner"), 5, "has no role"),
    (("user", "sessions", "nobody"), 5, "nobody"),
    (("user", "key", "add", "nobody", "--label", "x"), 5, "nobody"),
    (("user", "key", "add", "wang", "--label", "x", "--days", "9999"), 6, "365"),
    (("user", "key", "revoke", "nokey"), 5, "nokey"),
    (("user", "totp", "reset", "wang"), 5, "no one-time codes"),
])  # fmt: skip
def test_mistakes_are_told_by_exit_code_and_leave_nothing_behind(
    run: Run, look: Callable[..., list[Any]], words: tuple[str, ...], code: int, told: str
) -> None:
    run("user", "add", "wang")
    failed = run(*words)
    assert failed.exit_code == code, failed.output
    assert told in failed.stderr and "cure" in failed.stderr
    assert look("SELECT name FROM access.accounts") == [("wang",)]


def test_a_weak_password_is_refused(run: Run) -> None:
    failed = run("user", "add", "wang", "--password-stdin", input="Password123!\n")
    assert failed.exit_code == 6 and "guessed" in failed.stderr and "Password123!" not in failed.output


def test_passwd_ends_sessions_locks_and_codes(run: Run, look: Callable[..., list[Any]]) -> None:
    run("user", "add", "wang")
    look(
        "INSERT INTO access.sessions (digest, account, via, expires) VALUES ('x', 'wang', 'password', now() + interval '1 h')"
    )
    look("INSERT INTO access.totp (account, secret, confirmed) VALUES ('wang', 'x', now())")
    look("INSERT INTO access.sign_in_counters VALUES ('wang', '', NULL, 9, now(), now() + interval '1 h')")
    assert json.loads(run("user", "list", "--json").stdout)[0]["locked"] is True
    assert len(json.loads(run("user", "sessions", "wang", "--json").stdout)) == 1
    assert run("user", "passwd", "wang").exit_code == 0
    assert look("SELECT count(*) FROM access.sessions") == look("SELECT count(*) FROM access.totp") == [(0,)]
    assert json.loads(run("user", "list", "--json").stdout)[0]["locked"] is False


def test_sessions_end(run: Run, look: Callable[..., list[Any]]) -> None:
    run("user", "add", "wang")
    look(
        "INSERT INTO access.sessions (digest, account, via, expires) VALUES ('x', 'wang', 'password', now() + interval '1 h')"
    )
    assert json.loads(run("user", "sessions", "wang", "--end", "--json").stdout) == {"name": "wang", "ended": 1}
    assert json.loads(run("user", "sessions", "wang", "--json").stdout) == []


def test_the_last_administrator_stays_and_the_three_roles_stay_apart(run: Run) -> None:
    run("user", "add", "admin", "--role", "administrator")
    assert run("user", "disable", "admin").exit_code == 6
    assert run("user", "revoke", "admin", "--role", "administrator").exit_code == 6
    apart = run("user", "grant", "admin", "--role", "security-administrator")
    assert apart.exit_code == 6 and "kept apart" in apart.stderr
    run("user", "add", "admin2")
    assert run("user", "grant", "admin2", "--role", "administrator").exit_code == 0
    assert run("user", "disable", "admin").exit_code == 0
    assert run("user", "enable", "admin").exit_code == 0


def test_a_key_is_made_listed_and_revoked(run: Run, look: Callable[..., list[Any]], database_url: str) -> None:
    run("user", "add", "wang")
    made = json.loads(
        run(
            "user", "key", "add", "wang", "--label", "交警", "--collection", "roads", "--action", "read", "--json"
        ).stdout
    )
    assert made["scope"] == {"actions": ["read"], "collections": ["roads"]} and made["madeBy"] == "citymap"
    database = Database(database_url, pool_size=1)
    with database.transaction() as conn:
        holder = find_key(conn, made["key"], None)
        assert holder is not None and holder.account == "wang"
    listed = run("user", "key", "list", "wang")
    assert made["id"] in listed.stdout and made["key"] not in listed.stdout
    assert run("user", "key", "revoke", made["id"]).exit_code == 0
    with database.transaction() as conn:
        assert find_key(conn, made["key"], None) is None
    database.close()


def test_the_server_key_is_rotated(run: Run, tmp_path: Path) -> None:
    for lines in (2, 2):
        assert json.loads(run("keys", "rotate", "--json").stdout)["secrets"] == 0
        assert len((tmp_path / "server.key").read_text().split()) == lines
    (tmp_path / "server.key").chmod(0o644)
    failed = run("keys", "rotate")
    assert failed.exit_code == 1 and "chmod 600" in failed.stderr


def test_links_are_listed_and_removed(run: Run, look: Callable[..., list[Any]]) -> None:
    run("user", "add", "zhao", "--password-stdin", "--role", "planner", input=f"{STRONG}\n")
    look(
        "INSERT INTO access.external_identities (issuer, subject, account) VALUES ('https://id.example', 's-1', 'zhao')"
    )
    (link,) = json.loads(run("user", "link", "list", "zhao", "--json").stdout)
    assert (link["account"], link["subject"], link["issuer"]) == ("zhao", "s-1", "https://id.example")
    assert "https://id.example" in run("user", "link", "list").stdout
    assert run("user", "link", "remove", link["id"]).exit_code == 0
    assert look("SELECT count(*) FROM access.external_identities") == [(0,)]
    for wrong in (link["id"], "x"):
        assert run("user", "link", "remove", wrong).exit_code != 0
    assert look("SELECT detail ->> 'change' FROM audit.entries WHERE object = 'zhao' ORDER BY id DESC LIMIT 1") == [
        ("unlinked",)
    ]


def test_a_role_is_removed_when_nobody_has_it(run: Run, look: Callable[..., list[Any]]) -> None:
    run("role", "add", "gardener", "--zh", "园林员", "--en", "Gardener")
    run("user", "add", "zhao", "--password-stdin", "--role", "gardener", input=f"{STRONG}\n")
    assert run("role", "remove", "gardener").exit_code != 0
    run("user", "revoke", "zhao", "--role", "gardener")
    assert run("role", "remove", "gardener").exit_code == 0
    for kept in ("gardener", "administrator", "public"):
        assert run("role", "remove", kept).exit_code != 0
    assert look("SELECT count(*) FROM access.roles WHERE id IN ('gardener', 'administrator', 'public')") == [(2,)]
