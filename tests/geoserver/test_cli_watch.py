"""``citymap watch``: files come into a folder, and go into their coverages or to ``refused``."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from typer.testing import CliRunner

from geoserver.cli import app
from geoserver.cli.console import Exit
from layers.database import Database
from layers.importing.errors import ImportRefused
from layers.raster.images import find_images
from layers.raster.inbox import look, options_of, settled
from layers.raster.registry import load_coverage
from tests.conftest import drop_database, make_database
from tests.layers.raster.conftest import write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)


@pytest.fixture
def url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_watch_{uuid.uuid4().hex[:8]}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


def test_files_that_came_are_imported_or_refused_with_the_reason(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    for coverage in ("imagery", "dem", "lakes"):
        (folder / coverage).mkdir(parents=True)
    write_tif(folder / "imagery" / "dom_20240501.tif", np.full((3, 20, 20), 7, "u1"), HERE)
    write_tif(folder / "dem" / "dem.tif", np.full((20, 20), 9, "i2"), HERE)
    (folder / "dem" / "dem.tif.json").write_text(
        '{"vertical_datum": "1985国家高程基准", "acquired": "2023-01-02T00:00:00+08:00"}'
    )
    write_tif(folder / "dem" / "two.tif", np.full((2, 20, 20), 9, "i2"), HERE)
    write_tif(folder / "lakes" / "x.tif", np.full((20, 20), 9, "i2"), HERE)
    (folder / "dem" / "notes.txt").write_text("not an image")
    settings = {"DATABASE_URL": url, "CITYMAP__RASTERS__DIRECTORY": str(tmp_path / "rasters")}
    done = CliRunner().invoke(app, ["watch", str(folder), "--once", "--every", "0.1"], env=settings)
    assert done.exit_code == Exit.OK, done.stderr
    assert "imported imagery #1 dom_20240501" in done.stdout and "refused dem/two.tif" in done.stdout
    database = Database(url, pool_size=1)
    with database.transaction() as conn:
        [image] = find_images(conn, load_coverage(conn, "imagery"))
        [height] = find_images(conn, load_coverage(conn, "dem"))
    database.close()
    assert image.acquired == datetime(2024, 5, 1, tzinfo=UTC)
    assert (height.vertical_datum, height.acquired) == ("1985国家高程基准", datetime(2023, 1, 1, 16, tzinfo=UTC))
    left = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert left == [
        "dem/done/dem.tif", "dem/done/dem.tif.json", "dem/notes.txt", "dem/refused/two.tif", "dem/refused/two.tif.txt",
        "imagery/done/dom_20240501.tif", "lakes/refused/x.tif", "lakes/refused/x.tif.txt",
    ]  # fmt: skip
    assert "have 1 bands; the file has 2" in (folder / "dem" / "refused" / "two.tif.txt").read_text()


def test_a_file_that_still_grows_waits(tmp_path: Path) -> None:
    path = tmp_path / "dem" / "big.tif"
    path.parent.mkdir()
    path.write_bytes(b"II*\0")
    before = look(tmp_path)
    with path.open("ab") as file:
        file.write(b"more")
    now = look(tmp_path)
    assert settled({}, before) == [] and settled(before, now) == []
    assert settled(now, look(tmp_path)) == [path]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a_20240501.tif", (2024, 5, 1)),
        ("a-2024-05-01-b.tif", (2024, 5, 1)),
        ("20241399.tif", None),
        ("1202405011.tif", None),
        ("a.tif", None),
    ],
)
def test_the_date_in_a_name_is_the_time_of_acquisition(
    tmp_path: Path, name: str, expected: tuple[int, int, int] | None
) -> None:
    assert options_of(tmp_path / name).acquired == (datetime(*expected, tzinfo=UTC) if expected else None)


def test_what_is_told_beside_a_file_is_checked(tmp_path: Path) -> None:
    for told, message in (({"colour": 1}, "colour"), ({"priority": "high"}, "priority"), ("[", "JSON")):
        (tmp_path / "a.tif.json").write_text(told if isinstance(told, str) else json.dumps(told))
        with pytest.raises(ImportRefused, match=message):
            options_of(tmp_path / "a.tif")
