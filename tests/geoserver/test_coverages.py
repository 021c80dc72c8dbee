"""OGC API – Coverages over a running server: pixels against the files they came from, and against gdalwarp."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import requests
from affine import Affine
from rasterio.io import MemoryFile
from sqlalchemy import text

from layers.database import Database
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.workshop import eventually
from tests.layers.raster.conftest import gdal, write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)
URI = "http://www.opengis.net/def/crs/EPSG/0/"


class Coverages:
    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory = url, directory
        self.database: Database
        rows, columns = np.mgrid[0:200, 0:300]
        self.heights = (100 + 30 * np.sin(columns / 30) + 20 * np.cos(rows / 20)).astype("f4")
        self.heights[50:60, 50:60] = -9999
        self.old, self.new = (
            np.full((4, 100, 100), 900, "u2"),
            np.random.default_rng(3).integers(100, 3000, (4, 100, 100), dtype="u2"),
        )
        self.codes = np.where(columns[:100, :100] < 50, 10, 80).astype("u1")

    def get(self, collection: str, **params: Any) -> requests.Response:
        return requests.get(
            f"{self.url}/collections/{collection}/coverage",
            params={k.replace("_", "-"): v for k, v in params.items()},
            timeout=60,
        )

    def tif(self, collection: str, **params: Any) -> tuple[Any, Any]:
        answer = self.get(collection, **params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "image/tiff; application=geotiff"
        with MemoryFile(answer.content) as memory, memory.open() as file:
            return file.read(masked=True), dict(
                file.profile, bounds=file.bounds, bands=file.descriptions, units=file.units
            )


@pytest.fixture(scope="module")
def coverages(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coverages]:
    directory = tmp_path_factory.mktemp("coverages")
    name = "citymap_coverages"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=1)
    with serve(url, RASTERS__DIRECTORY=str(directory / "rasters")) as base:
        made = Coverages(base, directory)
        names = ("blue", "green", "red", "nir")
        files = (
            (
                "dem",
                write_tif(directory / "dem.tif", made.heights, HERE, nodata=-9999),
                ImageOptions(vertical_datum="1985"),
            ),
            (
                "imagery",
                write_tif(directory / "old.tif", made.old, HERE),
                ImageOptions(acquired=datetime(2010, 5, 1, tzinfo=UTC), bands=names),
            ),
            (
                "imagery",
                write_tif(directory / "new.tif", made.new, HERE),
                ImageOptions(acquired=datetime(2020, 5, 1, tzinfo=UTC), bands=names),
            ),
            ("land-cover", write_tif(directory / "codes.tif", made.codes, HERE), ImageOptions()),
        )
        with database.transaction(actor="test") as conn:
            for coverage, path, options in files:
                import_images(
                    conn,
                    RasterStore(directory / "rasters"),
                    load_coverage(conn, coverage),
                    path,
                    options,
                    lambda *_: None,
                )
        for _ in range(100):
            if requests.get(f"{base}/collections/imagery", timeout=10).json()["extent"]["spatial"]["bbox"][0][0] > 100:
                break
        made.database = database
        yield made
    database.close()
    drop_database(postgres_url, name)


BOX = dict(bbox="586420,3364700,586480,3364780", bbox_crs="EPSG:4547", crs="EPSG:4547")


def test_native_pixels_are_answered_unchanged(coverages: Coverages) -> None:
    """EPSG:4547 has the northing first."""
    box = dict(BOX, bbox="3364700,586420,3364780,586480")
    values, profile = coverages.tif("dem", **box)
    assert np.ma.allequal(values[0], np.ma.masked_equal(coverages.heights[10:50, 10:40], -9999))
    assert profile["bounds"] == (586420, 3364700, 586480, 3364780) and profile["crs"].to_epsg() == 4547
    assert profile["bands"] == ("elevation",) and profile["units"] == ("m",)
    # A box between pixels is widened to them; one with a hole is masked there.
    values, profile = coverages.tif("dem", **dict(box, bbox="3364675,586499,3364701,586525.5"))
    assert profile["bounds"] == (586498, 3364674, 586526, 3364702)
    assert np.array_equal(values.mask[0], coverages.heights[49:63, 49:63] == -9999) and values.mask.any()


def test_the_newest_image_is_answered_and_datetime_picks_others(coverages: Coverages) -> None:
    whole = dict(crs="EPSG:4547", bbox_crs="EPSG:4547", bbox="3364600,586400,3364800,586600")
    assert np.array_equal(coverages.tif("imagery", **whole)[0].data, coverages.new)
    for time in (
        dict(datetime="2010-05-01"),
        dict(datetime="../2015-01-01"),
        dict(subset=None, datetime="2010-01-01/2011-01-01"),
    ):
        assert np.array_equal(
            coverages.tif("imagery", **whole, **{k: v for k, v in time.items() if v})[0].data, coverages.old
        )
    subset = dict(
        crs="EPSG:4547", subset_crs="EPSG:4547", subset='E(586400:586600),N(3364600:3364800),time("2010-05-01")'
    )
    assert np.array_equal(coverages.tif("imagery", **subset)[0].data, coverages.old)
    values, profile = coverages.tif("imagery", **whole, properties="nir,red")
    assert np.array_equal(values.data, coverages.new[[3, 2]]) and profile["bands"] == ("nir", "red")


def test_reprojected_answers_equal_gdalwarp(coverages: Coverages, tmp_path: Path) -> None:
    values, profile = coverages.tif("dem", bbox="114.8995,30.398,114.904,30.4005", width=120, height=80)
    assert (profile["width"], profile["height"], profile["crs"].to_epsg()) == (120, 80, 4326)
    theirs = tmp_path / "theirs.tif"
    gdal(
        "gdalwarp",
        "-q",
        "-t_srs",
        "EPSG:4326",
        "-te",
        *profile["bounds"],
        "-ts",
        120,
        80,
        "-r",
        "bilinear",
        coverages.directory / "dem.tif",
        theirs,
    )
    with rasterio.open(theirs) as warped:
        expected = warped.read(1, masked=True)
    both = ~np.ma.getmaskarray(values[0]) & ~np.ma.getmaskarray(expected)
    assert both.mean() > 0.6 and np.abs(values[0] - expected)[both].max() < 1


def test_scaling_by_factor_axes_and_size(coverages: Coverages) -> None:
    box = dict(crs="EPSG:4547", bbox_crs="EPSG:4547", bbox="3364600,586400,3364800,586600")
    sizes = {
        "scale_factor=2": (50, 50), "scale_factor=0.5": (200, 200), "scale_axes=E(2),N(4)": (50, 25), "scale_axes=N(4)": (100, 25),
        "scale_size=E(30),N(20)": (30, 20), "scale_size=E(30)": (30, 30), "width=40": (40, 40), "height=10": (10, 10), "x=": (100, 100),
    }  # fmt: skip
    for scale, (width, height) in sizes.items():
        name, _, value = scale.partition("=")
        _, profile = coverages.tif("imagery", **box, **({name: value} if value else {}))
        assert (profile["width"], profile["height"]) == (width, height), scale
        assert profile["bounds"] == (586400, 3364600, 586600, 3364800)


def test_coverage_json_tells_the_same_values(coverages: Coverages) -> None:
    answer = coverages.get("dem", **dict(BOX, bbox="3364675,586499,3364701,586525.5"), f="CoverageJSON")
    assert answer.headers["Content-Type"] == "application/prs.coverage+json"
    assert answer.headers["Content-Crs"] == f"<{URI}4547>"
    document = answer.json()
    assert document["domain"]["axes"]["x"] == {"start": 586499, "stop": 586525, "num": 14}
    assert document["domain"]["axes"]["y"] == {"start": 3364701, "stop": 3364675, "num": 14}
    assert document["domain"]["referencing"][0] == {
        "coordinates": ["y", "x"],
        "system": {"type": "ProjectedCRS", "id": f"{URI}4547"},
    }
    found = document["ranges"]["elevation"]
    assert (found["shape"], found["axisNames"], found["dataType"]) == ([14, 14], ["y", "x"], "float")
    expected = [None if v == -9999 else float(v) for v in coverages.heights[49:63, 49:63].ravel()]
    assert [v if v is None else np.float32(v) for v in found["values"]] == expected
    assert document["parameters"]["elevation"]["unit"]["symbol"]["value"] == "m"
    classes = coverages.get("land-cover", crs="EPSG:4547", f="coveragejson").json()["parameters"]["class"]
    assert classes["categoryEncoding"]["class/80"] == 80


def test_pictures_are_stretched_by_the_stored_percentiles(coverages: Coverages) -> None:
    whole = dict(crs="EPSG:4547", bbox_crs="EPSG:4547", bbox="3364600,586400,3364800,586600", f="PNG")
    answer = coverages.get("imagery", **whole)
    assert answer.headers["Content-Type"] == "image/png"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        MemoryFile(answer.content) as memory,
        memory.open() as file,
    ):
        picture = file.read()
    assert picture.shape == (4, 100, 100) and (picture[3] == 255).all()
    for n, band in enumerate((2, 1, 0)):
        low, high = np.percentile(coverages.new[band], (2, 98))
        expected = np.clip((coverages.new[band] - low) / (high - low) * 255, 0, 255).astype("u1")
        assert np.array_equal(picture[n], expected)
    for collection in ("dem", "land-cover"):
        content = coverages.get(collection, f="png", width=50).content
        with (
            pytest.warns(rasterio.errors.NotGeoreferencedWarning),
            MemoryFile(content) as memory,
            memory.open() as file,
        ):
            assert file.count == 4 and len(np.unique(file.read(1))) > 1
    assert coverages.get("imagery", **whole, properties="nir,red").status_code == 400


def test_the_default_is_the_whole_coverage_in_crs84(coverages: Coverages) -> None:
    values, profile = coverages.tif("dem")
    assert profile["crs"].to_epsg() == 4326 and values.count() > 0
    # Pixels are as large on the ground as the image's: 2 m.
    assert abs(profile["transform"].e) * 111_000 == pytest.approx(2, rel=0.01)
    answer = coverages.get("dem")
    west, south, east, north = map(float, answer.headers["Content-Bbox"].split(","))
    assert (west, south, east, north) == pytest.approx(tuple(profile["bounds"]), abs=1e-8)


def test_collections_schema_conformance_and_openapi_know_coverages(coverages: Coverages) -> None:
    collection = requests.get(f"{coverages.url}/collections/dem", timeout=30).json()
    links = [link for link in collection["links"] if link["rel"].endswith("/coverage")]
    assert {link["type"] for link in links} == {
        "image/tiff; application=geotiff",
        "application/prs.coverage+json",
        "image/png",
    }
    for link in links:
        assert requests.get(link["href"], params={"width": 10}, timeout=30).status_code == 200
    assert collection["extent"]["spatial"]["bbox"][0][0] == pytest.approx(114.9, abs=0.1)
    schema = requests.get(f"{coverages.url}/collections/dem/schema", timeout=30).json()
    assert schema["properties"] == {
        "elevation": {
            "title": "高程",
            "type": "number",
            "x-ogc-unit": "m",
            "x-ogc-unitLang": "UCUM",
            "x-ogc-propertySeq": 1,
        }
    }
    assert set(requests.get(f"{coverages.url}/collections/imagery/schema", timeout=30).json()["properties"]) == {
        "blue",
        "green",
        "red",
        "nir",
    }
    assert (
        "properties"
        in requests.get(f"{coverages.url}/collections/dem/schema?f=geojson", timeout=30).json()["properties"]
    )
    assert (
        requests.get(f"{coverages.url}/collections/dem/schema", headers={"Accept": "text/html"}, timeout=30)
        .headers["Content-Type"]
        .startswith("text/html")
    )
    classes = requests.get(f"{coverages.url}/conformance", timeout=30).json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/core" in classes
    paths = requests.get(f"{coverages.url}/openapi", timeout=30).json()["paths"]
    assert "/collections/dem/coverage" in paths and "/collections/roads/coverage" not in paths
    footprints = requests.get(
        f"{coverages.url}/collections/imagery/items", params={"datetime": "2020-05-01"}, timeout=30
    ).json()
    assert [f["properties"]["name"] for f in footprints["features"]] == ["new"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (dict(f="netcdf"), "choose one of GeoTIFF, CoverageJSON, PNG"),
        (dict(bbox="1,2,3"), "takes 4"),
        (dict(bbox="114,30,115,31", subset="Lat(30:31)"), "beside bbox"),
        (dict(subset="Lat(31:30)"), "has no length"),
        (dict(subset="Height(1:2)"), "unknown or named twice"),
        (dict(subset="Lat(30:31"), "is not like Lat"),
        (dict(subset="Lat(30:31),Lat(30:31)"), "named twice"),
        (dict(subset="Lat(nan:inf)"), "has no length"),
        (dict(scale_factor="0"), "is no factor"),
        (dict(scale_factor="2", width="5"), "scale by one of them"),
        (dict(scale_factor="0.001"), "bound"),
        (dict(width="100000", height="100000"), "bound"),
        (dict(width="3000", height="3000", f="CoverageJSON"), "samples are the bound of CoverageJSON"),
        (dict(width="0"), "at least 1"),
        (dict(properties="swir"), "no band 'swir'"),
        (dict(crs="EPSG:32650"), "not offered here"),
        (dict(datetime="yesterday"), "no date or instant"),
        (dict(unknown="1"), "not known here"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(
    coverages: Coverages, params: dict[str, str], message: str
) -> None:
    answer = coverages.get("imagery", **params)
    assert answer.status_code == 400, answer.status_code
    assert message in answer.json()["description"]


def test_places_and_times_without_an_image(coverages: Coverages) -> None:
    assert coverages.get("imagery", bbox="10,10,11,11").status_code == 404
    assert coverages.get("imagery", datetime="1999-01-01").status_code == 404
    assert coverages.get("drg").status_code == 404
    assert coverages.get("roads").status_code == 404
    assert coverages.get("nothing").status_code == 404
    values, _ = coverages.tif("dem", bbox="10,10,11,11", width=5)
    assert values.mask.all()


def test_the_past_is_read_as_of_an_instant(coverages: Coverages) -> None:
    assert coverages.get("dem", as_of="2020-01-01T00:00:00Z", width=5).status_code == 200
    values, _ = coverages.tif("dem", as_of="2020-01-01T00:00:00Z", width=5)
    assert values.mask.all()
    assert coverages.get("imagery", as_of="2020-01-01T00:00:00Z", width=5).status_code == 404


def test_a_coverage_that_is_not_public_does_not_exist_for_the_public(coverages: Coverages) -> None:
    def publish(visibility: str) -> None:
        with coverages.database.transaction() as conn:
            conn.execute(text("UPDATE citymap.layers SET visibility = :v WHERE id = 'land-cover'"), {"v": visibility})

    assert coverages.get("land-cover", width=5).status_code == 200
    publish("internal")
    try:
        eventually(lambda: coverages.get("land-cover", width=5).status_code == 404, 20)
        eventually(lambda: "there is no collection" in coverages.get("land-cover", width=5).text, 20)
    finally:
        publish("public")
