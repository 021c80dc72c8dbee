"""An answer after a committed edit knows of it; one before it, or after a roll back, does not."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text

from layers.database import Database
from layers.network import current
from layers.network.current import current_network
from layers.network.graph import Network
from layers.network.reading import read_edges, read_restrictions
from layers.registry import load_layers
from tests.conftest import drop_database, make_database


@pytest.fixture(scope="module")
def town(postgres_url: str, template_name: str) -> Iterator[Database]:
    """A database of its own, since these tests commit."""
    name = f"citymap_network_town_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=8)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "town" in request.fixturenames:
        with request.getfixturevalue("town").engine.begin() as conn:
            conn.execute(text("DELETE FROM city.roads"))
            conn.execute(text("DELETE FROM city.turn_restrictions"))


def build(conn: Connection, x: float, y: float, **values: Any) -> int:
    """A road of one hundredth of a degree, eastwards; returns its id."""
    line = f"LINESTRING({114 + x / 100} {30 + y / 100}, {114 + (x + 1) / 100} {30 + y / 100})"
    sql = "INSERT INTO city.roads (geom, class, oneway, name) VALUES (ST_GeomFromText(:line, 4490), 'primary', :oneway, :name)"
    found = conn.execute(text(sql + " RETURNING id"), {"line": line, "oneway": None, "name": None} | values)
    return int(found.scalar_one())


def features(database: Database) -> set[int]:
    with database.engine.connect() as conn:
        return set(current_network(conn).edges.feature.tolist())


def test_network_without_edits_is_the_same_object(town: Database) -> None:
    with town.engine.begin() as conn:
        build(conn, 0, 0)
    with town.engine.connect() as conn:
        first = current_network(conn)
    with town.engine.connect() as conn:
        assert current_network(conn) is first
        conn.rollback()
        conn.execute(text("UPDATE city.places SET name = 'x'"))
        conn.execute(text("INSERT INTO city.places (geom, name) VALUES (ST_Point(114, 30, 4490), 'x')"))
        conn.commit()
        assert current_network(conn) is first


def test_every_committed_edit_is_in_the_next_answer(town: Database) -> None:
    with town.engine.begin() as conn:
        one = build(conn, 0, 0)
    assert features(town) == {one}
    with town.engine.begin() as conn:
        two = build(conn, 1, 0)
    assert features(town) == {one, two}
    with town.engine.begin() as conn:
        conn.execute(text("UPDATE city.roads SET name = '新路', oneway = -1 WHERE id = :id"), {"id": two})
    with town.engine.connect() as conn:
        edges = current_network(conn).edges
        assert edges.name[edges.feature == two].tolist() == ["新路"]
        assert edges.oneway[edges.feature == two].tolist() == [-1]
    with town.engine.begin() as conn:
        conn.execute(text("UPDATE city.roads SET geom = ST_Translate(geom, 1, 1) WHERE id = :id"), {"id": two})
    with town.engine.connect() as conn:
        assert current_network(conn).edges.bounds()[:, 0].max() == pytest.approx(115.01)
    with town.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.roads WHERE id = :id"), {"id": one})
    assert features(town) == {two}


def test_edit_that_commits_after_a_later_one_is_not_missed(town: Database) -> None:
    """Its rows of the dirty log have the lower numbers, and become visible last."""
    features(town)
    with town.engine.connect() as slow, slow.begin() as open_:
        early = build(slow, 0, 0)
        with town.engine.begin() as conn:
            late = build(conn, 0, 5)
        assert features(town) == {late}
        open_.commit()
    assert features(town) == {early, late}


def test_edit_that_commits_while_others_are_read_is_not_seen_by_half(
    town: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A road moves out of the box that is just being read: it would be found neither there nor where it is now."""
    with town.engine.begin() as conn:
        one = build(conn, 0, 0)
    assert features(town) == {one}
    with town.engine.begin() as conn:
        conn.execute(text("UPDATE city.roads SET name = '甲路'"))

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(current, "read_edges", read_edges)
        with town.engine.begin() as conn:
            conn.execute(text("UPDATE city.roads SET geom = ST_Translate(geom, 1, 1)"))
        return read_edges(*arguments)

    monkeypatch.setattr(current, "read_edges", meanwhile)
    with town.engine.connect() as conn:
        edges = current_network(conn).edges
    assert edges.feature.tolist() == [one]
    assert edges.bounds()[0, 0] == pytest.approx(115)


def test_own_edits_are_seen_by_their_transaction_alone(town: Database) -> None:
    with town.engine.begin() as conn:
        one = build(conn, 0, 0)
    assert features(town) == {one}
    with town.engine.connect() as conn, conn.begin() as transaction:
        two = build(conn, 1, 0)
        assert set(current_network(conn).edges.feature.tolist()) == {one, two}
        three = build(conn, 2, 0)
        assert set(current_network(conn).edges.feature.tolist()) == {one, two, three}
        assert features(town) == {one}
        transaction.rollback()
    assert features(town) == {one}
    with town.engine.connect() as conn:
        assert set(current_network(conn).edges.feature.tolist()) == {one}


def test_first_answer_within_a_writing_transaction_is_not_kept(town: Database) -> None:
    with Database(town.url, pool_size=2).engine.connect() as conn:
        with conn.begin() as transaction:
            build(conn, 0, 0)
            assert len(current_network(conn).edges) == 1
            transaction.rollback()
        assert len(current_network(conn).edges) == 0


def test_edit_of_a_turn_restriction_is_in_the_next_answer(town: Database) -> None:
    with town.engine.begin() as conn:
        build(conn, 0, 0)
        build(conn, 1, 0)
        conn.execute(text("UPDATE city.roads SET source_id = 'way/' || id"))
        a, b = conn.execute(text("SELECT array_agg(source_id ORDER BY id) FROM city.roads")).scalar_one()
    with town.engine.connect() as conn:
        assert current_network(conn).barred == {}
    with town.engine.begin() as conn:
        sql = "INSERT INTO city.turn_restrictions (geom, kind, from_road, to_road) VALUES (ST_Point(114.01, 30, 4490), 'no_straight_on', :a, :b)"
        conn.execute(text(sql), {"a": a, "b": b})
    with town.engine.connect() as conn:
        assert len(current_network(conn).barred) == 1


def content(network: Network) -> dict[int, Any]:
    edges = network.edges
    lines = np.split(edges.lonlat, edges.start[1:-1])
    rows = zip(edges.feature.tolist(), edges.oneway.tolist(), edges.name.tolist(), lines, edges.length, strict=True)
    return {id: (oneway, name, line.tolist(), round(length, 6)) for id, oneway, name, line, length in rows}


def test_patched_network_is_the_one_read_anew(town: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random edits, some of many rows at once; never read whole in between."""
    random = np.random.default_rng(3)
    with town.engine.begin() as conn:
        for i in range(60):
            build(conn, i % 10, i // 10)
    features(town)
    whole = []
    monkeypatch.setattr(current, "_read", lambda conn: whole.append(conn))
    for round_ in range(25):
        with town.engine.begin() as conn:
            ids = conn.execute(text("SELECT id FROM city.roads ORDER BY id")).scalars().all()
            some = random.choice(ids, int(random.integers(1, 8)), replace=False).tolist()
            build(conn, float(random.uniform(0, 9)), float(random.uniform(0, 6)))
            kind = (
                "name = name || 'x', oneway = 1",
                "geom = ST_Reverse(geom)",
                "geom = ST_Rotate(geom, 1, 114.05, 30.03)",
            )
            conn.execute(text(f"UPDATE city.roads SET {kind[round_ % 3]} WHERE id = ANY (:ids)"), {"ids": some})
            conn.execute(text("DELETE FROM city.roads WHERE id = :id"), {"id": some[0]})
        with town.engine.connect() as conn:
            layers = load_layers(conn)
            anew = Network(read_edges(conn, layers["roads"]), read_restrictions(conn, layers))
            assert content(current_network(conn)) == content(anew)
    assert whole == []


def test_threads_share_one_network_and_none_answers_with_an_old_one(town: Database) -> None:
    """Eight readers while a writer commits: whoever asks after a commit finds at least what it left."""
    with town.engine.begin() as conn:
        build(conn, 0, 0)
    committed, failures, done = [1], [], threading.Event()

    def ask() -> None:
        with town.engine.connect() as conn:
            while not done.is_set():
                before = committed[0]
                network = current_network(conn)
                conn.rollback()
                found = len(network.edges)
                network.graph("drive", "time")
                if found < before:
                    failures.append((before, found))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for i in range(1, 30):
        with town.engine.begin() as conn:
            build(conn, i % 10, i // 10)
        committed[0] += 1
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_layer_that_not_everybody_may_read_has_a_network_per_scope(town: Database) -> None:
    """Where roads are not public, what one person may read is not another's network."""
    with town.engine.connect() as conn, conn.begin() as transaction:
        build(conn, 0, 0)
        conn.execute(text("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'roads'"))
        scopes = set()
        for grants in ("[]", '[{"collection": "roads"}]'):
            conn.execute(text("SELECT set_config('citymap.grants', :grants, true)"), {"grants": grants})
            scopes.add(current.look(conn, None, 1)[0].scope)
        assert len(scopes) == 2
        assert "" not in scopes
        transaction.rollback()


def test_malta_after_an_edit_is_current_within_a_second(malta_database: Database) -> None:
    """Committed edit to current network, both graphs made anew: 42 000 edges. The bound is for a busy machine."""
    with malta_database.engine.connect() as conn:
        current_network(conn).graph("drive", "time")
    id_ = 0
    try:
        with malta_database.engine.begin() as conn:
            id_ = build(conn, 40, 590)
        started = time.perf_counter()
        with malta_database.engine.connect() as conn:
            network = current_network(conn)
            network.graph("drive", "time")
        assert time.perf_counter() - started < 1.0
        assert id_ in network.edges.feature
        assert network.nbytes() < 60e6
    finally:
        with malta_database.engine.begin() as conn:
            conn.execute(text("DELETE FROM city.roads WHERE id = :id"), {"id": id_})
