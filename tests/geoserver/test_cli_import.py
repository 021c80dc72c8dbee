"""``citymap import`` end to end: a file, the answer, the exit code, the database."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from typer.testing import CliRunner

from geoserver.cli import app
from geoserver.cli.console import Exit
from layers.database import Database
from layers.raster.images import find_image
from layers.raster.registry import load_coverage
from layers.registry import load_layers, row_count
from tests.conftest import drop_database, make_database
from tests.layers.raster.conftest import write_tif


@pytest.fixture
def url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_cli_{uuid.uuid4().hex[:8]}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    path = tmp_path / "古树.csv"
    path.write_text("编号,经度,纬度,树种\nA1,114.9,30.4,银杏\nA2,114.8,,樟树\n", encoding="gbk")
    return path


def run(url: str, *arguments: str):
    return CliRunner().invoke(app, ["import", *arguments], env={"DATABASE_URL": url})


def test_a_file_is_imported_and_every_feature_accounted_for(url: str, trees: Path) -> None:
    options = ("--layer", "trees", "--title", "古树名木", "--key", "编号", "--coordinates", "gcj02")
    rehearsal = run(url, str(trees), *options, "--dry-run")
    assert rehearsal.exit_code == Exit.OK, rehearsal.stderr
    done = run(url, str(trees), *options)
    assert done.exit_code == Exit.OK, done.stderr
    assert done.stdout == rehearsal.stdout or "读 2，新增 1" in done.stdout
    assert "拒绝 rejected A2: 没有可读的几何 | no readable geometry" in done.stdout
    database = Database(url, pool_size=1)
    with database.transaction() as conn:
        layer = load_layers(conn)["trees"]
        assert (layer.title.zh, layer.key_field, row_count(conn, "trees")) == ("古树名木", "编号", 1)
    database.close()
    again = run(url, str(trees), "--into", "trees", "--mode", "update", "--coordinates", "gcj02", "--json")
    [item] = json.loads(again.stdout)["imports"]
    assert (item["unchanged"], item["inserted"], item["encoding"], item["rejected_count"]) == (1, 0, "GB18030", 1)


def test_a_refusal_says_the_cause_in_both_languages_and_ends_with_6(url: str, trees: Path) -> None:
    done = run(url, str(trees), "--layer", "trees")
    assert done.exit_code == Exit.REFUSED
    assert "用 coordinates 指明" in done.stderr and "say by coordinates" in done.stderr
    assert "Traceback" not in done.stderr


def test_options_that_make_no_sense_are_usage_errors(url: str, trees: Path) -> None:
    for wrong in (["--mode", "merge"], ["--coordinates", "mars"], ["--map", "a"], ["--towgs84", "x"]):
        assert run(url, str(trees), *wrong).exit_code == Exit.USAGE


def test_an_image_goes_into_its_coverage(url: str, tmp_path: Path) -> None:
    values = np.arange(2500, dtype="i2").reshape(50, 50)
    path = write_tif(tmp_path / "dem 2024.tif", values, Affine(5, 0, 586400, 0, -5, 3364800))
    settings = {"DATABASE_URL": url, "CITYMAP__RASTERS__DIRECTORY": str(tmp_path / "rasters")}

    def run_image(*arguments: str):
        return CliRunner().invoke(app, ["import", *arguments], env=settings)

    assert "--layer" in run_image(str(path)).stderr
    assert run_image(str(path), "--layer", "dem", "--acquired", "May").exit_code == Exit.USAGE
    wrong = run_image(str(path), "--layer", "roads")
    assert wrong.exit_code == Exit.REFUSED and "no coverage 'roads'" in wrong.stderr
    options = ("--layer", "dem", "--acquired", "2024-05-01/2024-05-03", "--vertical-datum", "1985国家高程基准")
    rehearsal = run_image(str(path), *options, "--dry-run")
    assert rehearsal.exit_code == Exit.OK and "50 × 50" in rehearsal.stdout, rehearsal.stderr
    done = run_image(str(path), *options, "--json")
    [image] = json.loads(done.stdout)["images"]
    database = Database(url, pool_size=1)
    with database.transaction() as conn:
        found = find_image(conn, load_coverage(conn, "dem"), image["id"])
        assert (found.vertical_datum, found.acquired_until.day if found.acquired_until else 0) == ("1985国家高程基准", 3)
        with rasterio.open(tmp_path / "rasters" / found.folder / "original.tif") as cog:
            assert np.array_equal(cog.read(1), values)
    database.close()
    again = run_image(str(path), *options)
    assert again.exit_code == Exit.REFUSED and "already" in again.stderr
