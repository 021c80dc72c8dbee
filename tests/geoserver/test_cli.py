"""The command line's shared behaviour: exit codes, cause and cure, JSON, start-up without heavy imports."""

import json
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from geoserver.cli import app
from geoserver.cli.console import ERRORS, CityMapGroup, CommandError, Exit, explain, progress, remember_debug
from tests.conftest import drop_database, make_database

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    name = f"citymap_cli_{uuid.uuid4().hex[:8]}"
    yield make_database(postgres_url, name)
    drop_database(postgres_url, name)


def invoke(*arguments: str, **environ: str):
    return CliRunner().invoke(app, arguments, env=environ)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from geoserver.cli import app\n"
        "print(*sorted({'sqlalchemy', 'pydantic', 'pyproj', 'numpy', 'rich', 'psycopg2', 'pygeoapi', 'starlette',"
        " 'uvicorn', 'geopandas', 'shapely', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_wrong_configuration_ends_with_3_and_names_every_place(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("server:\n  workers: x\ntiles:\n  cache: 1\n")
    done = invoke("config", "check", "--config", str(file))
    assert done.exit_code == Exit.CONFIG
    assert "config.yml:2:12 server.workers: 'x' is not an integer" in done.stderr
    assert "config.yml:4:3 tiles.cache: unknown key; did you mean 'cache_mb'?" in done.stderr
    answer = json.loads(invoke("config", "check", "--json", "--config", str(file)).stdout)
    assert answer["valid"] is False and len(answer["mistakes"]) == 2


def test_unreachable_database_ends_with_4_without_traceback() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        done = invoke(
            "db", "migrate", DATABASE_URL=f"postgresql://u:geheim@127.0.0.1:{closed.getsockname()[1]}/x"
        )
    assert done.exit_code == Exit.DATABASE
    assert "Connection refused" in done.stderr and "citymap doctor" in done.stderr
    assert "Traceback" not in done.output and "geheim" not in done.output


def test_unknown_option_ends_with_2() -> None:
    assert invoke("doctor", "--nonsense").exit_code == Exit.USAGE
    assert invoke("nonsense").exit_code == Exit.USAGE


def failing(error: Exception) -> typer.Typer:
    failing_app = typer.Typer(cls=CityMapGroup)
    failing_app.callback()(remember_debug)

    @failing_app.command("fail")
    def fail() -> None:
        raise error

    return failing_app


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (CommandError("the file is damaged", "export it again", Exit.REFUSED), 6, "the file is damaged"),
        (FileNotFoundError(2, "No such file", "x.shp"), 5, "x.shp"),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int, cause: str) -> None:
    done = CliRunner().invoke(failing(error), ["fail"])
    assert done.exit_code == code
    assert cause in done.stderr and "cure" in done.stderr and "Traceback" not in done.stderr


def test_debug_lets_the_traceback_through() -> None:
    done = CliRunner().invoke(failing(ZeroDivisionError("division by zero")), ["--debug", "fail"])
    assert isinstance(done.exception, ZeroDivisionError)


def test_wrapped_driver_error_is_told_without_its_statement() -> None:
    import psycopg2

    error = OperationalError("SELECT secret", {}, psycopg2.OperationalError("server closed the connection"))
    cause, _, code = explain(error)
    assert (cause, code) == ("server closed the connection", Exit.DATABASE)


def test_error_table_names_types_that_exist() -> None:
    import importlib

    for name in ERRORS:
        module, _, attribute = name.rpartition(".")
        kind = getattr(importlib.import_module(module), attribute)
        assert f"{kind.__module__}.{kind.__qualname__}" == name


def test_migrate_makes_the_tables_once(empty_url: str) -> None:
    first = invoke("db", "migrate", "--json", DATABASE_URL=empty_url)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["applied"]
    again = invoke("db", "migrate", "--json", DATABASE_URL=empty_url)
    assert json.loads(again.stdout) == {"applied": []}


def test_show_hides_the_password() -> None:
    done = invoke("config", "show", DATABASE_URL="postgresql://u:geheim@db/x")
    assert json.loads(done.stdout)["database"]["url"] == "postgresql://u:***@db/x"


def test_schema_is_checked() -> None:
    assert invoke("config", "schema", "--check").exit_code == 0


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("importing", total=10) as advance:
        advance(10)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_documented_exit_codes_are_the_real_ones() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)`", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {code.name: code.value for code in Exit}


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/cli.md").read_text()
    names = [command.name for command in app.registered_commands] + [
        group.name for group in app.registered_groups
    ]
    assert [name for name in names if f"citymap {name}" not in text] == []
