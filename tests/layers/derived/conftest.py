"""Ground whose height at every place is known by a formula, and buildings on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from sqlalchemy import Connection, text

from layers.derived.keeping import work_out
from layers.derived.registry import derivations
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import write_tif

WEST, NORTH, CELL, SIDE = 114.86, 30.44, 0.0002, 400


def slope(x: Any, y: Any) -> Any:
    """Height [m] of a plane that rises to the east and north."""
    return 30 + 1000 * (np.asarray(x) - 114.88) + 500 * (np.asarray(y) - 30.38)


def slope_tif(path: Path, add: Any = 0.0, side: int = SIDE, west: float = WEST, north: float = NORTH) -> Path:
    """The plane, and what ``add`` (a number, or a function of places) puts on it."""
    x = west + (np.arange(side) + 0.5) * CELL
    y = north - (np.arange(side) + 0.5) * CELL
    xs, ys = np.meshgrid(x, y)
    more = add(xs, ys) if callable(add) else add
    return write_tif(path, (slope(xs, ys) + more).astype("f4"), Affine(CELL, 0, west, 0, -CELL, north), "EPSG:4490")


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


@pytest.fixture
def take(conn: Connection, store: RasterStore) -> Callable[..., int]:
    """Import an elevation image; returns its id."""

    def take(path: Path, coverage: str = "dem", **options: Any) -> int:
        into = load_coverage(conn, coverage)
        [image] = import_images(conn, store, into, path, ImageOptions(**options), lambda _share, _text: None)
        conn.dispatch.commit(conn)
        assert image.id is not None
        return image.id

    return take


@pytest.fixture
def bring_up(conn: Connection, store: RasterStore) -> Callable[[], int]:
    """What the server does when something has become stale; returns in how many pieces."""

    def bring_up() -> int:
        pieces = 0
        for derivation in derivations(conn):
            while work_out(conn, store, derivation):
                pieces += 1
        return pieces

    return bring_up


def build(conn: Connection, x: float = 114.9, y: float = 30.4, side: float = 0.0004, **values: Any) -> int:
    """A square building with its south-west corner there; returns its id."""
    names = "".join(f", {name}" for name in values)
    bound = "".join(f", :{name}" for name in values)
    statement = f"""INSERT INTO city.buildings (geom{names})
        VALUES (ST_Multi(ST_MakeEnvelope(:x, :y, :x + :side, :y + :side, 4490)){bound}) RETURNING id"""
    return int(conn.execute(text(statement), {"x": x, "y": y, "side": side, **values}).scalar_one())


def standing(conn: Connection, building: int) -> Any:
    """The building in the derived layer, or None."""
    return (
        conn.execute(text("SELECT * FROM city.buildings_3d WHERE id = :id"), {"id": building}).mappings().one_or_none()
    )
