"""Drawings and geodata: arcs, holes, layers, GBK; and what is wrong with them, in a surveyor's words."""

import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import ezdxf
import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.importing.errors import ImportRefused
from layers.importing.source import ReadOptions
from planning.boundary.drawing import write_dxf
from planning.boundary.geodata import kind_of_layer, read_geodata
from planning.boundary.pasted import is_pasted, read_pasted
from planning.errors import PlanningError
from planning.survey.areas import areas_of
from planning.survey.parcel import Parcel, parcel_of
from planning.survey.zones import Zone

X, Y = 586_400.0, 3_364_800.0
CRS = ReadOptions(crs="EPSG:4547")
Corners = list[tuple[float, ...]]


def drawing(
    path: Path, *outlines: tuple[Corners, dict[str, object]], version: str = "R2010", encoding: str | None = None
) -> Path:
    document = ezdxf.new(version)
    if encoding:
        document.header["$DWGCODEPAGE"], document.encoding = "ANSI_936", encoding
    for corners, options in outlines:
        layer = str(options.get("layer", "用地红线"))
        shifted = [(x + X, y + Y, *rest) for x, y, *rest in corners]
        if version == "R12":
            document.modelspace().add_polyline2d(
                [p[:2] for p in shifted], close=bool(options.get("close", True)), dxfattribs={"layer": layer}
            )
        else:
            document.modelspace().add_lwpolyline(
                shifted, format="xyb", close=bool(options.get("close", True)), dxfattribs={"layer": layer}
            )
    document.saveas(path)
    return path


def square(x: float, y: float, size: float) -> Corners:
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def test_bulges_are_arcs(tmp_path: Path) -> None:
    """A square of 100 m whose east side is a half circle: a bulge of 1 is 180°."""
    path = drawing(tmp_path / "a.dxf", ([(0, 0), (100, 0, 1), (100, 100), (0, 100)], {}))
    found = read_geodata(path, CRS)
    assert found.errors == ()
    [parcel] = found.parcels
    assert areas_of(parcel).plane == pytest.approx(10_000 + math.pi * 50**2 / 2, abs=1.0)
    assert parcel.polygon.bounds[2] == pytest.approx(X + 150, abs=0.01)
    straight = [p for p in parcel.rings[0] if p.position in ((Y, X), (Y + 100, X))]
    assert len(straight) == 2
    assert (parcel.name, parcel.zone) == ("用地红线", Zone(38))


def test_an_outline_within_another_is_its_hole_and_one_within_that_a_parcel(tmp_path: Path) -> None:
    path = drawing(
        tmp_path / "a.dxf",
        (square(0, 0, 100), {}),
        (square(20, 20, 50), {}),
        (square(30, 30, 10), {}),
        (square(200, 0, 10), {}),
    )
    found = read_geodata(path, CRS)
    assert [areas_of(p).plane for p in found.parcels] == [7_500, 100, 100]
    assert [len(p.rings) for p in found.parcels] == [2, 1, 1]


def test_drawing_layers_are_told_apart_by_their_names(tmp_path: Path) -> None:
    path = drawing(
        tmp_path / "a.dxf",
        (square(0, 0, 100), {}),
        (square(0, 0, 500), {"layer": "道路红线"}),
        (square(0, 0, 50), {"layer": "建筑"}),
    )
    found = read_geodata(path, CRS)
    assert [areas_of(p).plane for p in found.parcels] == [10_000]
    assert [finding.code for finding in found.findings] == ["layer-skipped"] * 2
    chosen = read_geodata(path, ReadOptions(layer="建筑", crs="EPSG:4547"))
    assert [areas_of(p).plane for p in chosen.parcels] == [2_500]
    assert [kind_of_layer(name) for name in ("道路红线", "用地红线", "城市绿线", "JZX", "蓝线", "0")] == [
        "road",
        "parcel",
        "green",
        "parcel",
        "blue",
        None,
    ]


def test_an_old_drawing_in_gbk(tmp_path: Path) -> None:
    path = drawing(tmp_path / "old.dxf", (square(0, 0, 10), {"layer": "宗地界址"}), version="R12", encoding="gbk")
    [parcel] = read_geodata(path, CRS).parcels
    assert parcel.name == "宗地界址" and areas_of(parcel).plane == 100


def test_an_open_polyline_whose_ends_meet_is_closed(tmp_path: Path) -> None:
    path = drawing(tmp_path / "a.dxf", ([*square(0, 0, 10), (0, 0)], {"close": False}))
    assert [areas_of(p).plane for p in read_geodata(path, CRS).parcels] == [100]


@pytest.mark.parametrize("prefixed", [True, False])
def test_a_written_drawing_reads_back_to_the_millimetre(tmp_path: Path, prefixed: bool) -> None:
    shape = shapely.Polygon(np.array(square(0, 0, 123.456)) + (X, Y), [np.array(square(50, 50, 7.891)) + (X, Y)])
    parcel = parcel_of(shape, Zone(38), name="一号")
    write_dxf([parcel], tmp_path / "out.dxf", prefixed=prefixed)
    [again] = read_geodata(tmp_path / "out.dxf", ReadOptions(crs="EPSG:4526" if prefixed else "EPSG:4547")).parcels
    assert {p.position for ring in again.rings for p in ring} == {p.position for ring in parcel.rings for p in ring}
    assert "用地红线".encode("gbk") in (tmp_path / "out.dxf").read_bytes()


def test_a_shapefile_and_a_geojson_give_their_attributes(tmp_path: Path) -> None:
    shapes = [
        shapely.Polygon(np.array(square(0, 0, 100)) + (X, Y)),
        shapely.MultiPolygon([shapely.box(X, Y - 50, X + 10, Y - 40), shapely.box(X + 20, Y - 50, X + 30, Y - 40)]),
    ]
    frame = gpd.GeoDataFrame({"DKBH": ["A-1", "A-2"], "DKMC": ["东地块", "西地块"]}, geometry=shapes, crs=4526)
    frame = frame.set_geometry(frame.translate(38_000_000), crs=4526)
    folder = tmp_path / "shp"
    folder.mkdir()
    frame.to_file(folder / "dk.shp", encoding="gbk")
    with zipfile.ZipFile(tmp_path / "dk.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    found = read_geodata(tmp_path / "dk.zip", ReadOptions(encoding="gbk"))
    assert [(p.number, p.name) for p in found.parcels] == [("A-1", "东地块"), ("A-2-1", "西地块"), ("A-2-2", "西地块")]
    assert [areas_of(p).plane for p in found.parcels] == [10_000, 100, 100]
    frame.to_crs(4490).to_file(tmp_path / "dk.geojson", driver="GeoJSON", COORDINATE_PRECISION=10)
    again = read_geodata(tmp_path / "dk.geojson", ReadOptions()).parcels
    assert [p.rings for p in again] == [p.rings for p in found.parcels]


def _open(path: Path) -> Path:
    return drawing(path / "a.dxf", (square(0, 0, 10), {"close": False}))


def _bow_tie(path: Path) -> Path:
    return drawing(path / "a.dxf", ([(0, 0), (10, 10), (10, 0), (0, 10)], {}))


def _with_prefix(path: Path) -> Path:
    return drawing(path / "a.dxf", ([(x + 38_000_000, y) for x, y in square(0, 0, 10)], {}))


def _swapped(path: Path) -> Path:
    return drawing(path / "a.dxf", ([(y + Y - X, x + X - Y) for x, y in square(0, 0, 10)], {}))


def _degrees(path: Path) -> Path:
    return drawing(path / "a.dxf", ([(x * 1e-5 + 114.9 - X, y * 1e-5 + 30.4 - Y) for x, y in square(0, 0, 10)], {}))


def _empty_drawing(path: Path) -> Path:
    return drawing(path / "a.dxf")


def _only_points(path: Path) -> Path:
    document = ezdxf.new()
    document.modelspace().add_point((X, Y))
    document.saveas(path / "a.dxf")
    return path / "a.dxf"


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        (path / name).write_bytes(content)
        return path / name

    return make


def _truncated(path: Path) -> Path:
    whole = drawing(path / "whole.dxf", (square(0, 0, 10), {})).read_bytes()
    return _bytes("a.dxf", whole[: whole.index(b"ENTITIES") + 200])(path)


def _point_features(path: Path) -> Path:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(114.9, 30.4)], crs=4490)
    frame.to_file(path / "a.geojson", driver="GeoJSON")
    return path / "a.geojson"


def _abroad(path: Path) -> Path:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(10, 30, 10.001, 30.001)], crs=4326)
    frame.to_file(path / "a.geojson", driver="GeoJSON")
    return path / "a.geojson"


BROKEN: list[tuple[str, Callable[[Path], Path], ReadOptions, str, str]] = [
    ("open outline", _open, CRS, "没有闭合，首末点相距 10.000 米", "is not closed"),
    ("bow tie", _bow_tie, CRS, "边界自相交（X=3364805.000, Y=586405.000）", "crosses itself"),
    ("zone number too much", _with_prefix, CRS, "带有带号 38，与", "carry the zone number 38"),
    ("zone number too little", lambda p: drawing(p / "a.dxf", (square(0, 0, 10), {})), ReadOptions(crs="EPSG:4526"), "没有带号", "carry no zone number"),
    ("another zone", _with_prefix, ReadOptions(crs="EPSG:4527"), "带号与坐标系矛盾", "contradicts the CRS"),
    ("X and Y swapped", _swapped, CRS, "颠倒", "swapped"),
    ("degrees", _degrees, CRS, "像是经纬度", "look like degrees"),
    ("no CRS told", lambda p: drawing(p / "a.dxf", (square(0, 0, 10), {})), ReadOptions(), "没有坐标系，请用 crs 指明", "has no CRS"),
    ("old datum", lambda p: drawing(p / "a.dxf", (square(0, 0, 10), {})), ReadOptions(crs="EPSG:2383"), "请先用 transform-coordinates（给出本市七参数）", "seven parameters"),
    ("unknown CRS", lambda p: drawing(p / "a.dxf", (square(0, 0, 10), {})), ReadOptions(crs="地方坐标"), "无法识别坐标系", "is unknown"),
    ("no such layer", lambda p: drawing(p / "a.dxf", (square(0, 0, 10), {})), ReadOptions(layer="红线2", crs="EPSG:4547"), "没有图层 红线2", "no layer 红线2"),
    ("nothing drawn", _empty_drawing, CRS, "没有面要素或闭合线", "no areas or closed outlines"),
    ("points only", _only_points, CRS, "没有面要素或闭合线", "no areas or closed outlines"),
    ("truncated", _truncated, CRS, "末尾没有 EOF，文件不完整", "a part is missing"),
    ("text called DXF", _bytes("a.dxf", "你好".encode()), CRS, "内容不是 dxf 格式", "is no dxf"),
    ("empty file", _bytes("a.dxf", b""), CRS, "空文件", "is empty"),
    ("DWG", _bytes("a.dwg", b"AC1032\0\0\0"), CRS, "另存为”保存成 DXF", "save it as DXF"),
    ("DWG called DXF", _bytes("a.dxf", b"AC1015\0\0\0"), CRS, "另存为”保存成 DXF", "save it as DXF"),
    ("points as parcels", _point_features, ReadOptions(), "第 1 个要素不是面，是点", "is no area (Point)"),
    ("abroad", _abroad, ReadOptions(), "不在中国的 3° 带内", "outside China's 3° zones"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "options", "zh", "en"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_told_as_a_surveyor_would(
    tmp_path: Path, make: Callable[[Path], Path], options: ReadOptions, zh: str, en: str
) -> None:
    try:
        found = read_geodata(make(tmp_path), options)
        assert found.parcels == ()
        texts = [finding.text for finding in found.errors]
    except (PlanningError, ImportRefused) as error:
        texts = [error.text]
    assert any(part in text.zh for text in texts for part in zh.split("|")), texts
    assert any(part in text.en for text in texts for part in en.split("|")), texts


def test_pasted_coordinates() -> None:
    text = "J1 3364900.000 38586400.000\nJ2\t3364900 , 38586500\n3364800;38586500\n\n\n586400 x\n"
    assert is_pasted(text)
    found = read_pasted(text, None)
    [parcel] = found.parcels
    assert [(p.name, *p.position) for p in parcel.rings[0]] == [
        ("J1", 3364900, 586400),
        ("J2", 3364900, 586500),
        ("J3", 3364800, 586500),
    ]
    assert [(f.line, f.code) for f in found.errors] == [(6, "pasted-line")]
    without_zone = "3364900 586400\n3364900 586500\n3364800 586500"
    assert read_pasted(without_zone, Zone(38)).parcels[0].zone == Zone(38)
    assert [f.code for f in read_pasted(without_zone, None).errors] == ["zone-unknown"]
    rings = "\n".join(
        [
            "J1 1 3364900 586400",
            "J2 1 3364900 586500",
            "J3 1 3364800 586400",
            "J4 2 3364890 586410",
            "J5 2 3364890 586420",
            "J6 2 3364880 586410",
        ]
    )
    assert [len(ring) for ring in read_pasted(rings, Zone(38)).parcels[0].rings] == [3, 3]


def test_a_parcel_keeps_its_place_whichever_way_it_came(tmp_path: Path) -> None:
    parcel: Parcel = read_geodata(drawing(tmp_path / "a.dxf", (square(0, 0, 100), {})), CRS).parcels[0]
    assert parcel.degrees.centroid.x == pytest.approx(114.9, abs=0.01)
    assert [p.name for p in parcel.rings[0]] == ["J1", "J2", "J3", "J4"]
    assert parcel.rings[0][0].position == (Y + 100, X)
