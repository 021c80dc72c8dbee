"""Devices in the migrated database, and connections that act as people of it."""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from layers.database import Database
from tests.conftest import drop_database, make_database
from tracking.model import Device, Fix
from tracking.tracks import read_device

#: 2026-11-20 10:00 in GMT+8.
NOON = 1_763_604_000.0 + 365 * 86_400


@pytest.fixture(scope="session")
def tracking_site(postgres_url: str, template_name: str) -> Iterator[Database]:
    """A migrated database for tests that commit; each uses devices of its own."""
    name = f"citymap_tracking_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=3)
    yield database
    database.close()
    drop_database(postgres_url, name)


def add_device(conn: Connection, code: str = "13900000001", **fields: object) -> Device:
    values = {"code": code, "name": f"车{code[-2:]}", "kind": "sanitation", "department": "roads", **fields}
    columns = ", ".join(values)
    conn.execute(
        text(f"INSERT INTO city.devices ({columns}) VALUES ({', '.join(f':{name}' for name in values)})"), values
    )
    return read_device(conn, code)


def drive(
    begin: float, count: int, step: float = 10.0, lon: float = 114.9, lat: float = 30.4, speed: float = 36.0
) -> list[Fix]:
    """Fixes of a straight drive to the east."""
    east = speed / 3.6 * step / (111_195 * 0.8625)
    return [Fix(begin + n * step, round(lon + n * east, 6), lat, speed, 90, 20, 0, 3) for n in range(count)]
