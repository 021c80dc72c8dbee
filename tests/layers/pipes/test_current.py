"""The pipe network follows its layers: committed edits are in the next answer, hidden rows are not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers.access import Grant, Principal
from layers.database import Database
from layers.pipes.current import current_pipes
from layers.pipes.network import PipeNetwork
from layers.pipes.trace import Start, trace
from layers.registry import LayerNotFound
from tests.conftest import drop_database, make_database


@pytest.fixture(scope="module")
def town(postgres_url: str, template_name: str) -> Iterator[Database]:
    name = f"citymap_pipes_town_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=4)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture(autouse=True)
def emptied(town: Database) -> Iterator[None]:
    yield
    with town.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.pipelines"))
        conn.execute(text("DELETE FROM city.pipe_nodes"))


def lay(conn: Connection, x: float, **values: Any) -> int:
    """A pipe of one hundredth of a degree, eastwards; returns its id."""
    columns = {"kind": "JP", "department": None, "from_node": None, "to_node": None} | values
    line = f"LINESTRING({114 + x / 100} 30, {114 + (x + 1) / 100} 30)"
    sql = f"INSERT INTO city.pipelines (geom, {', '.join(columns)}) VALUES (ST_GeomFromText(:line, 4490), {', '.join(':' + c for c in columns)}) RETURNING id"
    return int(conn.execute(text(sql), {"line": line, **columns}).scalar_one())


def network(database: Database) -> PipeNetwork:
    with database.engine.connect() as conn:
        return current_pipes(conn)


def connected(net: PipeNetwork, pipe: int) -> set[int]:
    return set(net.pipes.feature[trace(net, Start(pipe=net.pipes.row_of(pipe)), "connected").pipes].tolist())


def test_every_committed_edit_is_in_the_next_answer(town: Database) -> None:
    with town.engine.begin() as conn:
        one, two, three = lay(conn, 0), lay(conn, 1), lay(conn, 3)
    net = network(town)
    assert connected(net, one) == {one, two}
    assert network(town) is net
    with town.engine.begin() as conn:
        four = lay(conn, 2)
    assert connected(network(town), one) == {one, two, three, four}
    with town.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.pipelines WHERE id = :id"), {"id": two})
    assert connected(network(town), one) == {one}
    with town.engine.begin() as conn:
        conn.execute(text("INSERT INTO city.pipe_nodes (geom, kind, fitting, closed, source_id) VALUES"
                          " (ST_Point(114.03, 30, 4490), 'JP', 'valve', true, 'v')"))  # fmt: skip
    assert connected(network(town), three) == {three}
    with town.engine.begin() as conn:
        conn.execute(text("UPDATE city.pipe_nodes SET closed = false"))
    assert connected(network(town), three) == {three, four}


def test_an_edit_that_is_rolled_back_is_in_no_other_answer(town: Database) -> None:
    with town.engine.begin() as conn:
        one = lay(conn, 0)
    with town.engine.connect() as conn, conn.begin() as transaction:
        two = lay(conn, 1)
        assert connected(current_pipes(conn), one) == {one, two}
        transaction.rollback()
    assert connected(network(town), one) == {one}


def test_rows_of_another_department_are_not_in_the_network(town: Database) -> None:
    with town.engine.begin() as conn:
        one, _two = lay(conn, 0, department="water"), lay(conn, 1, department="gas")
    reads = Grant("*", frozenset({"read"}), "sensitive")
    water = Grant("*", frozenset({"read"}), "sensitive", departments=("water",))
    with acting(town, Principal("all", grants=(reads,))) as conn:
        assert len(current_pipes(conn).pipes) == 2
    with acting(town, Principal("waterman", grants=(water,))) as conn:
        assert current_pipes(conn).pipes.feature.tolist() == [one]
    with acting(town, Principal()) as conn, pytest.raises(LayerNotFound):
        current_pipes(conn)


@contextmanager
def acting(town: Database, principal: Principal) -> Iterator[Connection]:
    """A transaction as the server has it: of the role that row-level security binds."""
    with town.transaction(principal=principal) as conn:
        conn.execute(text("SET LOCAL ROLE citymap_app"))
        yield conn


def test_reads_are_audited_and_standards_may_be_replaced(town: Database) -> None:
    with town.engine.begin() as conn:
        lay(conn, 0, kind="XX1")
    before = network(town)
    assert not before.gravity.any()
    with town.engine.begin() as conn:
        conn.execute(
            text("INSERT INTO citymap.pipe_kinds VALUES ('XX1', 'PS', '明渠', 'Ditch', '#000000', 'gravity', 'invert')")
        )
    assert network(town).gravity.all()
    with town.engine.begin() as conn:
        conn.execute(text("DELETE FROM citymap.pipe_kinds WHERE code = 'XX1'"))
        entries = conn.execute(
            text("SELECT count(*) FROM audit.entries WHERE object = 'pipelines' AND action = 'read'")
        )
        assert entries.scalar_one() >= 2
