"""Every committed entry gets its link, once, whoever seals and whatever commits late; and the hashes are OpenSSL's."""

import hashlib
import json
import random
import shutil
import subprocess
import threading
import time

import pytest
from sqlalchemy import Connection

from geoserver.audit.entries import append
from geoserver.audit.sealing import _BATCH, _LOCK, lock, seal, seal_waiting, sealing
from geoserver.audit.verification import rows, verify
from layers.database import Database
from tests.geoserver.audit.conftest import add_wells


def unlinked(conn: Connection) -> int:
    return int(
        conn.exec_driver_sql(
            "SELECT count(*) FROM audit.entries e WHERE NOT EXISTS (SELECT FROM audit.links WHERE entry = e.id)"
        ).scalar_one()
    )


def test_no_entry_is_lost_while_many_write_and_several_seal(log: Database) -> None:
    wrong: list[BaseException] = []
    writing = threading.Event()
    made: list[int] = []

    def guarded(work):
        def run(*arguments):
            try:
                work(*arguments)
            except BaseException as error:
                wrong.append(error)

        return run

    @guarded
    def write(number: int) -> None:
        chance = random.Random(number)
        for turn in range(25):
            with log.engine.connect() as conn:
                transaction = conn.begin()
                add_wells(conn, f"{number}-{turn}", "second")
                time.sleep(chance.random() * 0.02)
                transaction.rollback() if turn % 5 == 4 else transaction.commit()

    @guarded
    def keep_sealing() -> None:
        while not writing.is_set():
            made.append(seal(log, "sha256"))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    sealers = [threading.Thread(target=keep_sealing) for _ in range(3)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.set()
    for thread in sealers:
        thread.join()
    assert not wrong
    made.append(seal(log, wait=True))
    with log.engine.connect() as conn:
        report = verify(conn)
        kept = conn.exec_driver_sql(
            "SELECT count(*) FROM audit.entries WHERE object = 'test-wells' AND action = 'create'"
        ).scalar_one()
        assert kept == 8 * 20 * 2 and unlinked(conn) == 0
        assert report.ok and report.waiting == 0
        total = conn.exec_driver_sql("SELECT count(*) FROM audit.entries").scalar_one()
        assert report.links == sum(made) == total
        out_of_order = conn.exec_driver_sql(
            "SELECT count(*) FROM (SELECT entry < lag(entry) OVER (ORDER BY seq) AS late FROM audit.links) l WHERE late"
        ).scalar_one()
    assert out_of_order > 0, "no transaction committed after a later one was sealed: the test tried nothing"


def test_an_entry_that_commits_late_is_linked_after_those_that_overtook_it(log: Database) -> None:
    seal(log)
    with log.engine.connect() as slow:
        add_wells(slow, "slow")
        with log.engine.begin() as quick:
            add_wells(quick, "quick")
        assert seal(log) == 1, "a long transaction must not hold up what others committed"
        slow.commit()
    assert seal(log) == 1
    with log.engine.connect() as conn:
        order = conn.exec_driver_sql("SELECT entry FROM audit.links ORDER BY seq DESC LIMIT 2").scalars().all()
        assert order[0] < order[1] and verify(conn).ok


def test_writers_do_not_wait_for_a_sealer(log: Database) -> None:
    with log.engine.connect() as sealer:
        assert lock(sealer, wait=False) and seal_waiting(sealer, "sha256") > 0
        with log.engine.begin() as conn:
            conn.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            add_wells(conn, "meanwhile")
        sealer.commit()
    assert seal(log) == 1


def test_while_one_seals_another_makes_nothing_or_takes_its_turn(log: Database) -> None:
    with log.engine.connect() as first:
        lock(first, wait=False)
        assert seal(log) == 0
        second = threading.Thread(target=seal, args=(log,), kwargs={"wait": True})
        second.start()
        time.sleep(0.2)
        assert second.is_alive()
        first.rollback()
        second.join(10)
    with log.engine.connect() as conn:
        assert unlinked(conn) == 0 and _LOCK


def test_more_than_a_batch_is_sealed_in_one_call(log: Database) -> None:
    with log.transaction() as conn:
        conn.exec_driver_sql(
            "DO $$ BEGIN FOR i IN 1..%s LOOP PERFORM audit.append('read', 'layer', 'x'); END LOOP; END $$"
            % (_BATCH + 5)
        )
    assert seal(log) > _BATCH
    with log.engine.connect() as conn:
        assert unlinked(conn) == 0 and verify(conn).ok


def test_a_switch_of_the_algorithm_keeps_the_older_part_valid(log: Database) -> None:
    for algorithm in ("sha256", "sm3", "sha256"):
        with log.transaction() as conn:
            append(conn, "read")
        seal(log, algorithm)  # type: ignore[arg-type]
    with log.engine.connect() as conn:
        report = verify(conn)
    assert report.ok and report.algorithms["sm3"] == 1 and report.algorithms["sha256"] > 1


def openssl(algorithm: str, data: bytes) -> str:
    program = shutil.which("openssl")
    assert program, "the tests need the command openssl"
    done = subprocess.run([program, "dgst", f"-{algorithm}", "-r"], input=data, capture_output=True, check=True)
    return done.stdout.split()[0].decode()


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_digests_and_hashes_are_those_of_openssl_over_the_documented_bytes(wells: Connection, algorithm: str) -> None:
    """An independent reading of docs/audit.md: the standard library's JSON, OpenSSL's hashes, PostgreSQL's values."""
    wells.exec_driver_sql("SELECT set_config('citymap.actor', '李四 \"\\\u0007', true)")
    append(
        wells,
        "read",
        "layer",
        "test-wells",
        rows=3,
        row_ids=[4, 5],
        detail={"b": [1.5, None], "a": "é\u2028\U0001f333"},
    )
    while seal_waiting(wells, algorithm):  # type: ignore[arg-type]
        pass
    previous = "0" * 64
    for row in wells.exec_driver_sql(f"""
            SELECT l.*, e.*, e.detail::text AS detail_text, e.at AS made FROM audit.links l JOIN audit.entries e ON e.id = l.entry
            WHERE l.seq > (SELECT max(seq) - 3 FROM audit.links) OR l.seq <= {3} ORDER BY l.seq""").mappings().all():  # fmt: skip
        entry = {name: row[name] for name in ("id", "login", "actor", "via", "address", "request", "action", "kind", "object",
                                              "row_count", "row_ids", "outcome")}  # fmt: skip
        entry |= {"at": f"{row['made']:%Y-%m-%dT%H:%M:%S.%fZ}", "detail": row["detail_text"]}
        assert openssl(algorithm, plain_json(entry)) == row["digest"].hex()
        if row["seq"] > 3:
            previous = wells.exec_driver_sql(
                "SELECT encode(hash, 'hex') FROM audit.links WHERE seq = %s", (row["seq"] - 1,)
            ).scalar_one()
        link = {"seq": row["seq"], "entry": row["entry"], "sealed": f"{row['sealed']:%Y-%m-%dT%H:%M:%S.%fZ}",
                "algorithm": algorithm, "digest": row["digest"].hex(), "previous": previous}  # fmt: skip
        assert openssl(algorithm, plain_json(link)) == row["hash"].hex()
        previous = row["hash"].hex()


def plain_json(value: dict) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def test_the_python_hash_is_sm3_of_the_standard() -> None:
    """GB/T 32905-2016, appendix A.1."""
    assert hashlib.new("sm3", b"abc").hexdigest() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_thread_seals_by_itself_and_lives_through_a_broken_line(log: Database, log_url: str) -> None:
    with sealing(log_url, "sha256"):
        assert wait_until_sealed(log)
        with log.engine.begin() as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        log.engine.dispose()
        with log.transaction() as conn:
            add_wells(conn, "after")
        assert wait_until_sealed(log)


def wait_until_sealed(log: Database) -> bool:
    for _ in range(600):
        with log.engine.connect() as conn:
            if unlinked(conn) == 0:
                return True
        time.sleep(0.1)
    return False


def test_rows_stream_in_the_order_of_the_chain(log: Database) -> None:
    seal(log)
    with log.engine.connect() as conn:
        from geoserver.audit.chain import Place

        seqs = [link.seq for link, _ in rows(conn, Place(2, ""), 5)]
    assert seqs == [3, 4, 5]
