"""Files built to harm: each is made here and seen refused; where cheap, it is shown to work without the guard."""

import json
import os
import random
import socket
import sqlite3
import stat
import threading
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import ezdxf
import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import Point

from layers.importing import archive, content_checks, csv_reader, dxf_reader, limits, source
from layers.importing.errors import ImportRefused, UnreadableFile, UnsafeFile
from layers.importing.readers import open_sources
from layers.importing.source import ReadOptions

POINT = '{"type": "Point", "coordinates": [114, 30]}'
FEATURE = f'{{"type": "Feature", "properties": {{"a": 1}}, "geometry": {POINT}}}'


def attempt(path: Path | str) -> list[gpd.GeoDataFrame]:
    with open_sources(path, ReadOptions(crs="EPSG:4490")) as sources:
        return [frame for one in sources for frame in one.batches()]


def gpkg(path: Path, layer: str = "places") -> Path:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(114, 30)], crs=4490)
    pyogrio.write_dataframe(frame, path, driver="GPKG", layer=layer)
    return path


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_a_zip_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "bomb.zip", {"a.csv": b"0" * 50_000_000})
    assert path.stat().st_size < 60_000
    with pytest.raises(UnsafeFile, match="zip bomb"):
        attempt(path)


def test_a_zip_that_lies_about_its_sizes_is_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_of(tmp_path / "bomb.zip", {f"{i}.csv": os.urandom(200_000) for i in range(8)})
    monkeypatch.setattr(archive, "MAX_FILE", 1_000_000)
    with pytest.raises(UnsafeFile, match="exceeds"):
        archive.unpack(path, tmp_path)


def test_overlapping_entries_cannot_multiply_one_piece_of_data(tmp_path: Path) -> None:
    """David Fifield's bomb: many directory entries share one compressed kernel, so each ratio alone is harmless."""
    zip_of(tmp_path / "kernel.zip", {"a.csv": os.urandom(10_000) * 30})
    raw = (tmp_path / "kernel.zip").read_bytes()
    start = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    record = raw[start:end]
    entries = b"".join(record.replace(b"a.csv", f"{i:05d}"[:1].encode() + f"{i:04d}".encode()) for i in range(1500))
    entries = b"".join(
        record[:-5] + f"{i:x}".rjust(5, "_").encode() for i in range(1500)
    )  # five-letter names, all for the same local header
    tail = bytearray(raw[end:])
    tail[8:12] = (1500).to_bytes(2, "little") * 2
    tail[12:16] = len(entries).to_bytes(4, "little")
    path = tmp_path / "overlap.zip"
    path.write_bytes(raw[:start] + entries + bytes(tail))
    with pytest.raises((UnsafeFile, UnreadableFile)):
        attempt(path)


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"])
def test_paths_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = zip_of(inner / "slip.zip", {name: b"x,y\n1,2\n"})
    with pytest.raises(UnsafeFile, match="leaves its directory"):
        attempt(path)
    assert not (tmp_path / "evil.csv").exists()


def test_links_in_archives_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as packed:
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(UnsafeFile, match="is a link"):
        attempt(tmp_path / "link.zip")


def test_links_in_directories_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeFile, match="link"):
        attempt(tmp_path)


def test_links_beside_a_shapefile_are_refused(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(114, 30)], crs=4490)
    pyogrio.write_dataframe(frame, tmp_path / "a.shp")
    (tmp_path / "a.dbf").unlink()
    (tmp_path / "a.dbf").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeFile, match="link"):
        attempt(tmp_path / "a.shp")


def test_archives_in_archives_are_refused(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"a.csv": b"x"}).read_bytes()
    with pytest.raises(UnsafeFile, match="unpack it first"):
        attempt(zip_of(tmp_path / "outer.zip", {"inner.zip": inner}))


def test_a_zip_under_another_name_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"a.csv": b"x,y\n1,2\n"}).read_bytes()
    with pytest.raises(UnreadableFile, match="no gpkg"):
        attempt(zip_of(tmp_path / "outer.zip", {"a.gpkg": inner}))


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "many.zip", {f"{i}.csv": b"" for i in range(limits.MAX_ENTRIES + 1)})
    with pytest.raises(UnsafeFile, match="2001 files"):
        attempt(path)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="one name"):
        attempt(zip_of(tmp_path / "twice.zip", {"a.csv": b"x", "A.CSV": b"y"}))


def test_an_encrypted_archive_says_what_to_do(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "locked.zip", {"a.csv": b"x,y\n1,2\n"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(UnsafeFile, match="encrypted"):
        attempt(path)


KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
MARK = "<Placemark><name>{}</name><Point><coordinates>114,30</coordinates></Point></Placemark>"


def test_kml_with_an_external_entity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "xxe.kml"
    doctype = '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    path.write_text(doctype + KML.format(MARK.format("&x;")))
    with pytest.raises(UnsafeFile, match="DTD or entities"):
        attempt(path)


def test_kml_with_a_billion_laughs_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    path = tmp_path / "laughs.kml"
    path.write_text(f'<!DOCTYPE kml [<!ENTITY e0 "ha">{entities}]>' + KML.format(MARK.format("&e9;")))
    with pytest.raises(UnsafeFile, match="DTD or entities"):
        attempt(path)


def test_kml_that_links_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.kml"
    link = "<NetworkLink><Link><href>http://127.0.0.1/</href></Link></NetworkLink>"
    path.write_text(KML.format(link + MARK.format("a")))
    with pytest.raises(UnsafeFile, match="NetworkLink"):
        attempt(path)


def test_kml_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.kml"
    path.write_text(KML.format("<Folder>" * 200 + MARK.format("a") + "</Folder>" * 200))
    with pytest.raises(UnsafeFile, match="nested too deep"):
        attempt(path)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".json", ".fgb", ".parquet", ".kml", ".csv", ".dxf", ".txt"])
def test_a_vrt_under_any_name_is_refused_though_gdal_would_follow_it(tmp_path: Path, suffix: str) -> None:
    secret = gpkg(tmp_path / "secret.gpkg", "secret")
    layer = f'<OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>'
    path = tmp_path / f"innocent{suffix}"
    path.write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
    assert pyogrio.read_info(path)["driver"] == "OGR_VRT"  # GDAL goes by content alone
    with pytest.raises(UnreadableFile, match="whatever its name says"):
        attempt(path)


def test_a_gdal_command_line_in_json_is_refused_though_gdal_would_run_it(tmp_path: Path) -> None:
    secret = gpkg(tmp_path / "secret.gpkg", "secret")
    command = {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {secret} ! write --of stream streamed_dataset"}
    for name in ("a.json", "a.geojson", "a.ndjson"):
        path = tmp_path / name
        path.write_text(json.dumps(command))
        assert list(pyogrio.read_info(path)["fields"]) == ["a"]  # of the secret
        with pytest.raises(UnreadableFile):
            attempt(path)
        # what passes the look at the head is read as GeoJSON and nothing else
        path.write_text(json.dumps({**command, "features": [json.loads(FEATURE.replace('"a"', '"mine"'))]}))
        try:
            assert all(list(frame.columns) == ["mine", "geometry"] for frame in attempt(path))
        except ImportRefused:
            continue


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP server of one answer; its URL and what it was asked."""
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.0 404 no\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/crs", asked
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_a_geojson_whose_crs_is_a_link_calls_nobody(
    tmp_path: Path, listener: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = listener
    path = tmp_path / "ssrf.geojson"
    crs = f'{{"type": "link", "properties": {{"href": "{url}", "type": "esriwkt"}}}}'
    path.write_text(f'{{"type": "FeatureCollection", "crs": {crs}, "features": [{FEATURE}]}}')
    pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": None})
    pyogrio.read_info(path)
    assert asked, "GDAL alone no longer follows the link"
    asked.clear()
    with pytest.raises(UnsafeFile, match="link to elsewhere"):
        attempt(path)
    # even if the look at the text is deceived, nothing goes out
    monkeypatch.setattr(content_checks, "check_geojson", lambda _path: None)
    assert len(attempt(path)[0]) == 1
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "http://example.org/a.geojson", "https://example.org/a.gpkg", "s3://bucket/a.gpkg", "file:///etc/passwd",
        "/vsicurl/http://example.org/a.gpkg", "/vsizip//tmp/a.zip", "/vsimem/x", "PG:host=127.0.0.1", "GPKG:/tmp/a.gpkg",
        "zip:///tmp/a.zip", "\\\\server\\share\\a.gpkg", "a\0.gpkg",
    ],
)  # fmt: skip
def test_only_local_files_are_read(path: str) -> None:
    with pytest.raises(UnsafeFile, match="only local files"):
        attempt(path)


def test_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UnsafeFile, match="no regular file"):
        attempt(tmp_path / "pipe.csv")


def with_sql(path: Path, *statements: str) -> Path:
    database = sqlite3.connect(gpkg(path))
    database.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()
    return path


GENERATED = "CREATE TABLE more (fid INTEGER PRIMARY KEY, geom POINT, x TEXT AS (upper('secret')))"
REGISTERED = (
    "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('more', 'features', 4490)",
    "INSERT INTO gpkg_geometry_columns VALUES ('more', 'geom', 'POINT', 4490, 0, 0)",
)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("CREATE VIEW more AS SELECT fid, geom, load_extension('/tmp/x') AS x FROM places", *REGISTERED), "is a view"),
        ((GENERATED, *REGISTERED), "generated columns"),
        (("CREATE VIRTUAL TABLE v USING fts4(a)",), "virtual table v"),
        (
            (
                "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, "
                "'CREATE VIRTUAL TABLE v USING VirtualOGR(''/etc/passwd'')')",
            ),
            "virtual table v",
        ),
        (("ALTER TABLE gpkg_contents RENAME TO c", "CREATE VIEW gpkg_contents AS SELECT * FROM c"), "is a view"),
        (("CREATE VIEW ogr_empty_table AS SELECT 1", ), "is a view"),
    ],
)  # fmt: skip
def test_a_geopackage_that_would_run_sql_is_refused(tmp_path: Path, statements: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnsafeFile, match=message):
        attempt(with_sql(tmp_path / "trick.gpkg", *statements))


def test_triggers_of_a_geopackage_never_fire(tmp_path: Path) -> None:
    path = with_sql(
        tmp_path / "trigger.gpkg",
        "CREATE TRIGGER t AFTER INSERT ON gpkg_contents BEGIN DELETE FROM places; END",
        "CREATE TRIGGER u AFTER UPDATE ON gpkg_contents BEGIN DELETE FROM places; END",
    )
    before = path.read_bytes()
    assert len(attempt(path)[0]) == 1
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]  # no journal, no lock, no index


@pytest.mark.parametrize("suffix", ["-journal", "-wal"])
def test_a_journal_beside_a_geopackage_is_not_played_back(tmp_path: Path, suffix: str) -> None:
    path = gpkg(tmp_path / "a.gpkg")
    before = path.read_bytes()
    journal = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0\0\0\x01" + bytes(4096)
    (tmp_path / f"a.gpkg{suffix}").write_bytes(journal)
    with pytest.raises(UnreadableFile, match="open in another program"):
        attempt(path)
    assert path.read_bytes() == before


def test_a_sqlite_database_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.gpkg")
    database.execute("CREATE TABLE t (a)")
    database.commit()
    database.close()
    with pytest.raises(UnreadableFile, match="no sound GeoPackage"):
        attempt(tmp_path / "a.gpkg")


def test_too_many_fields_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["x", "y", *(f"f{i}" for i in range(600))]) + "\n" + ",".join(["114"] * 602) + "\n")
    with pytest.raises(UnsafeFile, match="600 fields"):
        attempt(path)
    properties = {f"f{i}": i for i in range(600)}
    feature = json.dumps({"type": "Feature", "properties": properties, "geometry": json.loads(POINT)})
    (tmp_path / "wide.geojson").write_text(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    with pytest.raises(UnsafeFile, match="500 fields"):
        attempt(tmp_path / "wide.geojson")


def bounded(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    import layers.importing.arrow_frames as arrow_frames

    for module in (limits, arrow_frames, csv_reader, dxf_reader, source, content_checks):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, value)


def test_enormous_geometries_lines_and_texts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, "MAX_COORDINATES", 1000)
    bounded(monkeypatch, "MAX_TEXT", 1000)
    bounded(monkeypatch, "MAX_LINE", 1000)
    monkeypatch.setattr(csv_reader, "_CHUNK", 100)
    many = {"type": "LineString", "coordinates": [[114 + i * 1e-6, 30] for i in range(2000)]}
    long = {"type": "Feature", "properties": {"a": "x" * 2000}, "geometry": json.loads(POINT)}
    cases: dict[str, tuple[str, str]] = {
        "a.geojson": (json.dumps({"type": "Feature", "properties": {}, "geometry": many}), "more than 1000 coordinates"),
        "b.geojson": (json.dumps(long), "more than 1000 characters"),
        "c.csv": ("x,y,a\n114,30," + "x" * 2000 + "\n", "a line of more than 1000"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(UnsafeFile, match=message):
            attempt(tmp_path / name)


def test_files_beyond_the_size_bound_are_refused_unread(tmp_path: Path) -> None:
    for name, size, message in (("a.gpkg", limits.MAX_FILE, "exceeds"), ("a.dxf", limits.MAX_DRAWING, "exceeds")):
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(b"  0\nSECTION\n")
            file.truncate(size + 1)  # a hole: takes no disk
        with pytest.raises(UnsafeFile, match=message):
            attempt(path)


def test_binary_under_the_name_of_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\n\0\0\0")
    with pytest.raises(UnreadableFile):
        attempt(tmp_path / "a.csv")


@pytest.mark.parametrize(("name", "advice"), [("a.dwg", "DXF"), ("a.gdb", "GeoPackage"), ("a.xlsx", "CSV"), ("a.vrt", "")])
def test_other_formats_are_refused_with_advice(tmp_path: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"AC1032")
    with pytest.raises(ImportRefused, match=f"not supported.*{advice}"):
        attempt(tmp_path / name)


def test_hostile_names_stay_data(tmp_path: Path) -> None:
    """Layer and field names from a file reach SQL only through the catalogue's identifier rule."""
    from layers.importing.definition import infer_layer

    frame = gpd.GeoDataFrame({'a"; DROP TABLE x; --': [1]}, geometry=[Point(114, 30)], crs=4490)
    pyogrio.write_dataframe(frame, tmp_path / "n.gpkg", layer='evil"; DROP')
    with open_sources(tmp_path / "n.gpkg", ReadOptions()) as [one]:
        definition = infer_layer(one)
        assert len(next(one.batches())) == 1
    assert definition.layer.id == "evil-drop"
    assert [f.name for f in definition.layer.fields] == ["a_drop_table_x"]




def test_files_damaged_at_random_are_read_or_refused_never_crash(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"名称": ["鄂城区"] * 20, "n": range(20)}, geometry=[Point(114, 30)] * 20, crs=4490)
    pyogrio.write_dataframe(frame, tmp_path / "a.gpkg")
    pyogrio.write_dataframe(frame, tmp_path / "a.fgb")
    pyogrio.write_dataframe(frame, tmp_path / "a.geojson")
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("x,y,名称\n" + "114,30,鄂\n" * 20, encoding="gbk")
    zip_of(tmp_path / "a.zip", {"a.csv": (tmp_path / "a.csv").read_bytes()})
    drawing = ezdxf.new("R2000")
    drawing.modelspace().add_lwpolyline([(0, 0, 1), (9, 9, 0), (5, 1, 0)], format="xyb")
    drawing.saveas(tmp_path / "a.dxf")
    chance = random.Random(20_000)
    refused = 0
    for _ in range(20):
        for path in sorted(tmp_path.glob("a.*")):
            whole = path.read_bytes()
            damaged = bytearray(whole)
            for _ in range(chance.choice((1, 3, 20))):
                damaged[chance.randrange(min(len(damaged), chance.choice((400, 10**9))))] = chance.randrange(256)
            path.write_bytes(damaged[: chance.choice((len(damaged), chance.randrange(1, len(damaged))))])
            try:
                with warnings.catch_warnings(action="ignore"):
                    attempt(path)
            except ImportRefused:
                refused += 1
            path.write_bytes(whole)
    assert 20 < refused < 140
