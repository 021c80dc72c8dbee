"""Old entries go into a file and out of the table, only through the command's own road, and the rest still verifies."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from geoserver.audit.chain import GENESIS, Place, linked
from geoserver.audit.entries import COLUMNS, Filters, append, document, page
from geoserver.audit.files import verify_file
from geoserver.audit.heads import current_head
from geoserver.audit.pruning import PruneRefused, prune
from geoserver.audit.sealing import _store, seal
from geoserver.audit.verification import verify
from layers.database import Database

OFF = "ALTER TABLE audit.entries DISABLE TRIGGER ALL; ALTER TABLE audit.links DISABLE TRIGGER ALL;"
ON = """;
    ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete;
    ALTER TABLE audit.links ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete;"""


@pytest.fixture
def aged(log: Database) -> Database:
    """A log whose first ten entries are 500 days old, and others that are 200 and 0 days old."""
    with log.transaction() as conn:
        conn.exec_driver_sql(OFF + "DELETE FROM audit.unsealed; DELETE FROM audit.entries")
        place = Place(0, GENESIS)
        for days in [500] * 10 + [200] * 3:
            moment = datetime.now(UTC) - timedelta(days=days)
            new = conn.exec_driver_sql(
                "INSERT INTO audit.entries (at, action, outcome) VALUES (%s, 'read', 'done') RETURNING id", (moment,)
            ).scalar_one()
            entry = document(conn.exec_driver_sql(f"SELECT {COLUMNS} FROM audit.entries e WHERE id = {new}").one())
            link = linked(entry, place, f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}", "sha256")
            _store(conn, [link])
            place = Place(link.seq, link.hash)
        conn.exec_driver_sql(ON)
        append(conn, "read")
    seal(log)
    with log.engine.connect() as conn:
        assert verify(conn).ok
    return log


def test_what_is_older_than_it_is_kept_moves_into_a_file(aged: Database, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    written = prune(aged, file, 400, "sha256")
    assert written and written.links == 10 and verify_file(file, [written.head]).ok
    with aged.engine.connect() as conn:
        report = verify(conn)
        assert report.ok and report.first == 11 and report.pruned
        assert (report.pruned["upto"], report.pruned["sha256"], report.pruned["file"]) == (
            10,
            written.sha256,
            "old.jsonl",
        )
        (entry,) = page(conn, Filters(action="prune"))[0]
        assert entry["row_count"] == 10 and json.loads(entry["detail"])["hash"] == written.head.hash
        assert conn.exec_driver_sql("SELECT count(*) FROM audit.entries").scalar_one() == 5


def test_what_is_left_can_be_pruned_again(aged: Database, tmp_path: Path) -> None:
    prune(aged, tmp_path / "a.jsonl", 400, "sha256")
    second = prune(aged, tmp_path / "b.jsonl", 190, "sm3")
    assert second and second.links == 3 and verify_file(tmp_path / "b.jsonl").first == 11
    with aged.engine.connect() as conn:
        report = verify(conn)
        assert report.ok and report.first == 14 and report.pruned and report.pruned["after"] == 10
    assert prune(aged, tmp_path / "c.jsonl", 190, "sha256") is None and not (tmp_path / "c.jsonl").exists()


def test_six_months_are_kept_whatever_is_asked(aged: Database, tmp_path: Path) -> None:
    with pytest.raises(DBAPIError, match="only ever appended"):
        prune(aged, tmp_path / "x.jsonl", 0, "sha256")
    with aged.engine.connect() as conn:
        assert verify(conn).ok and verify(conn).first == 1


def test_a_prune_entry_of_another_transaction_lets_nothing_go(aged: Database) -> None:
    with aged.transaction() as conn:
        conn.exec_driver_sql("SELECT audit.record('prune', NULL, NULL, NULL, NULL, 'done', '{\"upto\": 10}')")
    for table in ("entries WHERE id = (SELECT min(entry) FROM audit.links)", "links WHERE seq = 1"):
        with pytest.raises(DBAPIError, match="only ever appended"), aged.transaction() as conn:
            conn.exec_driver_sql(f"DELETE FROM audit.{table}")


@pytest.mark.parametrize("young", ["entries WHERE id = (SELECT max(entry) FROM audit.links)", "links WHERE seq = 14"])
def test_nothing_younger_than_six_months_goes_by_hand(aged: Database, young: str) -> None:
    with pytest.raises(DBAPIError, match="only ever appended"), aged.transaction() as conn:
        conn.exec_driver_sql("SELECT audit.record('prune', NULL, NULL, NULL, NULL, 'done', '{\"upto\": 99}')")
        conn.exec_driver_sql(f"DELETE FROM audit.{young}")


def test_a_part_that_was_tampered_with_stays(aged: Database, tmp_path: Path) -> None:
    with aged.transaction() as conn:
        conn.exec_driver_sql(
            OFF + "UPDATE audit.entries SET actor = 'x' WHERE id = (SELECT min(id) FROM audit.entries)" + ON
        )
    with pytest.raises(PruneRefused, match="nothing was removed"):
        prune(aged, tmp_path / "x.jsonl", 400, "sha256")
    with aged.engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT min(seq) FROM audit.links").scalar_one() == 1


def test_an_existing_file_is_not_overwritten_and_nothing_goes(aged: Database, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    file.write_text("precious")
    with pytest.raises(FileExistsError):
        prune(aged, file, 400, "sha256")
    assert file.read_text() == "precious"
    with aged.engine.connect() as conn:
        assert verify(conn).first == 1


def test_a_pruned_beginning_that_no_entry_tells_of_is_found(aged: Database, tmp_path: Path) -> None:
    prune(aged, tmp_path / "a.jsonl", 400, "sha256")
    with aged.transaction() as conn:
        conn.exec_driver_sql(
            OFF
            + "DELETE FROM audit.entries USING audit.links WHERE entry = id AND seq = 11; DELETE FROM audit.links WHERE seq = 11"
            + ON
        )
    with aged.engine.connect() as conn:
        faults = verify(conn).faults
    assert [(fault.kind, fault.seq) for fault in faults] == [("removed", 1)]


def test_a_changed_prune_entry_is_found(aged: Database, tmp_path: Path) -> None:
    prune(aged, tmp_path / "a.jsonl", 400, "sha256")
    with aged.transaction() as conn:
        conn.exec_driver_sql(
            OFF + "UPDATE audit.entries SET detail = detail || '{\"links\": 3}' WHERE action = 'prune'" + ON
        )
    with aged.engine.connect() as conn:
        assert [fault.kind for fault in verify(conn).faults] == ["changed"]


def test_young_entries_that_a_superuser_pruned_are_found(aged: Database) -> None:
    """Triggers away, a prune entry made up: its own date tells."""
    with aged.transaction() as conn:
        seq, hash_, sealed = conn.exec_driver_sql(
            "SELECT seq, encode(hash, 'hex'), sealed FROM audit.links ORDER BY seq DESC LIMIT 1"
        ).one()
        told = json.dumps({"upto": seq, "hash": hash_, "after": 0, "sealed_to": f"{sealed:%Y-%m-%dT%H:%M:%S.%fZ}"})
        conn.exec_driver_sql("SELECT audit.record('prune', 'audit', NULL, 1, NULL, 'done', %s::jsonb)", (told,))
    seal(aged)
    with aged.transaction() as conn:
        conn.exec_driver_sql(
            OFF
            + f"DELETE FROM audit.entries USING audit.links WHERE entry = id AND seq <= {seq}; DELETE FROM audit.links WHERE seq <= {seq}"
            + ON
        )
    with aged.engine.connect() as conn:
        report = verify(conn)
    assert [(fault.kind, fault.seq) for fault in report.faults] == [("removed", seq)] and "183 days" in report.faults[
        0
    ].text


def test_a_head_of_the_pruned_part_is_said_to_lie_there(aged: Database, tmp_path: Path) -> None:
    with aged.engine.connect() as conn:
        tenth = Place(
            10, conn.exec_driver_sql("SELECT encode(hash, 'hex') FROM audit.links WHERE seq = 10").scalar_one()
        )
        head = current_head(conn)
    assert head is not None
    prune(aged, tmp_path / "a.jsonl", 400, "sha256")
    with aged.engine.connect() as conn:
        report = verify(conn, [Place(5, "0" * 64), tenth, head.place])
        assert report.ok and "link 5 was pruned" in report.remarks[0]
        assert [fault.kind for fault in verify(conn, [Place(10, "0" * 64)]).faults] == ["head"]
