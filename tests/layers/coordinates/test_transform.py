"""Coordinates against the published values (domain §4) and against PROJ's own pipelines."""

import random
import re

import numpy as np
import pyproj
import pytest
from pyproj import Transformer

from layers.coordinates.local_grid import LocalGrid, LocalGridError
from layers.coordinates.processes import TransformedCoordinates, transform_coordinates
from layers.importing.errors import UnknownCrs, WrongCoordinates
from layers.processing import CityCrs

SEVEN = (-12.3, 45.6, 78.9, 1.2, -2.3, 3.4, 5.6)
CITY = CityCrs(
    4547, frozenset({4490, 4547}),
    grids={
        "城建坐标系": LocalGrid(base=4547, east=-500_000.0, north=-3_300_000.0, rotation=3600.5, scale=12.5),
        "老城坐标系": LocalGrid(proj="+proj=tmerc +lat_0=0 +lon_0=114.5 +k=1 +x_0=50000 +y_0=-3300000 +ellps=GRS80 +units=m"),
        "八零城建": LocalGrid(proj="+proj=tmerc +lon_0=114.5 +x_0=50000 +a=6378140 +rf=298.257", towgs84=SEVEN),
    },
)  # fmt: skip
OLD = CityCrs(4547, frozenset(), towgs84={"xian80": SEVEN})


def _point(source: str, target: str, at: tuple[float, ...], city: CityCrs = CITY, **more: object) -> tuple[float, ...]:
    made = transform_coordinates(city, source, target, points=(at,), **more)  # type: ignore[arg-type]
    assert made.points is not None
    return made.points[0]


@pytest.mark.parametrize(("source", "target", "at", "expected", "within"), [
    ("EPSG:4490", "EPSG:4547", (114.9, 30.4), (586489.034, 3364799.485), 5e-4),
    ("CGCS2000", "EPSG:4526", (114.9, 30.4), (38586489.034, 3364799.485), 5e-4),
    ("EPSG:4526", "EPSG:4547", (38586489.034, 3364799.485), (586489.034, 3364799.485), 1e-4),
    ("EPSG:4547", "WGS84", (586489.034, 3364799.485), (114.9, 30.4), 1e-8),
    ("WGS84", "GCJ-02", (114.9, 30.4), (114.9050412, 30.3973048), 5e-8),
    ("wgs 84", "BD09", (114.9, 30.4), (114.9116471, 30.4029768), 5e-8),
    ("GCJ02", "BD-09", (114.9050412, 30.3973048), (114.9116471, 30.4029768), 1e-7),
    ("BD-09", "GCJ-02", (114.9116471, 30.4029768), (114.9050412, 30.3973048), 1e-7),
    ("bd09", "4490", (114.9116471, 30.4029768), (114.9, 30.4), 1e-7),
])  # fmt: skip
def test_the_published_values(source: str, target: str, at: tuple[float, float], expected: tuple[float, float], within: float) -> None:  # fmt: skip
    assert _point(source, target, at) == pytest.approx(expected, abs=within)


@pytest.mark.parametrize("code", [*range(4491, 4513), *range(4513, 4555)])
def test_every_cgcs2000_zone_against_proj(code: int) -> None:
    crs = pyproj.CRS.from_epsg(code)
    values = {p.name: p.value for p in crs.coordinate_operation.params}
    meridian, easting = values["Longitude of natural origin"], values["False easting"]
    at = (meridian + 0.7, 34.5)
    plain = Transformer.from_pipeline(f"+proj=tmerc +lon_0={meridian} +x_0={easting} +ellps=GRS80")
    east, north = plain.transform(*at)
    assert _point("EPSG:4490", f"EPSG:{code}", at) == pytest.approx((east, north), abs=2e-4)
    assert _point(f"EPSG:{code}", "EPSG:4490", (east, north)) == pytest.approx(at, abs=1e-8)


@pytest.mark.parametrize(
    "name", ["Xian80", "西安80", "EPSG:4610", "EPSG:2362", "Beijing54", "北京54", "EPSG:4214", "EPSG:21419"]
)
def test_old_datums_are_refused_without_the_seven_parameters(name: str) -> None:
    for source, target in ((name, "EPSG:4490"), ("EPSG:4490", name)):
        with pytest.raises(UnknownCrs, match="seven parameters"):
            _point(source, target, (114.9, 30.4))


@pytest.mark.parametrize(("name", "axis", "flattening"), [("Xian80", 6378140, 298.257), ("Beijing54", 6378245, 298.3)])
def test_old_datums_with_seven_parameters_against_a_helmert_pipeline(name: str, axis: float, flattening: float) -> None:
    x, y, z, rx, ry, rz, s = SEVEN
    pipeline = Transformer.from_pipeline(
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +a={axis} +rf={flattening} "
        f"+step +proj=helmert +x={x} +y={y} +z={z} +rx={rx} +ry={ry} +rz={rz} +s={s} +convention=position_vector "
        "+step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    lon, lat, _ = pipeline.transform(114.9, 30.4, 0)
    assert abs(lon - 114.9) > 1e-5
    assert _point(name, "EPSG:4490", (114.9, 30.4), source_towgs84=SEVEN) == pytest.approx((lon, lat), abs=2e-9)
    # the way back begins at height 0 of the other ellipsoid, which is worth a millimetre
    assert _point("EPSG:4490", name, (lon, lat), target_towgs84=SEVEN) == pytest.approx((114.9, 30.4), abs=2e-8)


def test_the_citys_parameters_serve_all_systems_of_their_datum() -> None:
    for code in ("EPSG:4610", "EPSG:2362"):
        at = (
            (114.9, 30.4)
            if code == "EPSG:4610"
            else Transformer.from_crs(4610, 2362, always_xy=True).transform(114.9, 30.4)
        )
        expected = _point("Xian80", "EPSG:4490", (114.9, 30.4), source_towgs84=SEVEN)
        assert _point(code, "EPSG:4490", at, OLD) == pytest.approx(expected, abs=1e-8)
    with pytest.raises(UnknownCrs, match="seven parameters"):
        _point("Beijing54", "EPSG:4490", (114.9, 30.4), OLD)


def test_parameters_for_a_system_that_needs_none_are_refused() -> None:
    with pytest.raises(UnknownCrs, match="takes no seven parameters"):
        _point("EPSG:4547", "EPSG:4490", (586489.0, 3364799.0), source_towgs84=SEVEN)


def test_a_local_grid_by_four_parameters_against_projs_affine() -> None:
    grid = CITY.grids["城建坐标系"]
    a, b, d, e, east, north = grid.matrix
    affine = Transformer.from_pipeline(f"+proj=affine +xoff={east} +yoff={north} +s11={a} +s12={b} +s21={d} +s22={e}")
    expected = affine.transform(*_point("EPSG:4490", "EPSG:4547", (114.9, 30.4)))
    made = _point("EPSG:4490", "城建坐标系", (114.9, 30.4))
    assert made == pytest.approx(expected, abs=2e-4)
    assert _point("城建坐标系", "EPSG:4490", made) == pytest.approx((114.9, 30.4), abs=2e-9)
    # anticlockwise by 1.0001°, as the plain formula has it
    k, r, (x, y) = 1.0000125, np.radians(3600.5 / 3600), (586489.034, 3364799.485)
    plain = (-500_000 + k * (x * np.cos(r) - y * np.sin(r)), -3_300_000 + k * (x * np.sin(r) + y * np.cos(r)))
    assert made == pytest.approx(plain, abs=1e-3)


def test_local_grids_by_proj_text() -> None:
    text = "+proj=tmerc +lat_0=0 +lon_0=114.5 +k=1 +x_0=50000 +y_0=-3300000 +ellps=GRS80"
    expected = Transformer.from_pipeline(text).transform(114.9, 30.4)
    assert _point("EPSG:4490", "老城坐标系", (114.9, 30.4)) == pytest.approx(expected, abs=2e-4)
    assert _point("EPSG:4490", text, (114.9, 30.4)) == pytest.approx(expected, abs=2e-4)
    there = _point("EPSG:4490", "八零城建", (114.9, 30.4))
    on_datum = _point("EPSG:4490", "Xian80", (114.9, 30.4), target_towgs84=SEVEN)
    plain = Transformer.from_pipeline("+proj=tmerc +lon_0=114.5 +x_0=50000 +a=6378140 +rf=298.257").transform(*on_datum)
    assert there == pytest.approx(plain, abs=2e-3)
    with pytest.raises(UnknownCrs, match="seven parameters"):  # Krassovsky's ellipsoid and no datum: unknown
        _point("+proj=tmerc +lon_0=114 +x_0=500000 +ellps=krass", "EPSG:4490", (586489.0, 3364799.0))


@pytest.mark.parametrize("text", [
    "+proj=pipeline +step +proj=longlat", "+proj=longlat +nadgrids=/etc/passwd", "+init=epsg:4326 +proj=longlat",
    "+proj=longlat +geoidgrids=x.tif", "+proj=hgridshift +grids=http://example.org/x", "+proj=longlat; rm", "+proj=",
    "+proj=longlat " + "+x_0=1 " * 200,
])  # fmt: skip
def test_proj_text_that_could_do_more_than_project_is_refused(text: str) -> None:
    with pytest.raises(LocalGridError):
        LocalGrid(proj=text)
    with pytest.raises(UnknownCrs):
        _point(text, "EPSG:4490", (114.9, 30.4))


@pytest.mark.parametrize("name", ["", "EPSG:99999", "EPSG:4479", "EPSG:5773", "Mars 2000", "urn:ogc:def:crs:x", "/etc/passwd",
                                  "http://example.org/crs.wkt", "GEOGCS[", "12"])  # fmt: skip
def test_unknown_systems_are_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownCrs):
        _point(name, "EPSG:4490", (114.9, 30.4))


def test_all_of_china_and_back_through_every_kind_of_system() -> None:
    draw = random.Random(5)
    at = tuple((draw.uniform(75, 134), draw.uniform(19, 53)) for _ in range(300))
    for system in ("GCJ-02", "BD-09", "WGS84", "EPSG:3857", "EPSG:4480"):
        there = transform_coordinates(CITY, "CGCS2000", system, points=at).points
        back = transform_coordinates(CITY, system, "CGCS2000", points=there).points
        assert np.abs(np.array(back) - np.array(at)).max() < 2e-9, system


@pytest.mark.parametrize(("source", "at", "says"), [
    ("EPSG:4547", (38586489.034, 3364799.485), "EPSG:4526"),  # carries a zone number
    ("EPSG:4526", (586489.034, 3364799.485), "EPSG:4547"),  # lacks it
    ("EPSG:4547", (114.9, 30.4), "look like degrees"),
    ("EPSG:4490", (586489.034, 3364799.485), "no degrees"),
    ("EPSG:4547", (3364799.485, 586489.034), "swapped"),
    ("GCJ-02", (586489.0, 3364799.0), "position 1"),
    ("BD-09", (114.9, 91.0), "position 1"),
    ("EPSG:4490", (1e300, 1e300), "no degrees"),
])  # fmt: skip
def test_coordinates_that_contradict_their_system_are_refused(source: str, at: tuple[float, float], says: str) -> None:
    with pytest.raises(WrongCoordinates, match=re.escape(says)):
        _point(source, "EPSG:3857", at)


def test_the_one_wrong_position_of_many_is_named() -> None:
    at = [(586489.0 + n, 3364799.0) for n in range(9)]
    with pytest.raises(WrongCoordinates, match=r"position 7 \("):
        transform_coordinates(CITY, "GCJ-02", "EPSG:4490", points=tuple([(114.9, 30.4)] * 6 + [(1149.0, 30.4)]))
    assert transform_coordinates(CITY, "EPSG:4547", "EPSG:4490", points=tuple(at)).remarks == ()


def test_north_may_stand_first() -> None:
    assert _point("EPSG:4547", "EPSG:4490", (3364799.485, 586489.034), source_order="north-east") == pytest.approx(
        (114.9, 30.4), abs=1e-8
    )
    assert _point("EPSG:4490", "EPSG:4547", (114.9, 30.4), target_order="north-east") == pytest.approx(
        (3364799.485, 586489.034), abs=5e-4
    )


def test_heights_pass_through() -> None:
    assert _point("EPSG:4490", "EPSG:4547", (114.9, 30.4, 23.5))[2] == 23.5


def test_outside_china_nothing_is_shifted_and_it_is_said() -> None:
    made = transform_coordinates(CITY, "WGS84", "GCJ-02", points=((2.35, 48.85), (114.9, 30.4)))
    assert made.points is not None
    assert made.points[0] == (2.35, 48.85)
    assert [remark.en for remark in made.remarks] == ["1 positions outside China are not shifted"]


def test_far_from_a_zone_it_is_remarked() -> None:
    made = transform_coordinates(CITY, "WGS84", "EPSG:4547", points=((87.6, 43.8),))
    assert "far outside the area of use" in made.remarks[0].en


_SHAPES = [
    {"type": "Point", "coordinates": [114.9, 30.4]},
    {"type": "Point", "coordinates": [114.9, 30.4, 23.5]},
    {"type": "MultiPolygon", "coordinates": [[[[114.9, 30.4], [114.91, 30.4], [114.91, 30.41], [114.9, 30.4]]]]},
    {
        "type": "GeometryCollection",
        "geometries": [{"type": "LineString", "coordinates": [[114.9, 30.4], [114.91, 30.4]]}],
    },
]


@pytest.mark.parametrize("shape", _SHAPES, ids=lambda shape: shape["type"])
def test_geometries_of_all_kinds_come_back_as_they_were(shape: dict[str, object]) -> None:
    there = transform_coordinates(CITY, "EPSG:4490", "EPSG:4547", geometry=shape)
    assert there.geometry is not None
    assert there.geometry["type"] == shape["type"]
    back = transform_coordinates(CITY, "EPSG:4547", "EPSG:4490", geometry=there.geometry)
    import shapely

    one, other = (
        shapely.from_geojson(str(shape).replace("'", '"')),
        shapely.from_geojson(str(back.geometry).replace("'", '"')),
    )
    assert np.allclose(
        shapely.get_coordinates(one, include_z=True),
        shapely.get_coordinates(other, include_z=True),
        atol=2e-9,
        equal_nan=True,
    )


@pytest.mark.parametrize("shape", [{}, {"type": "Point"}, {"type": "Point", "coordinates": []}, {"type": "Nonsense"},
                                   {"type": "Point", "coordinates": ["a", "b"]}, {"type": "Polygon", "coordinates": [[[1, 2]]]}])  # fmt: skip
def test_what_is_no_geometry_is_refused(shape: dict[str, object]) -> None:
    with pytest.raises(WrongCoordinates, match="geometry"):
        transform_coordinates(CITY, "EPSG:4490", "EPSG:4547", geometry=shape)


def test_either_points_or_a_geometry() -> None:
    for more in ({}, {"points": ((1.0, 2.0),), "geometry": _SHAPES[0]}):
        with pytest.raises(WrongCoordinates, match="either"):
            transform_coordinates(CITY, "EPSG:4490", "EPSG:4547", **more)  # type: ignore[arg-type]


def test_a_hundred_thousand_positions_take_little() -> None:
    made = transform_coordinates(CITY, "BD-09", "EPSG:4547", points=((114.9, 30.4),) * 100_000)
    assert isinstance(made, TransformedCoordinates)
    assert made.points is not None
    assert len(made.points) == 100_000
