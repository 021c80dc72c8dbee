"""A layer of plots in a database of its own: what counts here is what was committed when."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database

PLOTS = Layer(
    id="plots",
    title=Text("地块", "Plots"),
    description=Text("", ""),
    geometry_type="MultiPolygon",
    fields=(
        Field("code", "string", Text("编号", "Code"), role="key"),
        Field("use", "string", Text("用途", "Use")),
        Field("floors", "integer", Text("层数", "Floors")),
        Field("owner", "string", Text("权属", "Owner"), visibility="sensitive"),
        Field("tags", "string-array", Text("标签", "Tags")),
    ),
)
#: The state of a row as PostgreSQL itself writes it.
type Row = tuple[Any, ...]


@dataclass(frozen=True)
class Plots:
    """The database and the layer."""

    database: Database
    layer: Layer

    def run(self, statement: str, **values: Any) -> Any:
        """One transaction of its own; its rows, or the number of rows it touched."""
        with self.database.transaction(actor="tester") as conn:
            result = conn.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

    def add(self, code: str, use: str = "R", floors: int = 1, x: float = 0.0) -> int:
        """A square plot; its id."""
        rows = self.run(
            "INSERT INTO city.plots (code, use, floors, owner, tags, geom) VALUES (:code, :use, :floors, 'o' || :code,"
            " ARRAY[:use], ST_Multi(ST_MakeEnvelope(:x, 30, :x + 0.001, 30.001, 4490))) RETURNING id",
            code=code, use=use, floors=floors, x=114 + x,
        )  # fmt: skip
        return int(rows[0][0])

    def state(self, conn: Connection | None = None) -> dict[int, Row]:
        """Every row, by a plain read of the table."""
        statement = "SELECT id, code, use, floors, owner, tags, ST_AsHEXEWKB(geom) FROM city.plots"
        rows = conn.execute(text(statement)).all() if conn else self.run(statement)
        return {row[0]: (row[1], row[2], row[3], row[4], tuple(row[5] or ()), row[6]) for row in rows}

    def moment(self) -> datetime:
        """An instant between the edits before and those after."""
        found: datetime = self.run("SELECT clock_timestamp()")[0][0]
        return found


@pytest.fixture(scope="module")
def plots_database(postgres_url: str, template_name: str) -> Iterator[Database]:
    name = f"citymap_versions_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=8)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def plots(plots_database: Database) -> Iterator[Plots]:
    with plots_database.transaction() as conn:
        create_layer(conn, PLOTS)
    yield Plots(plots_database, PLOTS)
    with plots_database.transaction() as conn:
        conn.execute(text("DELETE FROM citymap.layers WHERE id = 'plots'"))
        conn.execute(text("DELETE FROM citymap.versions"))
