"""``citymap role``, ``citymap department`` and ``citymap layers protect`` on a real database."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from geoserver.cli import app
from geoserver.cli.console import Exit
from geoserver.principals import Principals
from layers.access import visible
from layers.database import Database
from layers.registry import load_layers
from tests.conftest import drop_database, make_database
from tests.people import employ

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def city(postgres_url: str, template_name: str) -> Iterator[Database]:
    name = f"citymap_cli_rights_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=2)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def run(city: Database) -> Run:
    return lambda *words: CliRunner().invoke(app, words, env={"DATABASE_URL": city.url})


def done(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_new_role_may_do_what_it_is_permitted(run: Run, city: Database) -> None:
    done(run("role", "add", "surveyor", "--zh", "测绘员", "--en", "Surveyor", "--json"))
    done(run("role", "permit", "surveyor", "--collection", "pois", "--action", "read", "--action", "update",
             "--visibility", "core", "--within", "area", "--json"))  # fmt: skip
    done(run("role", "permit", "surveyor", "--process", "import-layer", "--json"))
    with city.transaction() as conn:
        employ(conn, "ce", "surveyor", area="420704")
    principal = Principals(city).of("ce")
    [grant] = [g for g in principal.grants if g.collection == "pois"]
    assert (grant.actions, grant.visibility, grant.area) == ({"read", "update"}, "core", "420704")
    assert principal.may_execute("import-layer", edits=True)
    shown = done(run("role", "show", "surveyor", "--json"))
    assert {(p["kind"], p["resource"], p["action"]) for p in shown["permissions"]} == {
        ("collection", "pois", "read"), ("collection", "pois", "update"), ("process", "import-layer", "execute")
    }  # fmt: skip
    done(run("role", "forbid", "surveyor", "--collection", "pois", "--action", "read", "--action", "update", "--json"))
    assert "pois" not in {g.collection for g in Principals(city).of("ce").grants}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("role", "permit", "nobody", "--collection", "pois"), Exit.NOT_FOUND, "nobody"),
        (("role", "permit", "planner", "--collection", "pois", "--action", "own"), Exit.REFUSED, "own"),
        (("role", "permit", "planner", "--collection", "pois", "--visibility", "secret"), Exit.REFUSED, "secret"),
        (("role", "permit", "planner"), Exit.USAGE, "--collection"),
        (("role", "forbid", "leader", "--process", "import-layer"), Exit.NOT_FOUND, "import-layer"),
        (("role", "add", "planner", "--zh", "x", "--en", "x"), Exit.REFUSED, "planner"),
        (("department", "add", "roads", "--zh", "x", "--en", "x", "--parent", "nowhere"), Exit.NOT_FOUND, "nowhere"),
        (("department", "remove", "nowhere"), Exit.NOT_FOUND, "nowhere"),
        (("layers", "protect", "pois", "--visibility", "secret"), Exit.REFUSED, "secret"),
        (("layers", "protect", "pois", "--field", "nothing=core"), Exit.REFUSED, "nothing"),
    ],
)
def test_mistakes_are_named(run: Run, words: tuple[str, ...], code: Exit, said: str) -> None:
    result = run(*words)
    assert result.exit_code == code and said in result.output


def test_departments_with_people_or_others_below_stay(run: Run, city: Database) -> None:
    done(run("department", "add", "works", "--zh", "建设局", "--en", "Works", "--json"))
    done(run("department", "add", "roads", "--zh", "道路处", "--en", "Roads", "--parent", "works", "--json"))
    assert run("department", "remove", "works").exit_code == Exit.REFUSED
    with city.transaction() as conn:
        employ(conn, "lu", "case-handler", department="roads")
    assert run("department", "remove", "roads").exit_code == Exit.REFUSED
    with city.transaction() as conn:
        conn.execute(text("DELETE FROM access.memberships WHERE account = 'lu'"))
    done(run("department", "remove", "roads", "--json"))
    assert [d["id"] for d in done(run("department", "list", "--json"))] == ["works"]


def test_a_layer_and_its_fields_are_protected(run: Run, city: Database) -> None:
    changed = done(run("layers", "protect", "addresses", "--visibility", "internal", "--field", "road=sensitive",
                       "--area-field", "admin_code", "--json"))  # fmt: skip
    assert changed["visibility"] == "internal" and changed["fields"]["road"] == "sensitive"
    with city.transaction() as conn:
        layer = load_layers(conn)["addresses"]
        policies = conn.execute(text("SELECT qual FROM pg_policies WHERE tablename = 'addresses' AND policyname = 'reading'")).scalars().all()
    assert [f.name for f in layer.fields if f.role == "area"] == ["admin_code"]
    assert all("admin_code" in policy for policy in policies) and len(policies) == 2
    assert visible(layer, Principals(city).of(None).grants) is None
