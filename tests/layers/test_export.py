"""Exports, read back by GDAL, pandas, sqlite and zipfile: other eyes than those that wrote them."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import psycopg2.errors
import pyarrow.parquet
import pyogrio
import pyproj
import pytest
import shapely
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers.catalogue import Field, Layer, Text
from layers.crs import epsg
from layers.database import Database
from layers.exporting import export, files
from layers.exporting.errors import ExportFailed, ExportTooLarge, UnknownFormat
from layers.exporting.export import FORMATS, Format, format_of, stream, write_file
from layers.exporting.options import Options
from layers.exporting.selection import BATCH_ROWS, Limits
from layers.exporting.shapefile import short_names
from layers.query import FeatureQuery, rows
from layers.registry import create_layer

LAYER = Layer(
    id="trees",
    title=Text("古树", "Old trees"),
    description=Text("登记的古树名木", "Registered old trees"),
    geometry_type="Point",
    fields=(
        Field("name", "string", Text("名称", "Name"), role="title"),
        Field("age", "integer", Text("树龄", "Age"), unit="a"),
        Field("height", "number", Text("树高", "Height"), unit="m"),
        Field("protected", "boolean", Text("保护", "Protected")),
        Field("planted", "date", Text("栽植日期", "Planted")),
        Field("seen_at", "date-time", Text("巡查时间", "Seen at")),
        Field("remarks", "string-array", Text("备注", "Remarks")),
    ),
)
ROWS = [
    (1, "银杏", 300, 21.5, True, "1720-03-01", "2026-05-04T08:00:00+08:00", ["虫害", 'say "hi"'], (114.9, 30.4)),
    (2, "=HYPERLINK(1)", None, None, None, None, None, None, (114.91, 30.41)),
    (3, None, -5, 1e-7, False, "2000-02-29", "2026-01-01T00:00:00Z", [], (114.92, 30.42)),
    (7, "line\nbreak, comma", 2**53 + 1, 0.1, True, None, None, ["a,b"], None),
]
MIXED = LAYER.changed(id="mixed", table="mixed", geometry_type="Geometry")


@pytest.fixture
def trees(conn: Connection) -> Layer:
    create_layer(conn, LAYER)
    for id_, name, age, height, protected, planted, seen_at, remarks, point in ROWS:
        conn.execute(
            text(
                "INSERT INTO city.trees (id, name, age, height, protected, planted, seen_at, remarks, geom) "
                "OVERRIDING SYSTEM VALUE VALUES (:id, :name, :age, :height, :protected, :planted, :seen_at, :remarks, "
                "ST_SetSRID(ST_MakePoint(:x, :y), 4490))"
            ),
            dict(id=id_, name=name, age=age, height=height, protected=protected, planted=planted, seen_at=seen_at,
                 remarks=remarks, x=point and point[0], y=point and point[1]),
        )  # fmt: skip
    return LAYER


def _write(conn: Connection, layer: Layer, path: Path, srid: int = 4490, **options: Any) -> export.Written:
    statement = rows(layer, FeatureQuery(crs=epsg(srid)))
    return write_file(conn, statement, layer, path.name, srid, path, Options(**options))


def _bytes(conn: Connection, layer: Layer, format: str, srid: int = 4490, **options: Any) -> bytes:
    return b"".join(stream(conn, rows(layer, FeatureQuery(crs=epsg(srid))), layer, format, srid, Options(**options)))


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "parquet", "geojson"])
def test_every_value_survives_the_round_trip(suffix: str, conn: Connection, trees: Layer, tmp_path: Path) -> None:
    path = tmp_path / f"trees.{suffix}"
    written = _write(conn, trees, path)
    crs, records = _read_back(path)
    expected = [row for row in ROWS if suffix != "fgb" or row[-1]]
    assert written.rows == len(expected) == len(records)
    assert written.bytes == path.stat().st_size
    assert crs.to_epsg() == 4490
    for row, read in zip(expected, records, strict=True):
        id_, name, age, height, protected, planted, seen_at, remarks, point = row
        assert (read["id"], read["name"], read["age"], read["height"]) == (id_, name, age, height)
        assert read["protected"] == protected
        day = read["planted"]  # FlatGeobuf has times only
        assert (day.date() if isinstance(day, datetime) else day) == (date.fromisoformat(planted) if planted else None)
        assert read["seen_at"] == (datetime.fromisoformat(seen_at) if seen_at else None)
        assert read["remarks"] == remarks
        assert read["geom"] == (shapely.Point(point) if point else None)


def _read_back(path: Path) -> tuple[pyproj.CRS, list[dict[str, Any]]]:
    """The CRS and the features by id, without the detour over pandas that turns large integers into floats."""
    if path.suffix == ".parquet":
        crs, table = gpd.read_parquet(path).crs, pyarrow.parquet.read_table(path)
    else:
        meta, table = pyogrio.raw.read_arrow(path, return_fids=True)
        crs = pyproj.CRS.from_user_input(meta["crs"])
        table = table.rename_columns({meta["geometry_name"] or "wkb_geometry": "geom"})
    records = table.to_pylist()
    for record in records:
        record["geom"] = record["geom"] and shapely.from_wkb(record["geom"])
        record["id"] = record.get("id", record.get("OGC_FID"))
        if record["seen_at"] is not None and record["seen_at"].tzinfo is None:
            record["seen_at"] = record["seen_at"].replace(tzinfo=UTC)  # GDAL's Arrow reader of FlatGeobuf drops the Z
        if isinstance(record["remarks"], str):
            record["remarks"] = json.loads(record["remarks"])
    return crs, sorted(records, key=lambda record: record["id"])


def test_geopackage_carries_titles_feature_ids_and_srs(conn: Connection, trees: Layer, tmp_path: Path) -> None:
    path = tmp_path / "trees.gpkg"
    _write(conn, trees, path, srid=4547)
    with closing(sqlite3.connect(path)) as db:
        titles = dict(db.execute("SELECT column_name, name FROM gpkg_data_columns"))
        contents = db.execute("SELECT table_name, identifier, description, srs_id FROM gpkg_contents").fetchall()
        ids = [row[0] for row in db.execute("SELECT id FROM trees ORDER BY id")]
        index = db.execute("SELECT count(*) FROM rtree_trees_geom").fetchone()
    assert titles == {f.name: f.title.zh for f in LAYER.fields}
    assert contents == [("trees", "古树", "登记的古树名木", 4547)]
    assert ids == [1, 2, 3, 7]
    assert index == (3,)


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "parquet", "geojson", "zip"])
def test_coordinates_are_east_north_in_the_asked_crs(
    suffix: str, conn: Connection, trees: Layer, tmp_path: Path
) -> None:
    path = tmp_path / f"trees.{suffix}"
    _write(conn, trees, path, srid=4547)
    source = f"/vsizip/{path}/trees.shp" if suffix == "zip" else path
    frame = gpd.read_parquet(path) if suffix == "parquet" else pyogrio.read_dataframe(source)
    first = frame.geometry[frame["name"] == "银杏"].iloc[0]
    assert frame.crs.to_epsg() == 4547 or frame.crs == pyproj.CRS.from_epsg(4547)
    assert (first.x, first.y) == pytest.approx((586489.034, 3364799.485), abs=0.001)  # shared/domain/README.md §4


def test_csv_of_points_has_lon_lat_and_every_value(conn: Connection, trees: Layer) -> None:
    data = _bytes(conn, trees, "csv", neutralise=False)
    records = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    assert list(records[0]) == ["id", *(f.name for f in LAYER.fields), "lon", "lat"]
    assert records[0] == {
        "id": "1", "name": "银杏", "age": "300", "height": "21.5", "protected": "true", "planted": "1720-03-01",
        "seen_at": "2026-05-04T00:00:00+00:00", "remarks": '["虫害", "say \\"hi\\""]', "lon": "114.9", "lat": "30.4",
    }  # fmt: skip
    assert records[1]["name"] == "=HYPERLINK(1)"
    assert records[3]["name"] == "line\nbreak, comma"
    assert (records[3]["lon"], records[3]["age"]) == ("", str(2**53 + 1))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_csv_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str, conn: Connection, trees: Layer) -> None:
    conn.execute(text("UPDATE city.trees SET name = :name WHERE id = 1"), {"name": f"{start}cmd|' /C calc'!A0"})
    records = list(csv.DictReader(io.StringIO(_bytes(conn, trees, "csv").decode(), newline="")))
    assert records[0]["name"] == f"'{start}cmd|' /C calc'!A0"
    assert records[2]["age"] == "-5"  # a number is no formula


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8-sig", "utf-8-sig"), ("gbk", "gbk"), ("gbk", "gb18030")])
def test_csv_is_written_in_the_asked_encoding(encoding: str, codec: str, conn: Connection, trees: Layer) -> None:
    if codec == "gb18030":
        conn.execute(text("UPDATE city.trees SET name = '𬭊é' WHERE id = 1"))
    data = _bytes(conn, trees, "csv", encoding=encoding)
    assert data.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    name = "𬭊é" if codec == "gb18030" else "银杏"
    assert data.decode(codec).splitlines()[1].startswith(f"1,{name},")


def test_csv_of_lines_and_areas_has_wkt(conn: Connection) -> None:
    statement = text(
        "SELECT 1 AS id, 'x' AS name, NULL::int AS age, NULL::float8 AS height, NULL::bool AS protected, "
        "NULL::date AS planted, NULL::timestamptz AS seen_at, NULL::text[] AS remarks, "
        "ST_GeomFromText('LINESTRING(114.123456789 30,115 31)', 4490) AS geom"
    )
    data = b"".join(stream(conn, statement, MIXED, "csv", 4490)).decode()
    assert next(csv.DictReader(io.StringIO(data)))["WKT"] == "LINESTRING(114.123456789 30,115 31)"


def test_geojson_is_one_collection_even_when_empty_or_of_many_batches(conn: Connection, trees: Layer) -> None:
    conn.execute(text("DELETE FROM city.trees"))
    assert json.loads(_bytes(conn, trees, "geojson", 4326)) == {
        "type": "FeatureCollection", "name": "trees", "features": [],
    }  # fmt: skip
    conn.execute(
        text("INSERT INTO city.trees (age, geom) SELECT g, ST_Point(114, 30, 4490) FROM generate_series(1, :n) g"),
        {"n": 2 * BATCH_ROWS + 1},
    )
    collection = json.loads(_bytes(conn, trees, "geojson", 4326))
    assert [f["properties"]["age"] for f in collection["features"]] == list(range(1, 2 * BATCH_ROWS + 2))
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [114, 30]}
    assert "crs" not in collection


@pytest.mark.parametrize(("encoding", "code_page"), [("utf-8", "UTF-8"), ("gbk", "GBK")])
def test_shapefile_keeps_chinese_and_tells_what_it_could_not_hold(
    encoding: str, code_page: str, conn: Connection, tmp_path: Path
) -> None:
    fields = (
        Field("建筑物的名称全称", "string", Text("名称", "Name")),
        Field("建筑物的名称全文", "string", Text("名称二", "Name 2")),
        Field("description_long", "string", Text("说明", "Description")),
        Field("description_lang", "date-time", Text("时间", "Time")),
    )
    layer = LAYER.changed(id="houses", table="houses", fields=fields)
    create_layer(conn, layer)
    conn.execute(
        text(
            'INSERT INTO city.houses ("建筑物的名称全称", "建筑物的名称全文", description_long, description_lang, geom) '
            "VALUES ('洋澜湖𬭊', '乙', repeat('字', 300), '2026-05-04T00:00:00Z', ST_Point(114.9, 30.4, 4490))"
        )
    )
    path = tmp_path / "houses.zip"
    _write(conn, layer, path, encoding=encoding)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [
            "fields.txt", "houses.cpg", "houses.dbf", "houses.prj", "houses.shp", "houses.shx",
        ]  # fmt: skip
        assert archive.read("houses.cpg").decode() == code_page
        assert (archive.read("houses.dbf")[29] == 0x4D) == (encoding == "gbk")
        explanation = archive.read("fields.txt").decode("utf-8-sig")
    frame = pyogrio.read_dataframe(f"/vsizip/{path}/houses.shp")
    names = [name for name in frame.columns if name not in ("id", "geometry")]
    assert len(set(names)) == 4 and all(len(name.encode(encoding)) <= 10 for name in names)
    row = frame.iloc[0]
    assert row[names[0]] == ("洋澜湖𬭊" if encoding == "utf-8" else "洋澜湖?")
    assert row[names[1]] == "乙"
    assert row[names[2]] == "字" * (254 // len("字".encode(encoding)))
    assert row[names[3]] == "2026-05-04T00:00:00+00:00"
    for short, field in zip(names, fields, strict=True):
        assert f"{short}\t{field.name}\t" in explanation
    assert f"{names[2]}: 1 个值超过 254 字节" in explanation
    assert (f"{names[0]}: 1 个值" in explanation) == (encoding == "gbk")


@pytest.mark.parametrize(("indexed_rows", "ids"), [(4, [1, 2, 3]), (3, [1, 2, 3, 7])])
def test_large_flatgeobuf_has_no_index_but_all_rows(
    indexed_rows: int, ids: list[int], conn: Connection, trees: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "INDEXED_ROWS", indexed_rows)
    path = tmp_path / "trees.fgb"
    _write(conn, trees, path)
    assert sorted(pyogrio.read_dataframe(path)["id"]) == ids
    assert pyogrio.read_info(path)["capabilities"]["fast_spatial_filter"] == (len(ids) == 3)


def test_short_names_stay_unique_without_regard_to_case() -> None:
    names = short_names(["id_number_1", "ID_NUMBER_2", "id_number_3", "id", "名称名称名称"], "utf-8")
    assert len({name.lower() for name in names.values()} | {"id"}) == 6
    assert all(len(name.encode()) <= 10 for name in names.values())


def test_mixed_geometries_are_refused_for_shapefile_and_written_to_geopackage(conn: Connection, tmp_path: Path) -> None:
    create_layer(conn, MIXED)
    conn.execute(
        text("INSERT INTO city.mixed (name, geom) VALUES ('p', ST_Point(1, 2, 4490)), "
             "('l', ST_GeomFromText('LINESTRING(0 0,1 1)', 4490))")
    )  # fmt: skip
    with pytest.raises(UnknownFormat, match="use GeoPackage"):
        _write(conn, MIXED, tmp_path / "mixed.zip")
    _write(conn, MIXED, tmp_path / "mixed.gpkg")
    frame = pyogrio.read_dataframe(tmp_path / "mixed.gpkg")
    assert [g.geom_type for g in frame.geometry] == ["Point", "LineString"]
    assert [p.name for p in tmp_path.iterdir()] == ["mixed.gpkg"]


def test_kml_is_always_wgs84_and_names_its_placemarks(conn: Connection, trees: Layer, tmp_path: Path) -> None:
    path = tmp_path / "trees.kml"
    assert _write(conn, trees, path, srid=4547).srid == 4326
    frame = pyogrio.read_dataframe(path)
    assert frame["Name"].iloc[0] == "银杏"
    assert shapely.distance(frame.geometry.iloc[0], shapely.Point(114.9, 30.4)) < 1e-8


def test_dxf_has_outlines_and_names_in_metres(conn: Connection, tmp_path: Path) -> None:
    layer = LAYER.changed(id="plots", table="plots", geometry_type="MultiPolygon")
    create_layer(conn, layer)
    outline = "MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0),(2 2,3 2,3 3,2 3,2 2)),((20 0,30 0,30 10,20 0)))"
    conn.execute(
        text("INSERT INTO city.plots (name, geom) VALUES (:name, ST_Transform(ST_Translate("
             "ST_GeomFromText(:wkt, 4547), 586489, 3364799), 4490))"),
        {"name": "地块\n  0\nLINE", "wkt": outline},
    )  # fmt: skip
    path = tmp_path / "plots.dxf"
    _write(conn, layer, path, srid=4547)
    entities = list(ezdxf.readfile(path).modelspace())
    assert [(e.dxftype(), e.dxf.layer) for e in entities] == [("POLYLINE", "plots")] * 3 + [("TEXT", "plots")]
    assert [(len(e), e.is_closed) for e in entities[:3]] == [(4, True), (4, True), (3, True)]
    first = entities[0].vertices[0].dxf.location
    assert min(abs(first.x - 586489 - x) + abs(first.y - 3364799 - y) for x in (0, 10) for y in (0, 10)) < 0.001
    assert entities[3].dxf.text == "地块 0 LINE"
    assert pyogrio.read_dataframe(path)["Text"].dropna().tolist() == ["地块 0 LINE"]
    with pytest.raises(UnknownFormat, match="needs a projected CRS"):
        _write(conn, layer, tmp_path / "degrees.dxf", srid=4490)


def test_only_selected_fields_are_exported(conn: Connection, trees: Layer) -> None:
    statement = rows(trees, FeatureQuery(crs=epsg(4490), properties=("age",), equals=(("name", "银杏"),)))
    data = b"".join(stream(conn, statement, trees, "csv", 4490)).decode()
    assert data.splitlines() == ["id,age,lon,lat", "1,300,114.9,30.4"]


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_too_many_rows_leave_no_file(format: Format, conn: Connection, trees: Layer, tmp_path: Path) -> None:
    path = tmp_path / f"trees{format.suffix}"
    with pytest.raises(ExportTooLarge, match="more than 2 rows"):
        write_file(conn, rows(trees, FeatureQuery()), trees, format.id, 4547, path, limits=Limits(rows=2))
    assert list(tmp_path.iterdir()) == []
    limits = Limits(rows=4)
    assert write_file(conn, rows(trees, FeatureQuery()), trees, format.id, 4547, path, limits=limits).rows >= 3


@pytest.mark.parametrize(
    ("limits", "message"),
    [(Limits(bytes=100), "more than 100 bytes"), (Limits(free_bytes=2**60), "bytes left")],
)
@pytest.mark.parametrize("format", ["gpkg", "parquet", "shp"])
def test_bytes_and_disk_are_bounded(
    limits: Limits, message: str, format: str, conn: Connection, trees: Layer, tmp_path: Path
) -> None:
    with pytest.raises(ExportTooLarge, match=message):
        list(stream(conn, rows(trees, FeatureQuery()), trees, format, 4326, Options(directory=tmp_path), limits))
    assert list(tmp_path.iterdir()) == []


def test_client_that_goes_away_leaves_no_temporary_file(conn: Connection, trees: Layer, tmp_path: Path) -> None:
    chunks = stream(conn, rows(trees, FeatureQuery()), trees, "gpkg", 4326, Options(directory=tmp_path))
    with closing(chunks):  # type: ignore[type-var]
        assert next(chunks).startswith(b"SQLite format 3")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["gpkg", "csv"])
def test_failing_query_keeps_its_own_error(format: str, conn: Connection, trees: Layer, tmp_path: Path) -> None:
    fields = ", ".join(f"t.{f.name}" for f in LAYER.fields if f.name != "age")
    statement = text(f"SELECT id, {fields}, 1 / (id - 7) AS age, geom FROM city.trees t ORDER BY id")
    savepoint = conn.begin_nested()
    with pytest.raises(DBAPIError) as caught:
        write_file(conn, statement, trees, format, 4490, tmp_path / format)
    savepoint.rollback()
    assert isinstance(caught.value.orig, psycopg2.errors.DivisionByZero)
    assert list(tmp_path.iterdir()) == []


def test_writer_that_gives_up_says_why(
    conn: Connection, trees: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise pyogrio.errors.DataLayerError("No space left on device")

    monkeypatch.setattr(pyogrio.raw, "write_arrow", full)
    with pytest.raises(ExportFailed, match="GPKG file could not be written: No space left on device"):
        _write(conn, trees, tmp_path / "trees.gpkg")


def test_unknown_format_names_those_there_are() -> None:
    with pytest.raises(UnknownFormat, match="use gpkg, geojson, csv"):
        format_of("trees.docx")
    assert format_of("树.GPKG").id == format_of("gpkg").id == "gpkg"


@pytest.fixture(scope="module")
def spare_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("memory")


@pytest.mark.parametrize("format", ["gpkg", "csv"])
def test_memory_does_not_grow_with_the_result(format: str, database: Database, spare_directory: Path) -> None:
    command = [sys.executable, "-m", "tests.layers.export_memory", database.url, format, "100000"]
    target = spare_directory / f"out.{format}"
    root = Path(__file__).parents[2]
    printed = subprocess.run([*command, str(target)], cwd=root, capture_output=True, text=True, check=True).stdout
    small, large, _ = map(float, printed.split())
    assert large - small < 40, f"{format}: {small} MB for 4 000 rows, {large} MB for 100 000"
    assert large < 300
    target.unlink()
