"""Files of every format into layers, compared with what was written into them."""

import json
import re
import sqlite3
import struct
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer
from shapely.geometry import LineString, Point, box
from sqlalchemy import Connection, text

from layers import china_offset
from layers.catalogue import Layer
from layers.importing.definition import field_name, infer_layer
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile
from layers.importing.file_import import ImportOptions, LayerImport, import_file
from layers.importing.readers import open_sources
from layers.importing.source import ReadOptions
from layers.importing.source_crs import parse_crs
from layers.registry import load_layers


def sample(crs: Any = 4490) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"名称": ["鄂城区", "华容区", None], "ID": [1, 2, 2**53 + 1], "height": [1.5, None, 3.0]},
        geometry=[Point(114.9, 30.4), Point(114.7, 30.5), Point(114.5, 30.1)],
        crs=crs,
    )


def bring(conn: Connection, path: Path, **options: Any) -> LayerImport:
    read = ReadOptions(
        **{key: options.pop(key) for key in ("layer", "encoding", "crs", "coordinates", "towgs84") if key in options}
    )
    [only] = import_file(conn, path, ImportOptions(read=read, **options)).imports
    return only


def stored(conn: Connection, layer: Layer, columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(text(f'SELECT {columns} FROM city."{layer.table}" ORDER BY id'))]


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "geojson", "ndjson", "parquet", "shp"])
def test_a_written_file_comes_back_the_same(conn: Connection, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"区 sample!.zip,x.{suffix}"
    frame = sample()
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix in ("geojson", "ndjson"):
        frame = frame.to_crs(4326)
        pyogrio.write_dataframe(frame, tmp_path / "plain", driver="GeoJSON" if suffix == "geojson" else "GeoJSONSeq")
        (tmp_path / "plain").rename(path)
    else:
        pyogrio.write_dataframe(frame, tmp_path / f"plain.{suffix}")
        for part in list(tmp_path.glob("plain.*")):
            part.rename(path.with_suffix(part.suffix))
    done = bring(conn, path, key="ID")
    # FlatGeobuf orders features along a space-filling curve
    rows = sorted(stored(conn, done.layer, "名称, id_2, height, ST_X(geom), ST_Y(geom)"), key=lambda row: row[1])
    assert rows == [
        ("鄂城区", 1, 1.5, 114.9, 30.4), ("华容区", 2, None, 114.7, 30.5), (None, 2**53 + 1, 3.0, 114.5, 30.1),
    ]  # fmt: skip
    assert done.created
    assert done.layer.key_field == "id_2"
    assert done.layer.field("id_2").title.zh == "ID"  # type: ignore[union-attr]
    assert done.layer.extent == pytest.approx((114.5, 30.1, 114.9, 30.5))
    assert (done.report.read, done.report.inserted, done.report.rejected_count) == (3, 3, 0)


def shapefile(tmp_path: Path, encoding: str, *, cpg: str | None, ldid: int) -> Path:
    path = tmp_path / "gbk.shp"
    pyogrio.write_dataframe(sample(), path, encoding=encoding)
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    dbf[29] = ldid
    path.with_suffix(".dbf").write_bytes(dbf)
    return path


@pytest.mark.parametrize(
    ("encoding", "cpg", "ldid", "found"),
    [
        ("GBK", None, 0x00, "GB18030"),  # GDAL alone makes mojibake of this one
        ("GBK", None, 0x4D, "GB18030"),
        ("GBK", None, 0x57, "GB18030"),
        ("GBK", "936", 0x00, "GB18030"),
        ("GBK", "UTF-8", 0x00, "GB18030"),  # a .cpg that lies
        ("UTF-8", None, 0x00, "UTF-8"),
        ("UTF-8", "UTF-8", 0x4D, "UTF-8"),
    ],
)
def test_chinese_shapefiles_are_read_in_their_encoding(
    conn: Connection, tmp_path: Path, encoding: str, cpg: str | None, ldid: int, found: str
) -> None:
    path = shapefile(tmp_path, encoding, cpg=cpg, ldid=ldid)
    done = bring(conn, path)
    assert stored(conn, done.layer, "名称") == [("鄂城区",), ("华容区",), (None,)]
    assert done.report.encoding == found
    assert bool(done.report.warnings) == (cpg == "UTF-8" and encoding == "GBK")


def test_a_text_where_a_number_should_be_is_left_empty_instead_of_zero(conn: Connection, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": ["x"] * 3, "year": [1990.0, 0.0, 2001.0]}, geometry=[Point(114, 30)] * 3, crs=4490)
    pyogrio.write_dataframe(frame, tmp_path / "n.shp")
    dbf = tmp_path / "n.dbf"
    raw = dbf.read_bytes()
    written = re.search(rb"1990\.0+", raw)
    assert written is not None
    dbf.write_bytes(raw.replace(written[0], b"ACPT" + written[0][4:]))
    done = bring(conn, tmp_path / "n.shp")
    assert stored(conn, done.layer, "year") == [(None,), (0.0,), (2001.0,)]
    assert [w.en for w in done.report.warnings] == ["field year has values that are no numbers: left empty"]


def test_western_text_is_not_taken_for_chinese(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "w.shp"
    frame = gpd.GeoDataFrame({"a": ["isn\u2019t", "Café"]}, geometry=[Point(114, 30)] * 2, crs=4490)
    pyogrio.write_dataframe(frame, path, encoding="CP1252")
    path.with_suffix(".cpg").unlink()
    done = bring(conn, path)
    assert stored(conn, done.layer, "a") == [("isn\u2019t",), ("Café",)]
    assert done.report.encoding == "CP1252"


def test_gdal_alone_garbles_gbk_without_cpg(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK", cpg=None, ldid=0)
    assert "鄂城区" not in str(pyogrio.read_dataframe(path))


def test_a_told_encoding_overrides(conn: Connection, tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK", cpg=None, ldid=0x03)
    assert bring(conn, path, encoding="gb2312").report.encoding == "GB18030"
    with pytest.raises(ImportRefused, match="unknown character encoding"):
        bring(conn, path, encoding="martian", into="x")


def zipped(path: Path, *members: Path, names: dict[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.write(member, (names or {}).get(member.name, member.name))
    return path


def test_a_zip_with_several_shapefiles_becomes_several_layers(conn: Connection, tmp_path: Path) -> None:
    for name in ("tracks", "pipes"):
        pyogrio.write_dataframe(sample(), tmp_path / f"{name}.shp")
    path = zipped(tmp_path / "city.zip", *sorted(tmp_path.glob("*.*")))
    result = import_file(conn, path, ImportOptions())
    assert sorted(item.layer.id for item in result.imports) == ["pipes", "tracks"]
    chosen = bring(conn, path, layer="pipes", into="only-pipes")
    assert chosen.layer.id == "only-pipes"
    with pytest.raises(ImportRefused, match="has no layer gas; it has pipes, tracks"):
        bring(conn, path, layer="gas")
    with pytest.raises(ImportRefused, match="several layers"):
        bring(conn, path, into="one")


def test_a_directory_of_shapefiles_is_read(conn: Connection, tmp_path: Path) -> None:
    pyogrio.write_dataframe(sample(), tmp_path / "a.shp")
    (tmp_path / "a.shp.xml").write_text("<metadata/>")
    (tmp_path / "readme.txt").write_text("read me")
    assert bring(conn, tmp_path).report.inserted == 3


def test_names_in_a_zip_written_by_chinese_windows_are_understood(conn: Connection, tmp_path: Path) -> None:
    pyogrio.write_dataframe(sample(), tmp_path / "a.gpkg")
    info = zipfile.ZipInfo("占位.gpkg")
    path = tmp_path / "gbk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, (tmp_path / "a.gpkg").read_bytes())
    raw = path.read_bytes()  # the name in GBK, and the UTF-8 flag off, as Windows' own zip writes it
    utf8 = "占位.gpkg".encode()
    gbk = "道路网".encode("gbk") + b".gpkg"
    assert len(gbk) == len(utf8)
    raw = raw.replace(utf8, gbk)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(signature) + offset
        raw = raw[:at] + b"\0\0" + raw[at + 2 :]
    path.write_bytes(raw)
    with open_sources(path, ReadOptions()) as sources:
        assert [source.count for source in sources] == [3]


def test_kml_and_kmz_are_read(conn: Connection, tmp_path: Path) -> None:
    kml = tmp_path / "doc.kml"
    pyogrio.write_dataframe(sample(4326).rename(columns={"名称": "Name"}), kml, driver="KML")
    done = bring(conn, kml, into="from-kml")
    assert [row[0] for row in stored(conn, done.layer, "name")][:2] == ["鄂城区", "华容区"]
    assert bring(conn, zipped(tmp_path / "a.kmz", kml), into="from-kmz").report.inserted == 3


def test_dxf_gives_arcs_areas_texts_and_blocks(conn: Connection, tmp_path: Path) -> None:
    drawing = ezdxf.new("R2000")
    drawing.header["$DWGCODEPAGE"] = "ANSI_936"
    drawing.encoding = "gbk"
    space = drawing.modelspace()
    drawing.layers.add("建筑")
    at = {"layer": "建筑"}
    e, n = 586489.0, 3364799.0
    # two half circles of radius 10: a circle of 20 m across
    space.add_lwpolyline([(e - 10, n, 1), (e + 10, n, 1)], format="xyb", close=True, dxfattribs=at)
    space.add_line((e, n), (e + 100, n), dxfattribs=at)
    space.add_point((e, n), dxfattribs=at)
    space.add_text("砼5", dxfattribs={**at, "insert": (e, n)})
    drawing.blocks.new("路灯")
    space.add_blockref("路灯", (e + 5, n), dxfattribs=at).add_attrib("编号", "L-1", (e, n))
    space.add_3dface([(e, n), (e + 1, n), (e, n + 1)])
    path = tmp_path / "survey.dxf"
    drawing.saveas(path)
    assert "建筑".encode("gbk") in path.read_bytes()

    with pytest.raises(UnknownCrs, match="EPSG:4547"):
        bring(conn, path)
    done = bring(conn, path, crs="EPSG:4547", keep_crs=True)
    assert (done.layer.srid, done.layer.geometry_type, done.layer.key_field) == (4547, "Geometry", "handle")
    rows = stored(conn, done.layer, "entity, layer, text, block, attributes, GeometryType(geom), ST_Area(geom)")
    assert [row[:6] for row in rows] == [
        ("LWPOLYLINE", "建筑", None, None, None, "POLYGON"),
        ("LINE", "建筑", None, None, None, "LINESTRING"),
        ("POINT", "建筑", None, None, None, "POINT"),
        ("TEXT", "建筑", "砼5", None, None, "POINT"),
        ("INSERT", "建筑", None, "路灯", "编号=L-1", "POINT"),
    ]
    assert rows[0][6] == pytest.approx(314.159, abs=0.7)
    assert [w.en for w in done.report.warnings] == ["entities not read: 3DFACE 1"]
    assert done.report.encoding == "gbk"


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("gbk", "\t"), ("utf-16", ",")])
def test_csv_of_any_encoding_and_delimiter(conn: Connection, tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [("编号", "经度", "纬度", "名称"), ("007", "114.9", "30.4", "鄂城区"), ("008", "", "30.4", "无坐标")]
    path = tmp_path / "点位.csv"
    path.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    done = bring(conn, path, coordinates="wgs84", key="编号")
    assert stored(conn, done.layer, "编号, 名称, ST_AsText(geom)") == [("007", "鄂城区", "POINT(114.9 30.4)")]
    assert [(r.id, r.reason.zh) for r in done.report.rejected] == [("008", "没有可读的几何")]


def csv_point(tmp_path: Path, x: float, y: float, header: str = "lng,lat") -> Path:
    path = tmp_path / "p.csv"
    path.write_text(f"{header}\n{x!r},{y!r}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["gcj02", "bd09", "wgs84", "cgcs2000"])
def test_chinese_map_coordinates_are_unshifted(conn: Connection, tmp_path: Path, kind: str) -> None:
    position: tuple[Any, Any] = (114.9, 30.4)
    if kind in ("gcj02", "bd09"):
        position = getattr(china_offset, f"wgs84_to_{kind}")(*position)
    done = bring(conn, csv_point(tmp_path, float(position[0]), float(position[1])), coordinates=kind)
    assert stored(conn, done.layer, "ST_X(geom), ST_Y(geom)")[0] == pytest.approx((114.9, 30.4), abs=1e-8)


def test_degrees_of_unknown_kind_are_not_guessed(conn: Connection, tmp_path: Path) -> None:
    with pytest.raises(UnknownCrs, match="gcj02"):
        bring(conn, csv_point(tmp_path, 114.9, 30.4))


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [
        ("EPSG:4547", 586489.034, 3364799.485),
        ("EPSG:4526", 38586489.034, 3364799.485),
        ("EPSG:4547", 3364799.485, 586489.034),  # Chinese survey axes: X is north
        ("EPSG:4526", 3364799.485, 38586489.034),
    ],
)
def test_survey_tables_land_right_whichever_column_is_north(
    conn: Connection, tmp_path: Path, crs: str, x: float, y: float
) -> None:
    done = bring(conn, csv_point(tmp_path, x, y, "X坐标,Y坐标"), crs=crs)
    assert stored(conn, done.layer, "ST_X(geom), ST_Y(geom)")[0] == pytest.approx((114.9, 30.4), abs=1e-8)
    assert bool(done.report.warnings) == (x == 3364799.485)


def test_csv_with_wkt(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text('name,WKT\na,"POLYGON((114 30,115 30,115 31,114 30))"\nb,nonsense\n')
    done = bring(conn, path, crs="EPSG:4490")
    assert (done.layer.geometry_type, done.report.inserted, done.report.rejected_count) == ("MultiPolygon", 1, 1)


_GK_114 = (
    'PROJCS["CGCS2000_3_Degree_GK_CM_114E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",{easting}],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",114.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],'
    'UNIT["Meter",1.0]]'
)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (_GK_114.format(easting="500000.0"), 4547),
        (_GK_114.format(easting="38500000.0").replace("CM_114E", "Zone_38"), 4526),
        (_GK_114.format(easting="500000.0").replace("CGCS2000_3_Degree_GK_CM_114E", "鄂州独立命名"), 4547),
        (CRS.from_epsg(4490).to_wkt("WKT1_ESRI"), 4490),
        (CRS.from_epsg(4490).to_wkt("WKT1_ESRI").replace("GCS_China_Geodetic_Coordinate_System_2000", "China_2000"), 4490),
        ("4547", 4547),
        ("EPSG:4526", 4526),
    ],
)
def test_cgcs2000_is_recognised_in_every_dialect(written: str, code: int) -> None:
    assert parse_crs(written).to_epsg() == code


def test_every_chinese_zone_is_recognised_from_its_esri_text() -> None:
    for code in (4491, 4502, 4513, 4526, 4533, 4534, 4547, 4554):
        found = parse_crs(CRS.from_epsg(code).to_wkt("WKT1_ESRI")).to_epsg()
        # a 6° zone without prefix and the 3° zone of its meridian are one and the same projection
        degrees = Transformer.from_crs(code, 4490, always_xy=True).transform(510000 + (code == 4526) * 38e6, 3e6)
        again = Transformer.from_crs(found, 4490, always_xy=True).transform(510000 + (code == 4526) * 38e6, 3e6)
        assert again == pytest.approx(degrees, abs=1e-10)


def test_us_survey_feet_agree_with_pyproj(conn: Connection, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(6150000, 1950000)], crs=2227)
    pyogrio.write_dataframe(frame, tmp_path / "feet.shp")
    done = bring(conn, tmp_path / "feet.shp")
    expected = Transformer.from_crs(2227, 4326, always_xy=True).transform(6150000, 1950000)
    assert stored(conn, done.layer, "ST_X(geom), ST_Y(geom)")[0] == pytest.approx(expected, abs=1e-9)
    assert done.report.source_crs == "EPSG:2227"


@pytest.mark.parametrize("code", [4610, 4214, 2380, 2343])
def test_old_chinese_datums_need_the_citys_parameters(conn: Connection, tmp_path: Path, code: int) -> None:
    position = (105.1, 30.4) if CRS.from_epsg(code).is_geographic else (500000, 3364799)
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(*position)], crs=code)
    pyogrio.write_dataframe(frame, tmp_path / "old.gpkg")
    with pytest.raises(UnknownCrs, match="seven parameters"):
        bring(conn, tmp_path / "old.gpkg")
    done = bring(conn, tmp_path / "old.gpkg", towgs84=(100.0, -50.0, 30.0, 0.1, 0.2, 0.3, 1.5))
    x, y = stored(conn, done.layer, "ST_X(geom), ST_Y(geom)")[0]
    ellipsoid = CRS.from_epsg(code).geodetic_crs.ellipsoid
    steps = f"+proj=cart +a={ellipsoid.semi_major_metre} +rf={ellipsoid.inverse_flattening} +step "
    helmert = "+proj=helmert +x=100 +y=-50 +z=30 +rx=0.1 +ry=0.2 +rz=0.3 +s=1.5 +convention=position_vector +step "
    pipeline = f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step {steps}{helmert}"
    pipeline += "+inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    degrees = Transformer.from_crs(code, CRS.from_epsg(code).geodetic_crs, always_xy=True).transform(*position)
    expected = Transformer.from_pipeline(pipeline).transform(*degrees, 0)[:2]
    assert (x, y) == pytest.approx(expected, abs=1e-8)


def test_a_file_goes_into_an_existing_layer_by_mapping(conn: Connection, tmp_path: Path) -> None:
    target = bring(conn, written(tmp_path, sample()), into="target", key="ID").layer
    other = sample().rename(columns={"名称": "NAME", "ID": "OSM_ID", "height": "HEIGHT"})
    other["extra"] = "x"
    path = written(tmp_path, other, "other.gpkg")
    mapping = {"名称": "NAME", "id_2": "OSM_ID"}
    done = bring(conn, path, into="target", mapping=mapping, mode="update")
    assert (done.created, done.report.unchanged, done.report.updated) == (False, 3, 0)
    assert done.report.ignored_fields == ("extra",)
    with pytest.raises(ImportRefused, match="the file has no field NAMEN"):
        bring(conn, path, into="target", mapping={"名称": "NAMEN"})
    with pytest.raises(ImportRefused, match="has no field foo"):
        bring(conn, path, into="target", mapping={"foo": "NAME"})
    assert len(stored(conn, target, "id")) == 3


def written(tmp_path: Path, frame: gpd.GeoDataFrame, name: str = "a.gpkg") -> Path:
    pyogrio.write_dataframe(frame, tmp_path / name)
    return tmp_path / name


def test_replace_shrinks_the_layers_extent(conn: Connection, tmp_path: Path) -> None:
    bring(conn, written(tmp_path, sample()), into="shrink")
    done = bring(conn, written(tmp_path, sample().iloc[:1], "b.gpkg"), into="shrink", mode="replace")
    assert done.layer.extent == pytest.approx((114.9, 30.4, 114.9, 30.4))


def test_a_dry_run_leaves_no_layer_behind(conn: Connection, tmp_path: Path) -> None:
    done = bring(conn, written(tmp_path, sample()), into="dry", dry_run=True)
    assert (done.created, done.report.inserted, "dry" in load_layers(conn)) == (True, 3, False)


def test_a_refused_table_leaves_the_others_out_too(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    pyogrio.write_dataframe(sample(), path, layer="good")
    pyogrio.write_dataframe(sample().set_geometry([Point(30, 114)] * 3, crs=4490), path, layer="swapped", append=True)
    with pytest.raises(ImportRefused, match="swapped"):
        import_file(conn, path, ImportOptions())
    assert "good" not in load_layers(conn)


def test_field_names_become_identifiers_of_the_catalogue() -> None:
    taken: set[str] = set()
    for original, name in {
        "NAME": "name", "name:en": "name_en", "ID": "id_2", "geom": "geom_2", "2020年人口": "f_2020年人口",
        "名 称": "名_称", "Name": "name_2", "  ": "field", "x" * 80: "x" * 51, "x" * 81: "x" * 49 + "_2",
        "valid_to": "valid_to_2", 'a"; DROP': "a_drop", "Größe": "gr_e",
    }.items():  # fmt: skip
        assert field_name(original, taken) == name
        taken.add(name)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([Point(114, 30)], "Point"),
        ([Point(114, 30), shapely.MultiPoint([(114, 30)])], "MultiPoint"),
        ([LineString([(114, 30), (115, 30)])], "MultiLineString"),
        ([box(114, 30, 115, 31), shapely.MultiPolygon([box(114, 30, 115, 31)])], "MultiPolygon"),
        ([box(114, 30, 115, 31), Point(114, 30)], "Geometry"),
    ],
)
def test_the_layers_geometry_type_holds_every_geometry(tmp_path: Path, shapes: list[Any], expected: str) -> None:
    path = tmp_path / "g.parquet"
    gpd.GeoDataFrame({"a": range(len(shapes))}, geometry=shapes, crs=4490).to_parquet(path)
    with open_sources(path, ReadOptions()) as [source]:
        assert infer_layer(source).layer.geometry_type == expected


def test_types_of_a_geopackage_become_the_catalogues(conn: Connection, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"b": [True], "d": [date(2024, 5, 1)], "t": [pd.Timestamp("2024-05-01 08:00")], "i": [1]},
        geometry=[Point(114, 30)], crs=4490,
    )  # fmt: skip
    pyogrio.write_dataframe(frame, tmp_path / "types.gpkg", use_arrow=True)
    done = bring(conn, tmp_path / "types.gpkg")
    assert {f.name: f.type for f in done.layer.fields} == {
        "b": "boolean", "d": "date", "t": "date-time", "i": "integer",
    }  # fmt: skip
    utc = "to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
    assert stored(conn, done.layer, f"b, d::text, {utc}") == [(True, "2024-05-01", "2024-05-01 08:00")]  # GeoPackage times are UTC


def test_lists_and_objects_of_geojson_are_kept(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "l.geojson"
    properties = {"tags": ["甲", "乙,丙"], "more": {"k": [1, 2]}}
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [114, 30]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    done = bring(conn, path)
    [(tags, more)] = stored(conn, done.layer, "tags, more")
    assert (tags, json.loads(more)) == (["甲", "乙,丙"], {"k": [1, 2]})


def test_damaged_files_are_refused_in_plain_words(conn: Connection, tmp_path: Path) -> None:
    for name, content in {
        "a.gpkg": b"SQLite format 3\0" + bytes(2000),
        "a.fgb": b"fgb\x03fgb\x01" + b"\xff" * 64,
        "a.parquet": b"PAR1" + bytes(100),
        "a.geojson": b'{"type": "FeatureCollection", "features": [',
        "a.kml": b"<kml><Document>",
        "a.dxf": b"  0\nSECTION\n  2\nENTITIES\n  0\nLINE\n 10\nabc",
        "a.zip": b"PK\x03\x04" + bytes(100),
        "a.shp": b"\0\0\x27\x0a" + bytes(100),
        "b.gpkg": b"no database",
        "a.csv": b"x,y\n",
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises((UnreadableFile, ImportRefused)) as refusal:
            bring(conn, path, crs="EPSG:4490")
        assert refusal.value.text.zh, name


def test_a_geopackage_keeps_its_rows_readable_while_sqlite_has_it_open(conn: Connection, tmp_path: Path) -> None:
    path = written(tmp_path, sample())
    before = path.read_bytes()
    with sqlite3.connect(path):
        assert bring(conn, path).report.inserted == 3
    assert path.read_bytes() == before




def test_a_curve_that_cannot_be_read_is_named_not_lost(conn: Connection, tmp_path: Path) -> None:
    path = written(tmp_path, sample())
    arc = struct.pack("<BII6d", 1, 8, 3, 114, 30, 114.5, 30.5, 115, 30)  # CIRCULARSTRING
    with closing(sqlite3.connect(path)) as database:
        database.create_function("ST_IsEmpty", 1, lambda _: 0)
        for function in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 0.0)
        database.execute("UPDATE a SET geom = ? WHERE fid = 2", (b"GP\0\1" + struct.pack("<i", 4490) + arc,))
        database.commit()
    report = bring(conn, path, into="curves", key="ID").report
    assert (report.inserted, [(r.id, r.reason.en) for r in report.rejected]) == (2, [("2", "no readable geometry")])
