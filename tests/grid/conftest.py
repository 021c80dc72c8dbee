"""Cases on the tests' database: a community with roads, roles as principals, and limits; all rolled back."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, text

from grid.options import GridOptions
from layers.access import Principal
from layers.database import Database
from tests.grid.people import act_as, principal_of

if TYPE_CHECKING:
    from tests.grid.site import GridSite

COMMUNITY = "429701001001"
OTHER = "429701001002"


@pytest.fixture
def options() -> GridOptions:
    return GridOptions()


def lay_ground(conn: Connection) -> None:
    """Two communities side by side, two crossing roads in the first, grids, limits and departments."""
    for code, west in ((COMMUNITY, 114.90), (OTHER, 114.92)):
        square = "ST_Multi(ST_MakeEnvelope(:w, 30.40, :w + 0.02, 30.42, 4490))"
        conn.execute(
            text(
                f"INSERT INTO city.admin_areas (geom, code, level, name) VALUES ({square}, :code, 'community', :code)"
            ),
            {"w": west, "code": code},
        )
        conn.execute(
            text("INSERT INTO city.grid_cells (geom, code, name, kind, parent, worker_name, phone, status)"
                 f" VALUES ({square}, :code || '01', '第一网格', 'grid', :code, '王网格', '0711-1', 'current')"),
            {"w": west, "code": code},
        )  # fmt: skip
    for name, kind, line in (
        ("文星路", "primary", "114.91 30.40, 114.91 30.41"), ("文星路", "primary", "114.91 30.41, 114.91 30.42"),
        ("滨湖路", "secondary", "114.90 30.41, 114.91 30.41"), ("滨湖路", "secondary", "114.91 30.41, 114.92 30.41"),
    ):  # fmt: skip
        conn.execute(
            text(
                f"INSERT INTO city.roads (geom, name, class) VALUES (ST_GeomFromText('LINESTRING({line})', 4490), :n, :k)"
            ),
            {"n": name, "k": kind},
        )
    conn.execute(
        text("INSERT INTO grid.conditions (scheme, kind, class, condition, amount, unit) VALUES"
             " ('CJ/T 214-2007', 'event', '0102', '小于一立方米', 4, 'work-hours'),"
             " ('CJ/T 214-2007', 'event', '0102', '一立方米以上', 1, 'work-days'),"
             " ('CJ/T 214-2007', 'event', '0402', '自来水管破裂', 8, 'urgent-hours')")
    )  # fmt: skip
    for department in ("sanitation", "water"):
        conn.execute(
            text("INSERT INTO access.departments (id, zh, en) VALUES (:d, :d, :d) ON CONFLICT DO NOTHING"),
            {"d": department},
        )


@pytest.fixture
def ground(database: Database) -> Iterator[Connection]:
    """The owner's connection over that ground; rolled back."""
    with database.engine.connect() as conn:
        transaction = conn.begin()
        lay_ground(conn)
        yield conn
        transaction.rollback()


@pytest.fixture(scope="session")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator["GridSite"]:
    """A running server over that ground."""
    from tests.grid.site import grid_site

    with grid_site(
        postgres_url, template_name, f"citymap_grid_{os.getpid()}", tmp_path_factory.mktemp("grid")
    ) as found:
        yield found


@pytest.fixture
def clerk(ground: Connection) -> Principal:
    """Signed in as an intake clerk for the whole city."""
    found = principal_of("clerk", "intake-clerk")
    act_as(ground, found)
    return found
