"""docs/steward.md: its commands are those there are, its addresses are routes, and the round of the lamps runs as told."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from starlette.routing import Match, Route
from typer.testing import CliRunner

from geoserver.app import routes
from geoserver.cli import app
from geoserver.cli.console import Exit
from geoserver.process_adapter import PROCESSES
from tests.conftest import ROOT, drop_database, make_database

PAGE = (ROOT / "docs" / "steward.md").read_text()


@pytest.fixture(scope="module")
def url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_steward_{os.getpid()}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


def test_every_command_of_the_page_is_there_with_its_options() -> None:
    commands = re.findall(r"^\$ citymap (.+)$", PAGE, re.MULTILINE)
    assert len(commands) > 15
    for line in commands:
        words = shlex.split(line, comments=True)
        command: Any = typer.main.get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), line
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_every_address_and_process_of_the_page_is_there() -> None:
    found = [route for route in routes(1000, 1000) if isinstance(route, Route)]
    addresses = re.findall(r"^(/collections/[^\s?]+)", PAGE, re.MULTILINE)
    assert len(addresses) > 6
    for path in addresses:
        scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
        assert any(route.matches(scope)[0] is Match.FULL for route in found), path
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE)) & {p for p in PROCESSES if "-" in p}
    assert {"import-layer", "undo-import", "name-version", "layer-difference", "import-pipes"} <= named


def lamps(path: Path, **watts: int) -> Path:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.89 + n / 1000, 30.39]},
         "properties": {"code": code, "watts": value}}
        for n, (code, value) in enumerate(watts.items())
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_the_round_of_the_lamps_runs_as_told(url: str, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> Any:
        done = CliRunner().invoke(app, [str(a) for a in arguments] + ["--json"], env={"DATABASE_URL": url})
        assert done.exit_code == Exit.OK, done.output
        return json.loads(done.stdout)

    old, new = lamps(tmp_path / "old.geojson", a=150, b=150, c=150), lamps(tmp_path / "new.geojson", a=60, b=150, d=60)
    run("import", old, "--layer", "street-lamps", "--key", "code")
    run("versions", "name", "2025年普查", "--layer", "street-lamps")
    update = ("import", new, "--layer", "street-lamps", "--mode", "update", "--prune")
    assert run(*update, "--dry-run")["imports"][0]["import_id"] is None
    number = run(*update)["imports"][0]["import_id"]

    changes = tmp_path / "changes.geojson"
    told = run("versions", "difference", "street-lamps", "2025年普查", "--output", changes)
    # d stands where c stood, which is another feature all the same
    assert (told["added"], told["changed"], told["deleted"]) == (1, 1, 1)
    assert [f["change"] for f in json.loads(changes.read_text())["features"]] == ["changed", "deleted", "added"]
    assert [s["changed"] for s in run("versions", "history", "street-lamps", "1")] == [["watts"], None]
    assert [v["name"] for v in run("versions", "list", "street-lamps")] == ["2025年普查"]

    undone = run("imports", "undo", str(number))
    assert (undone["inserted"], undone["updated"], undone["deleted"]) == (1, 1, 1)
    told = run("versions", "difference", "street-lamps", "2025年普查")
    assert (told["added"], told["changed"], told["deleted"]) == (0, 0, 0)
    assert [i["undone_by"] for i in run("imports", "list", "street-lamps")] == [None, undone["import_id"], None]
    again = CliRunner().invoke(app, ["imports", "undo", str(number)], env={"DATABASE_URL": url})
    assert again.exit_code == Exit.REFUSED
    run("versions", "forget", "2025年普查")
    assert run("versions", "list") == []
