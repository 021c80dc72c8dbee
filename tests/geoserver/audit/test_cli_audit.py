"""``citymap audit``: what each command says, and its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geoserver.audit.sealing import seal
from geoserver.cli import app
from geoserver.cli.console import Exit
from layers.database import Database
from tests.conftest import ROOT
from tests.geoserver.audit.authority import authority
from tests.geoserver.audit.conftest import add_wells
from tests.geoserver.audit.test_pruning import OFF, ON
from tests.geoserver.audit.test_sealing import wait_until_sealed


class Commands:
    """The command line over a log."""

    def __init__(self, url: str, log: Database) -> None:
        self.url, self.log = url, log

    def __call__(self, *arguments: str, **environ: str):
        return CliRunner().invoke(app, ("audit", *arguments), env={"DATABASE_URL": self.url, **environ})

    def json(self, *arguments: str, **environ: str):
        return json.loads(self(*arguments, "--json", **environ).stdout)

    def tamper(self, statement: str) -> None:
        with self.log.transaction() as conn:
            conn.exec_driver_sql(OFF + statement + ON)


@pytest.fixture
def audit(log_url: str, log: Database) -> Commands:
    with log.transaction(actor="li") as conn:
        add_wells(conn, "a", "b", "c")
    return Commands(log_url, log)


def test_verify_seals_what_waits_and_says_that_all_is_whole(audit: Commands) -> None:
    done = audit("verify")
    assert done.exit_code == Exit.OK and "the log is whole" in done.stdout
    answer = audit.json("verify")
    assert answer["valid"] and answer["waiting"] == 0 and answer["head"]["seq"] == answer["links"] > 3


def test_verify_names_what_is_wrong_and_ends_with_1(audit: Commands) -> None:
    audit("verify")
    audit.tamper("UPDATE audit.entries SET actor = 'wang' WHERE id = (SELECT max(id) FROM audit.entries)")
    done = audit("verify")
    assert done.exit_code == Exit.FAILED and "changed: entry" in done.stdout and "Traceback" not in done.output
    assert [fault["kind"] for fault in audit.json("verify")["faults"]] == ["changed"]


def test_list_shows_the_newest_that_fit(audit: Commands) -> None:
    entries = audit.json("list", "--actor", "li", "--object", "test-wells", "--limit", "2")
    assert [(e["actor"], e["action"]) for e in entries] == [("li", "create")] * 2
    assert "test-wells" in audit("list").stdout
    assert audit("list", "--datetime", "soon").exit_code == Exit.USAGE


def test_export_is_verified_without_a_database(audit: Commands, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    written = audit.json("export", str(file))
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    done = audit("verify", "--file", str(file), DATABASE_URL=nowhere)
    assert done.exit_code == Exit.OK and f"{written['head']['seq']} {written['head']['hash']}" in done.stdout
    file.write_text(file.read_text().replace('"actor":"li"', '"actor":"wu"', 1))
    assert audit("verify", "--file", str(file), DATABASE_URL=nowhere).exit_code == Exit.FAILED
    assert audit("export", str(file)).exit_code == Exit.REFUSED
    assert audit("verify", "--file", str(tmp_path / "none")).exit_code == Exit.NOT_FOUND
    (tmp_path / "other").write_text("{}")
    assert audit("verify", "--file", str(tmp_path / "other")).exit_code == Exit.REFUSED


def test_an_exported_head_finds_a_chain_that_was_made_anew(audit: Commands, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    assert audit("head", "--output", str(file)).exit_code == Exit.OK
    assert audit("verify", "--head", str(file)).exit_code == Exit.OK
    audit.tamper("""
        UPDATE audit.entries SET actor = 'wang' WHERE actor = 'li'; INSERT INTO audit.unsealed SELECT entry FROM audit.links;
        DELETE FROM audit.links""")
    seal(audit.log)
    assert audit("verify").exit_code == Exit.OK, "the chain was made anew from its beginning"
    done = audit("verify", "--head", str(file))
    assert done.exit_code == Exit.FAILED and "rewritten" in done.stdout
    assert audit("head", "--output", str(file)).exit_code == Exit.REFUSED
    (tmp_path / "other").write_text('{"statement": {"format": "x"}, "timestamp": null}')
    assert audit("verify", "--head", str(tmp_path / "other")).exit_code == Exit.REFUSED


def test_a_head_is_timestamped_by_the_configured_authority_alone(audit: Commands, tmp_path: Path) -> None:
    (tmp_path / "tsa").mkdir()
    assert "no timestamp authority" in audit("head", "--timestamp").stderr
    file = tmp_path / "head.json"
    with authority(tmp_path / "tsa") as tsa:
        known = {"CITYMAP__AUDIT__TIMESTAMP_URL": tsa.url, "CITYMAP__AUDIT__TIMESTAMP_CA": str(tsa.root)}
        assert audit("head", **known).exit_code == Exit.OK and not tsa.requests
        assert audit("head", "--timestamp", "--output", str(file), **known).exit_code == Exit.OK
        assert len(tsa.requests) == 1
        assert audit("verify", "--head", str(file), **known).exit_code == Exit.OK and len(tsa.requests) == 1
    unknown = audit("verify", "--head", str(file))
    assert unknown.exit_code == Exit.FAILED and "audit.timestamp_ca" in unknown.stderr
    document = json.loads(file.read_text())
    document["statement"]["hash"] = "0" * 64
    file.write_text(json.dumps(document))
    forged = audit("verify", "--head", str(file), **known)
    assert forged.exit_code == Exit.FAILED and "does not hold" in forged.stderr


def test_a_log_without_entries_has_no_head(audit: Commands) -> None:
    audit.tamper("DELETE FROM audit.entries; DELETE FROM audit.links; DELETE FROM audit.unsealed")
    assert audit("head").exit_code == Exit.NOT_FOUND


def test_prune_moves_nothing_that_is_young(audit: Commands, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    assert audit.json("prune", str(file)) == {"file": None, "links": 0} and not file.exists()
    done = audit("prune", str(file), CITYMAP__AUDIT__KEEP_DAYS="30")
    assert done.exit_code == Exit.CONFIG and "audit.keep_days: 30 is less than 183" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HASH", "md5", "'md5' is not one of 'sha256', 'sm3'"),
        ("TIMESTAMP_URL", "ftp://tsa/tsr", "is not an address"),
        ("TIMESTAMP_URL", "http://tsa/tsr", "timestamp_url needs timestamp_ca"),
    ],
)
def test_mistakes_of_its_settings_are_named(audit: Commands, variable: str, value: str, said: str) -> None:
    done = audit("list", **{f"CITYMAP__AUDIT__{variable}": value})
    assert done.exit_code == Exit.CONFIG and said in done.stderr


def test_sm3_is_used_when_configured(audit: Commands) -> None:
    assert set(audit.json("verify", CITYMAP__AUDIT__HASH="sm3")["algorithms"]) == {"sm3"}


def test_the_worker_seals(audit: Commands) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", "from geoserver.cli import app; app()", "worker"],
        env=os.environ | {"DATABASE_URL": audit.url, "CITYMAP__AUDIT__HASH": "sm3"}, cwd=ROOT,
    )  # fmt: skip
    try:
        assert wait_until_sealed(audit.log)
    finally:
        worker.terminate()
        worker.wait(20)
    assert set(audit.json("verify")["algorithms"]) == {"sm3"}
