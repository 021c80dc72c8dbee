"""Opens the cache of a worker over the database whose tiles it keeps."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from layers.database import Database
from tiles.cache.cache import TileCache
from tiles.cache.disk import DiskTiles
from tiles.cache.following import ChangeFollower, Listener
from tiles.cache.positions import Position
from tiles.matrix_sets import MatrixSet

LOGGER = logging.getLogger("citymap")
#: Raised whenever tiles of the same data would come out differently than before.
_RENDERING = "2"
#: The cluster, its timeline (another after a restore) and the database: snapshots compare within one of them only.
_IDENTITY = text("""
    SELECT c.system_identifier, p.timeline_id, d.oid
    FROM pg_control_system() AS c, pg_control_checkpoint() AS p, pg_database AS d WHERE d.datname = current_database()
""")


def open_cache(
    database: Database,
    grids: Mapping[str, MatrixSet],
    directory: str,
    memory_mb: float,
    disk_mb: float,
    told: Listener | None = None,
) -> tuple[TileCache, ChangeFollower]:
    """The cache, and what keeps it fresh once it is started; nothing is kept before.

    Without a folder that can be written, tiles are kept in memory only.
    """  # fmt: skip
    folder = Path(directory) / identity(database)
    try:
        disk = DiskTiles(folder, int(disk_mb * 1_000_000), grids)
        position = Position(folder / ".positions" if disk_mb else None)
    except OSError as error:
        LOGGER.warning("tiles are kept in memory only: %s", error)
        disk, position = DiskTiles(folder, 0, grids), Position(None)
    cache = TileCache(int(memory_mb * 1_000_000), disk)
    return cache, ChangeFollower(database, cache, position, told)


def identity(database: Database) -> str:
    """A digest of the database, and of how tiles are rendered: what is kept is good for these only."""
    with database.engine.connect() as conn:
        parts = conn.execute(_IDENTITY).one()
    return hashlib.blake2b(repr((_RENDERING, *parts)).encode(), digest_size=8).hexdigest()
