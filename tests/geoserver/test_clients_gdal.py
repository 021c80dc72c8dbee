"""GDAL's OAPIF driver reads the layers: the one in pyogrio, and ogr2ogr and ogrinfo of the system where they are."""

import json
import multiprocessing
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import pyproj
import pytest
import shapely
from pyogrio.errors import FeatureError
from sqlalchemy import create_engine, text

from layers.base_layers import BUILDINGS, ROADS
from layers.catalogue import Field, Layer, Text
from layers.database import psycopg2_url
from layers.registry import create_layer, drop_layer
from tests.geoserver.conftest import PLOTS, TREES, Site
from tests.geoserver.gdal_reader import read
from tests.geoserver.request_log import request_log

Row = tuple[Any, ...]
needs_ogr = pytest.mark.skipif(not shutil.which("ogr2ogr"), reason="ogr2ogr is not installed (apt-get install gdal-bin)")


@dataclass(frozen=True)
class Read:
    """What GDAL made of a layer: types by field, and by id the values of the fields and the shape."""

    types: dict[str, str]
    rows: dict[int, Row]
    crs: str


class Gdal(Protocol):
    def __call__(self, url: str, layer: Layer, **options: Any) -> Read: ...


@pytest.fixture(scope="module")
def gdal() -> Iterator[Gdal]:
    """Reads a layer of a server with pyogrio's GDAL."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:

        def run(url: str, layer: Layer, **options: Any) -> Read:
            types, ids, shapes, columns, crs = pool.submit(read, url, layer.id, options).result(timeout=120)
            assert list(types) == [f.name for f in layer.fields]
            assert len(set(ids)) == len(ids), "a feature came twice"
            values = [[plain(f, v) for v in column] for f, column in zip(layer.fields, columns, strict=True)]
            rows = zip(*values, map(shapely.from_wkb, shapes), strict=True)
            return Read(types, dict(zip(ids, rows, strict=True)), crs)

        yield run


def plain(field: Field, value: Any) -> Any:
    """A value as SQL has it: in frames NaN stands for null in columns of numbers and booleans."""
    if field.type == "string-array":
        return None if value is None else list(value)
    if value is None or value != value or value == "":
        return None
    if field.type == "boolean":
        return bool(value)
    if field.type == "integer":
        assert float(value).is_integer()
        return int(value)
    if field.type in ("date", "date-time"):
        return str(value).replace("Z", "+00:00").replace("/", "-")
    return value


def sql_rows(run: Any, layer: Layer, where: str = "true", srid: int | None = None) -> dict[int, Row]:
    columns = {
        "date-time": """to_char("{0}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')""",
        "date": '"{0}"::text',
    }
    names = ", ".join(columns.get(f.type, '"{0}"').format(f.name) for f in layer.fields)
    shape = f"ST_Transform(geom, {srid})" if srid else "geom"
    found = run(f'SELECT id, {names}, ST_AsBinary({shape}) FROM city."{layer.table}" WHERE {where}')
    return {row[0]: (*row[1:-1], shapely.from_wkb(bytes(row[-1]))) for row in found}


def assert_same(got: dict[int, Row], expected: dict[int, Row], tolerance: float = 1e-9) -> None:
    assert got.keys() == expected.keys()
    for i, row in expected.items():
        assert got[i][:-1] == row[:-1]
        assert shapely.equals_exact(got[i][-1], row[-1], tolerance), (i, got[i][-1], row[-1])


@pytest.fixture(scope="module")
def city_sql(city_database: str) -> Iterator[Any]:
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        yield lambda statement: conn.execute(text(statement)).all()
    engine.dispose()


@pytest.mark.parametrize("layer", [BUILDINGS, ROADS], ids=lambda layer: layer.id)
def test_every_feature_of_the_city_is_read_as_sql_has_it(gdal: Gdal, live_city: str, city_sql: Any, layer: Layer) -> None:
    expected = sql_rows(city_sql, layer)
    assert len(expected) > 100
    assert_same(gdal(live_city, layer).rows, expected)


def test_nulls_dates_booleans_lists_and_chinese_text_are_read_as_sql_has_them(gdal: Gdal, site: Site) -> None:
    found = gdal(site.url, TREES)
    assert_same(found.rows, sql_rows(site.sql, TREES))
    assert found.crs == "EPSG:4490"
    assert [row[0] for row in found.rows.values()].count("樟树") > 60


def test_a_layer_in_a_projected_system_is_read_in_it(gdal: Gdal, site: Site) -> None:
    found = gdal(site.url, PLOTS)
    assert found.crs == "EPSG:4547"
    assert_same(found.rows, sql_rows(site.sql, PLOTS), tolerance=1e-4)


def test_many_pages_are_followed_to_the_end(gdal: Gdal, site: Site) -> None:
    with request_log() as seen:
        found = gdal(site.url, TREES, PAGE_SIZE=23, INITIAL_REQUEST_PAGE_SIZE=7)
    assert_same(found.rows, sql_rows(site.sql, TREES))
    pages = [line for line in seen if "limit=23" in line]
    assert len(pages) == 14 and all("cursor=" in line for line in pages[1:])


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ("name = '银杏'", "name=银杏"),
        ("age = 3", "age=3"),
        ("listed = 0", "listed=0"),
        ("name = '樟树' AND age = 4 AND height > 5.5", "name=樟树&age=4"),
        ("planted >= '2020/05/01 06:00:00' AND planted <= '2020/06/01 08:00:00'", "datetime=2020-05-01T06:00:00Z/2020-06-01T08:00:00Z"),
        ("planted <= '2020/03/01 08:30:00'", "datetime=../2020-03-01T08:30:00Z"),
        ("name ILIKE 'gink%' OR name IS NULL", None),
    ],
)  # fmt: skip
def test_a_filter_gives_what_sql_gives_and_is_sent_where_gdal_can(gdal: Gdal, site: Site, where: str, sent: str | None) -> None:
    with request_log() as seen:
        found = gdal(site.url, TREES, where=where, PAGE_SIZE=1000)
    assert_same(found.rows, sql_rows(site.sql, TREES, where.replace("listed = 0", "NOT listed")))
    asked = next(line for line in seen if "limit=1000" in line)
    assert sent in asked if sent else "filter" not in asked


def test_a_day_as_gdal_writes_it_is_refused_rather_than_answered_wrong(gdal: Gdal, site: Site) -> None:
    """GDAL sends ``datetime=2024-05-01T/..`` for a comparison with a day, whatever field it is that is compared."""
    with pytest.raises(FeatureError, match="parameter 'datetime'"):
        gdal(site.url, TREES, where="checked >= '2024-05-01'")


def test_a_box_is_sent_in_the_axis_order_of_its_system(gdal: Gdal, site: Site) -> None:
    with request_log() as seen:
        found = gdal(site.url, TREES, bbox=(114.845, 30.325, 114.905, 30.375), PAGE_SIZE=1000)
    assert_same(found.rows, sql_rows(site.sql, TREES, "geom && ST_MakeEnvelope(114.845, 30.325, 114.905, 30.375, 4490)"))
    assert len(found.rows) == 30
    assert any("bbox=30.3" in line and "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4490" in line for line in seen)


@pytest.mark.parametrize("srid", [4326, 4490, 4547, 3857])
def test_each_offered_system_comes_in_gdals_order(gdal: Gdal, site: Site, srid: int) -> None:
    to = pyproj.Transformer.from_crs(4490, srid, always_xy=True)
    west, south = to.transform(114.845, 30.325)
    east, north = to.transform(114.905, 30.375)
    found = gdal(site.url, TREES, CRS=f"EPSG:{srid}", bbox=(west, south, east, north))
    assert found.crs == f"EPSG:{srid}" or (srid == 4326 and "CRS84" in found.crs)
    assert 28 <= len(found.rows) <= 32
    stored = sql_rows(site.sql, TREES, f"id IN ({','.join(map(str, found.rows))})")
    for i, row in stored.items():
        assert (found.rows[i][-1].x, found.rows[i][-1].y) == pytest.approx(to.transform(row[-1].x, row[-1].y), abs=1e-4)


GAUGES = Layer(
    id="gauges",
    title=Text("雨量计", "Gauges"),
    description=Text("测试用", "For tests"),
    geometry_type="Point",
    fields=(
        Field("rain", "number", Text("雨量", "Rain")),
        Field("code", "integer", Text("编码", "Code")),
        Field("floors", "integer", Text("层", "Floors")),
        Field("note", "string", Text("注", "Note")),
        Field("seen", "date-time", Text("时", "Seen")),
    ),
)


@pytest.fixture
def gauges(site: Site) -> Iterator[Site]:
    """A layer whose first features do not tell the types of its fields."""
    with site.database.transaction() as conn:
        create_layer(conn, GAUGES)
        conn.execute(text("""
            INSERT INTO city.gauges (geom, rain, code, floors, note, seen)
            SELECT ST_SetSRID(ST_MakePoint(114.8, 30.3), 4490), CASE WHEN i < 40 THEN i ELSE i + 0.5 END,
                   CASE WHEN i < 40 THEN i ELSE 420704001001 END, i, CASE WHEN i < 40 THEN NULL ELSE '007' END,
                   CASE WHEN i < 40 THEN NULL ELSE timestamptz '2026-01-02 03:04:05Z' END
            FROM generate_series(1, 60) AS i"""))
    for _ in range(50):
        if site.get("/collections/gauges").status_code == 200:
            break
        time.sleep(0.1)
    yield site
    with site.database.transaction() as conn:
        drop_layer(conn, "gauges")


def test_types_come_from_the_layer_not_from_its_first_features(gdal: Gdal, gauges: Site) -> None:
    found = gdal(gauges.url, GAUGES)
    assert_same(found.rows, sql_rows(gauges.sql, GAUGES))
    assert (found.types["rain"], found.types["code"], found.types["floors"]) == ("float64", "float64", "int32")
    assert found.types["note"] == "object"


@needs_ogr
@pytest.mark.parametrize("layer", [TREES, GAUGES], ids=lambda layer: layer.id)
def test_ogr2ogr_of_the_system_reads_the_same(gauges: Site, layer: Layer) -> None:
    command = ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", "-preserve_fid", "-lco", "COORDINATE_PRECISION=12"]
    command += [f"OAPIF:{gauges.url}", layer.id]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    features = json.loads(done.stdout)["features"]
    rows = {
        f["id"]: (*(plain(field, f["properties"][field.name]) for field in layer.fields), shapely.geometry.shape(f["geometry"]))
        for f in features
    }
    assert_same(rows, sql_rows(gauges.sql, layer))


@needs_ogr
def test_ogrinfo_counts_a_filtered_layer_by_one_request(site: Site) -> None:
    with request_log() as seen:
        done = subprocess.run(
            ["ogrinfo", "-so", f"OAPIF:{site.url}", "trees", "-where", "name = '银杏'"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    expected = site.sql("SELECT count(*) FROM city.trees WHERE name = '银杏'")[0][0]
    assert f"Feature Count: {expected}" in done.stdout
    assert len([line for line in seen if "name=银杏" in line]) == 1 and "resultType=hits" in "".join(seen)
