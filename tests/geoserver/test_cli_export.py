"""``citymap export`` on a database of its own."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from typer.testing import CliRunner

from geoserver.cli import app
from geoserver.cli.console import Exit
from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database

LAYER = Layer(
    id="sights",
    title=Text("景点", "Sights"),
    description=Text("", ""),
    geometry_type="Point",
    fields=(Field("name", "string", Text("名称", "Name")), Field("rank", "integer", Text("等级", "Rank"))),
)


@pytest.fixture(scope="module")
def url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_export_{uuid.uuid4().hex[:8]}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=1)
    with database.transaction() as conn:
        create_layer(conn, LAYER)
        conn.exec_driver_sql(
            "INSERT INTO city.sights (name, rank, geom) VALUES "
            "('莲花山', 4, ST_Point(114.90, 30.40, 4490)), ('观音阁', 5, ST_Point(114.89, 30.41, 4490))"
        )
    database.close()
    yield url
    drop_database(postgres_url, name)


def invoke(url: str, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["export", *arguments], env={"DATABASE_URL": url})


def test_filtered_layer_is_written_in_the_asked_crs(url: str, tmp_path: Path) -> None:
    path = tmp_path / "sights.gpkg"
    done = invoke(url, "sights", str(path), "--filter", "rank < 5", "--crs", "EPSG:4547", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "file": str(path), "features": 1, "bytes": path.stat().st_size, "srid": 4547,
    }  # fmt: skip
    frame = pyogrio.read_dataframe(path)
    assert frame["name"].tolist() == ["莲花山"]
    assert (frame.geometry[0].x, frame.geometry[0].y) == pytest.approx((586489.034, 3364799.485), abs=0.001)


def test_box_and_encoding_are_heeded(url: str, tmp_path: Path) -> None:
    path = tmp_path / "sights.csv"
    done = invoke(url, "sights", str(path), "--bbox", "114.88,30.405,114.895,30.42", "--encoding", "gbk")
    assert done.exit_code == 0, done.output
    assert path.read_bytes().decode("gbk").splitlines() == ["id,name,rank,lon,lat", "2,观音阁,5,114.89,30.41"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nothing", "x.gpkg"), Exit.NOT_FOUND, "nothing"),
        (("sights", "x.docx"), Exit.REFUSED, "x.docx is not offered"),
        (("sights", "x.csv", "--bbox", "1,2"), Exit.USAGE, "'bbox'"),
        (("sights", "x.csv", "--filter", "rank <"), Exit.USAGE, "'filter'"),
        (("sights", "x.csv", "--crs", "EPSG:1"), Exit.USAGE, "'crs'"),
    ],
)
def test_mistakes_are_told_and_leave_no_file(
    arguments: tuple[str, ...], code: Exit, told: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke(url, *arguments)
    assert (done.exit_code, told in done.stderr) == (code, True), done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []
