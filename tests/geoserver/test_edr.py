"""OGC API – EDR over a running server: every value against gdallocationinfo, gdaldem and rasterio on the source files."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.mask
import requests
import shapely
from covjson_pydantic.coverage import Coverage
from pyproj import Geod, Transformer
from scipy.spatial import cKDTree

from tests.geoserver.raster_site import RasterSite, raster_site
from tests.layers.raster.conftest import gdal

URI = "http://www.opengis.net/def/crs/EPSG/0/"
#: Of the images: EPSG:4547, two metres; declared north before east.
NATIVE = f"{URI}4547"
HEIGHTS, COLOURS, CODES = (f"{name}.tif" for name in ("heights", "colours", "codes"))


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasterSite]:
    directory: Path = tmp_path_factory.mktemp("edr")
    with raster_site(postgres_url, template_name, directory, f"citymap_edr_{id(directory)}") as found:
        yield found


def ask(site: RasterSite, collection: str, query: str, **params: Any) -> requests.Response:
    answer = site.get(f"/collections/{collection}/{query}", **params)
    assert answer.status_code == 200, answer.text
    return answer


def located(path: Path, points: list[tuple[float, float]]) -> list[list[float]]:
    """gdallocationinfo's values of all bands at points in the file's CRS (east, north)."""
    given = "\n".join(f"{x} {y}" for x, y in points)
    count = rasterio.open(path).count
    out = subprocess.run(
        ["gdallocationinfo", "-valonly", "-geoloc", str(path)], input=given, capture_output=True, text=True, check=True
    )
    # it writes 15 digits, which are those of the file's 32-bit values
    values = [float(np.float32(line)) if line.strip() else np.nan for line in out.stdout.splitlines()]
    return [values[n : n + count] for n in range(0, len(values), count)]


def places(seed: int, count: int) -> list[tuple[float, float]]:
    """Points inside the images, none on the line between two pixels."""
    rng = np.random.default_rng(seed)
    east = 586400 + 2 * (rng.integers(0, 300, count) + rng.uniform(0.05, 0.95, count))
    north = 3364800 - 2 * (rng.integers(0, 200, count) + rng.uniform(0.05, 0.95, count))
    return [(float(round(x, 3)), float(round(y, 3))) for x, y in zip(east, north, strict=True)]


@pytest.mark.parametrize(("collection", "file"), [("dem", HEIGHTS), ("imagery", COLOURS), ("land-cover", CODES)])
def test_values_at_positions_are_those_of_gdallocationinfo(site: RasterSite, collection: str, file: str) -> None:
    points = places(1, 20)
    wkt = f"MULTIPOINT({','.join(f'({y} {x})' for x, y in points)})"
    answer = ask(site, collection, "position", coords=wkt, crs=NATIVE).json()
    assert answer["domain"]["axes"]["composite"]["values"] == [list(point) for point in points]
    got = np.array([r["values"] for r in answer["ranges"].values()], float).T
    expected = np.array(located(site.directory / file, points))
    expected[expected == -9999] = np.nan
    np.testing.assert_array_equal(got, expected[:, : got.shape[1]])


def test_one_position_as_each_representation_in_degrees(site: RasterSite) -> None:
    point = places(2, 1)[0]
    lon, lat = Transformer.from_crs(4547, 4490, always_xy=True).transform(*point)
    [[value]] = located(site.directory / HEIGHTS, [point])
    coords = f"POINT({lon:.12f} {lat:.12f})"
    one = ask(site, "dem", "position", coords=coords)
    assert one.headers["Content-Type"] == "application/prs.coverage+json"
    assert one.json()["domain"]["domainType"] == "Point"
    [name] = one.json()["parameters"]
    assert one.json()["ranges"][name]["values"] == [value]
    feature = ask(site, "dem", "position", coords=coords, f="GeoJSON").json()["features"][0]
    assert feature["properties"] == {name: value}
    head, row = ask(site, "dem", "position", coords=coords, f="CSV").text.splitlines()
    assert (head, float(row.split(",")[2])) == (f"lon,lat,{name}", value)
    seen = ask(site, "imagery", "position", coords=coords).json()["domain"]["axes"]["t"]["values"]
    assert seen == ["2020-05-01T00:00:00Z"]
    nowhere = ask(site, "imagery", "position", coords=coords, datetime="2019-01-01/2019-12-31").json()
    assert all(r["values"] == [None] for r in nowhere["ranges"].values())
    two = ask(site, "imagery", "position", coords=coords, parameter_name="nir,red").json()
    assert list(two["ranges"]) == ["nir", "red"]


def test_hillshade_and_slope_at_positions_are_those_of_gdaldem(site: RasterSite) -> None:
    points = [p for p in places(3, 40) if 586420 < p[0] < 586980 and 3364420 < p[1] < 3364780]
    wkt = f"MULTIPOINT({','.join(f'({y} {x})' for x, y in points)})"
    for collection in ("hillshade", "slope"):
        made = site.directory / f"{collection}.tif"
        gdal("gdaldem", collection, site.directory / HEIGHTS, made)
        answer = ask(site, collection, "position", coords=wkt, crs=NATIVE).json()
        got = np.array(next(iter(answer["ranges"].values()))["values"], float)
        expected = np.array([np.nan if v[0] in (0, -9999) else v[0] for v in located(made, points)])
        there = np.isfinite(expected) & np.isfinite(got)
        assert there.sum() > 20
        np.testing.assert_allclose(got[there], expected[there], atol=1 if collection == "hillshade" else 1e-3)


def test_an_area_holds_the_pixels_that_rasterio_masks(site: RasterSite) -> None:
    ring = [(586450.3, 3364500.7), (586700.9, 3364550.1), (586600.5, 3364760.3)]
    polygon = shapely.Polygon(ring)
    wkt = f"POLYGON(({','.join(f'{y} {x}' for x, y in [*ring, ring[0]])}))"
    answer = ask(site, "dem", "area", coords=wkt, crs=NATIVE).json()
    axes, values = answer["domain"]["axes"], next(iter(answer["ranges"].values()))
    got = np.array(values["values"], float).reshape(values["shape"])
    with rasterio.open(site.directory / HEIGHTS) as file:
        expected, transform = rasterio.mask.mask(file, [polygon], crop=True, filled=False)
    assert (axes["x"]["start"], axes["y"]["start"]) == transform @ (0.5, 0.5)
    np.testing.assert_array_equal(got, expected[0].astype(float).filled(np.nan))
    rows = ask(site, "dem", "area", coords=wkt, crs=NATIVE, f="CSV").text.splitlines()
    assert len(rows) - 1 == int(np.isfinite(got).sum())


def test_a_radius_holds_the_pixels_so_near_on_the_ellipsoid(site: RasterSite) -> None:
    degrees = Transformer.from_crs(4547, 4490, always_xy=True)
    lon, lat = degrees.transform(586700, 3364600)
    asked = dict(coords="POINT(3364600 586700)", crs=NATIVE, within="0.05", within_units="km", f="GeoJSON")
    features = ask(site, "dem", "radius", **asked).json()["features"]
    got = {(f["geometry"]["coordinates"][1], f["geometry"]["coordinates"][0]) for f in features}
    with rasterio.open(site.directory / HEIGHTS) as file:
        rows, columns = np.nonzero(file.read(1) != -9999)
        x, y = (np.array(v) for v in file.xy(rows, columns))
    away = Geod(ellps="GRS80").inv(*degrees.transform(x, y), np.full(len(x), lon), np.full(len(x), lat))[2]
    inside = {(float(a), float(b)) for a, b, d in zip(x, y, away, strict=True) if d < 49.98}
    near = {(float(a), float(b)) for a, b, d in zip(x, y, away, strict=True) if d < 50.02}
    assert inside <= got <= near


def test_a_corridor_holds_the_pixels_so_near_to_its_line_on_the_ellipsoid(site: RasterSite) -> None:
    """Pixels' distances to the nearest of points every decimetre along the line."""
    degrees = Transformer.from_crs(4547, 4490, always_xy=True)
    line = shapely.LineString([(586500, 3364500), (586560, 3364580), (586700, 3364590)])
    wkt = "LINESTRING(" + ",".join(f"{y} {x}" for x, y in line.coords) + ")"
    asked = dict(coords=wkt, crs=NATIVE, corridor_width="0.06", width_units="km", corridor_height=10, height_units="m")
    rows = ask(site, "dem", "corridor", **asked, f="CSV").text.splitlines()[1:]
    got = {(float(x), float(y)): float(value) for x, y, value in (row.split(",") for row in rows)}
    with rasterio.open(site.directory / HEIGHTS) as file:
        heights = file.read(1)
        down, across = np.nonzero(heights != -9999)
        x, y = (np.array(v) for v in file.xy(down, across))
    near = shapely.dwithin(line, shapely.points(x, y), 40)
    x, y, down, across = x[near], y[near], down[near], across[near]
    along = shapely.get_coordinates(shapely.line_interpolate_point(line, np.arange(0, line.length, 0.1)))
    beside = along[cKDTree(along).query(np.column_stack([x, y]))[1]]
    away = Geod(ellps="GRS80").inv(*degrees.transform(x, y), *degrees.transform(*beside.T))[2]
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    inside = {place for place, d in zip(places, away, strict=True) if d < 29.98}
    about = {place for place, d in zip(places, away, strict=True) if d < 30.02}
    assert len(inside) > 1500 and inside <= set(got) <= about
    values = dict(zip(places, heights[down, across].tolist(), strict=True))
    assert all(values[place] == value for place, value in got.items())


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("position", {"coords": "POINT(114.9 30.4)"}),
        ("position", {"coords": "MULTIPOINT((114.9 30.4),(114.901 30.4))"}),
        ("trajectory", {"coords": "LINESTRING(114.9 30.4,114.9005 30.4)"}),
        ("area", {"coords": "POLYGON((114.9 30.399,114.901 30.399,114.901 30.4,114.9 30.399))"}),
        ("cube", {"bbox": "114.9,30.399,114.9005,30.3995"}),
        ("radius", {"coords": "POINT(114.9 30.399)", "within": 20}),
        ("corridor", {"coords": "LINESTRING(114.9 30.399,114.9005 30.399)", "corridor_width": 20}),
    ],
)
def test_coverage_json_is_valid_for_another_reader(site: RasterSite, query: str, params: Any) -> None:
    """covjson-pydantic knows the domain types, the shapes of ranges and what parameters must have."""
    for collection in ("dem", "land-cover", "imagery"):
        read = Coverage.model_validate_json(ask(site, collection, query, **params).content)
        assert read.ranges and read.parameters and set(read.parameters) == set(read.ranges)


def test_a_cube_is_the_box_of_pixels_and_a_trajectory_visits_every_pixel_of_its_line(site: RasterSite) -> None:
    cube = ask(site, "dem", "cube", bbox="3364500,586500,3364540,586560", crs=NATIVE).json()
    values = next(iter(cube["ranges"].values()))
    with rasterio.open(site.directory / HEIGHTS) as file:
        window = rasterio.windows.from_bounds(586500, 3364500, 586560, 3364540, file.transform)
        np.testing.assert_array_equal(np.array(values["values"]).reshape(values["shape"]), file.read(1, window=window))

    line = ask(site, "dem", "trajectory", coords="LINESTRING(3364501 586410.5, 3364501 586500.5)", crs=NATIVE).json()
    points = [(x, y) for x, y in line["domain"]["axes"]["composite"]["values"]]
    assert {int((x - 586400) // 2) for x, _ in points} == set(range(5, 51))
    got = next(iter(line["ranges"].values()))["values"]
    assert got == [row[0] for row in located(site.directory / HEIGHTS, points)]


@pytest.mark.parametrize(
    ("query", "params", "said"),
    [
        ("position", {}, "coords"),
        ("position", {"coords": "POINT(1 2"}, "no WKT"),
        ("position", {"coords": "LINESTRING(114 30, 115 31)"}, "no WKT of POINT"),
        ("position", {"coords": "POINT Z(114.9 30.4 5)"}, "vertical"),
        ("position", {"coords": "POINT(114.9 30.4)", "z": "10"}, "vertical"),
        ("position", {"coords": "POINT(114.9 30.4)", "parameter_name": "sulphur"}, "sulphur"),
        ("position", {"coords": "POINT(214.9 30.4)"}, "range"),
        ("area", {"coords": "POLYGON((114 30, 115 31, 115 30, 114 31, 114 30))"}, "not valid"),
        ("cube", {"bbox": "115,30,114,31"}, "area"),
        ("radius", {"coords": "POINT(114.9 30.4)", "within": "-5"}, "distance"),
        ("corridor", {"coords": "LINESTRING(114.9 30.4,115 30.4)"}, "corridor-width"),
        ("corridor", {"coords": "LINESTRING(114.9 30.4,119 30.4)", "corridor_width": "5"}, "150 km"),
        ("corridor", {"coords": "LINESTRING(114.9 30.4,115 30.4)", "corridor_width": "5", "width_units": "li"}, "width-units"),
        ("position", {"coords": "POINT(114.9 30.4)", "f": "grib"}, "CoverageJSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(site: RasterSite, query: str, params: Any, said: str) -> None:
    answer = site.get(f"/collections/dem/{query}", **params)
    assert answer.status_code == 400
    assert said in answer.json()["description"]


def test_collections_tell_their_queries_parameters_and_times(site: RasterSite) -> None:
    document = site.get("/collections/imagery", f="json").json()
    assert set(document["data_queries"]) == {"position", "area", "cube", "trajectory", "radius", "corridor"}
    assert document["extent"]["temporal"]["interval"] == [["2020-05-01T00:00:00Z", "2020-05-01T00:00:00Z"]]
    listed = {one["id"]: one for one in site.get("/collections", f="json").json()["collections"]}
    assert listed["imagery"]["extent"] == document["extent"]
    assert "temporal" not in listed["buildings"]["extent"]
    dem = listed["dem"]["parameter_names"]
    assert [band["unit"]["symbol"]["value"] for band in dem.values()] == ["m"]
    for query in document["data_queries"].values():
        template = query["link"]["href"].removeprefix(site.url)
        filled = template.format(**{
            "coords": {"area": "POLYGON((1 1,2 1,2 2,1 1))", **dict.fromkeys(("trajectory", "corridor"), "LINESTRING(1 1,1.0001 1)")}.get(
                query["link"]["title"], "POINT(1 1)"
            ),
            "bbox": "1,1,1.0001,1.0001", "within": "5", "within-units": "m", "corridor-width": "5", "width-units": "m", "corridor-height": "1",
            "height-units": "m",
        })  # fmt: skip
        assert site.get(filled).status_code in (200, 404), filled  # 404: no image lies there
    assert site.get("/collections/buildings/position", coords="POINT(114.9 30.4)").status_code == 404
    classes = site.get("/conformance", f="json").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/core" in classes
