"""Files appear with their transaction, stay while history needs them, and leave nothing behind when it fails."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from sqlalchemy import Connection, text

from layers.base_coverages import BASE_COVERAGES
from layers.catalogue import Text
from layers.importing.errors import ImportRefused
from layers.processing import JobCancelled
from layers.raster import store as store_module
from layers.raster.images import find_images, remove
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.mosaic import Grid, read
from layers.raster.registry import load_coverage
from layers.raster.store import ImageGone, RasterStore, sweep
from layers.registry import LayerNotFound
from tests.layers.raster.conftest import Take, write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)
GRID = Grid((586400, 3364700, 586500, 3364800), 4547, 50, 50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tif(tmp_path / "in.tif", np.full((50, 50), 5, "u1"), HERE)


def files(store: RasterStore) -> list[str]:
    return sorted(p.relative_to(store.directory).as_posix() for p in store.directory.rglob("*") if p.is_file())


def quiet(_share: float, _text: Text) -> None:
    pass


def test_base_coverages_stand_in_the_catalogue(conn: Connection) -> None:
    for declared in BASE_COVERAGES:
        found = load_coverage(conn, declared.layer.id)
        assert (found.nature, found.bands, found.layer.fields) == (
            declared.nature,
            declared.bands,
            declared.layer.fields,
        )
    with pytest.raises(LayerNotFound, match="no coverage 'roads'"):
        load_coverage(conn, "roads")


def test_files_come_to_their_place_with_the_commit_and_go_with_the_rollback(
    database: object, store: RasterStore, path: Path
) -> None:
    with database.engine.connect() as conn:  # type: ignore[attr-defined]
        transaction = conn.begin()
        import_images(conn, store, load_coverage(conn, "imagery"), path, ImageOptions(), quiet)
        drafts = files(store)
        assert len(drafts) == 4 and all(f.startswith(".new/") for f in drafts)
        transaction.rollback()
    assert files(store) == []
    try:
        with database.engine.begin() as conn:  # type: ignore[attr-defined]
            [image] = import_images(conn, store, load_coverage(conn, "imagery"), path, ImageOptions(), quiet)
        placed = files(store)
        assert [Path(f).name for f in placed] == ["CGCS2000Quad.tif", "WebMercatorQuad.tif", "original.tif"]
        assert placed[0].startswith("imagery/") and list((store.directory / ".new").iterdir()) == []
        with database.engine.begin() as conn:  # type: ignore[attr-defined]
            assert (read(conn, store, load_coverage(conn, "imagery"), GRID).values == 5).all()
    finally:
        with database.engine.begin() as conn:  # type: ignore[attr-defined]
            conn.execute(text("DELETE FROM city.imagery"))
            conn.execute(text("DELETE FROM history.imagery"))
            conn.execute(text("UPDATE citymap.layers SET extent = NULL WHERE id = 'imagery'"))


def test_a_cancelled_import_leaves_no_file_and_no_row(conn: Connection, store: RasterStore, path: Path) -> None:
    for stop in (0.0, 0.3, 0.5, 0.95):

        def tell(share: float, _text: Text, stop: float = stop) -> None:
            if share >= stop:
                raise JobCancelled

        with pytest.raises(JobCancelled):
            import_images(conn, store, load_coverage(conn, "imagery"), path, ImageOptions(), tell)
        assert files(store) == []
    assert find_images(conn, load_coverage(conn, "imagery")) == []


def test_an_import_that_the_disk_cannot_hold_is_refused(
    conn: Connection, store: RasterStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = store_module.shutil.disk_usage("/")
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(ImportRefused, match="MB are free"):
        import_images(conn, store, load_coverage(conn, "imagery"), path, ImageOptions(), quiet)
    assert files(store) == []


def test_a_replaced_image_keeps_its_id_and_its_past(
    conn: Connection, store: RasterStore, take: Take, path: Path, tmp_path: Path
) -> None:
    first = take("imagery", path)
    conn.execute(text("ALTER TABLE city.imagery DISABLE TRIGGER next_revision"))
    conn.execute(text("UPDATE city.imagery SET valid_from = now() - interval '2 days'"))
    conn.execute(text("ALTER TABLE city.imagery ENABLE TRIGGER next_revision"))
    conn.execute(text("DELETE FROM history.imagery"))
    again = take("imagery", write_tif(tmp_path / "new.tif", np.full((50, 50), 9, "u1"), HERE), replaces=first.id)
    assert again.id == first.id
    coverage = load_coverage(conn, "imagery")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert (read(conn, store, coverage, GRID).values == 9).all()
    assert (read(conn, store, coverage, GRID, as_of=yesterday).values == 5).all()
    with pytest.raises(LookupError, match="no image 999 to replace"):
        take("imagery", write_tif(tmp_path / "newer.tif", np.full((50, 50), 3, "u1"), HERE), replaces=999)


def test_sweeping_removes_only_what_nothing_needs(
    conn: Connection, store: RasterStore, take: Take, path: Path, tmp_path: Path
) -> None:
    kept = take("imagery", path)
    gone = take("dem", write_tif(tmp_path / "dem.tif", np.full((50, 50), 1, "i2"), HERE))
    remove(conn, load_coverage(conn, "dem"), gone.id)  # type: ignore[arg-type]
    conn.execute(
        text("UPDATE history.dem SET valid_from = now() - interval '20 days', valid_to = now() - interval '10 days'")
    )
    dem = conn.execute(text("SELECT folder FROM history.dem")).scalar_one()
    orphan = store.directory / "imagery" / "0123456789abcdef"
    orphan.mkdir()
    dead, stranger = store.directory / ".new" / "dead", store.directory / "imagery" / "notes"
    dead.mkdir()
    (dead / ".lock").touch()
    stranger.mkdir()
    assert sweep(conn, store, timedelta(0)) == []  # all of it is new: a row may be about to name it
    past = time.time() - 7200
    for directory in (*store.directory.glob("*/*"), dead):
        os.utime(directory, (past, past))
    with store.draft(conn, "imagery", 0) as draft:
        os.utime(draft.drafts, (past, past))
        assert sweep(conn, store, timedelta(days=30)) == [".new/dead", "imagery/0123456789abcdef"]
        assert draft.directory.exists() and stranger.exists()
    then = datetime.now(UTC) - timedelta(days=15)
    assert not read(conn, store, load_coverage(conn, "dem"), GRID, as_of=then).values.mask.any()
    assert sweep(conn, store, timedelta(days=5)) == [dem]
    with pytest.raises(ImageGone, match="no longer kept"):
        read(conn, store, load_coverage(conn, "dem"), GRID, as_of=then)
    assert kept.id and (read(conn, store, load_coverage(conn, "imagery"), GRID).values == 5).all()


@pytest.mark.parametrize(
    "folder", ["../../etc", "/etc/passwd", "imagery/../../x", "imagery/0123456789abcde/", "/vsicurl/http://h/a", ""]
)
def test_a_row_cannot_name_files_outside_the_store(store: RasterStore, folder: str) -> None:
    with pytest.raises(ImageGone, match="not one of this store"):
        store.path(folder)
    with pytest.raises(ImageGone, match="not one of this store"):
        store.path("imagery/0123456789abcdef", "../x")
