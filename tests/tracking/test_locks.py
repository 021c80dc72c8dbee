"""What the gateway and the upkeep hold while they work keeps nobody from reading or storing positions."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection
from sqlalchemy import text

from layers.database import Database
from tests.tracking.conftest import NOON
from tracking.storing import day_of, make_days
from tracking.upkeep import take_turn


@contextmanager
def impatient(database: Database) -> Iterator[connection]:
    """A connection that waits two seconds for a lock, and then fails."""
    conn = psycopg2.connect(database.url, options="-c lock_timeout=2000")
    yield conn
    conn.close()


def test_a_vehicle_that_widens_the_extent_shuts_nobody_out(tracking_site: Database) -> None:
    with tracking_site.engine.connect() as board, impatient(tracking_site) as other:
        board.execute(text("INSERT INTO city.positions (device, geom) VALUES ('far', 'SRID=4490;POINT(179 89)')"))
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tracking.positions")
            cursor.execute("INSERT INTO city.devices (code, name) VALUES ('locks', 'x')")
        other.rollback()
        board.rollback()


def test_partitions_are_made_while_another_process_has_the_turn_of_upkeep(tracking_site: Database) -> None:
    with impatient(tracking_site) as keeper, impatient(tracking_site) as gateway:
        keeper.autocommit = True
        assert take_turn(keeper)
        with gateway.cursor() as cursor:
            make_days(cursor, [day_of(NOON - 300 * 86_400)])
        gateway.rollback()
        assert take_turn(keeper)
