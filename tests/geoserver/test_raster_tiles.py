"""Raster tiles over a running server: against GDAL's own warp, across edges, and as images come and go."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import rasterio
import requests
from PIL import Image
from sqlalchemy import text

from layers.raster.images import remove
from layers.raster.registry import load_coverage
from layers.terrain.elevation import Elevation
from layers.terrain.relief import hillshade
from tests.geoserver.raster_site import HERE, NAMES, RasterSite, decoded, raster_site
from tests.geoserver.workshop import eventually
from tests.layers.raster.conftest import gdal
from tiles.matrix_sets import standard_sets

MERCATOR, DEGREES = standard_sets()["WebMercatorQuad"], standard_sets()["CGCS2000Quad"]


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasterSite]:
    directory = tmp_path_factory.mktemp("raster-tiles")
    with raster_site(postgres_url, template_name, directory, "citymap_raster_tiles") as made:
        yield made


def place_of(grid: Any, z: int, lon: float = 114.9023, lat: float = 30.3985) -> tuple[int, int, int]:
    column, row, _, _ = grid.covering(grid.from_degrees((lon, lat, lon, lat)), z)
    return z, row, column


def address(grid: Any, place: tuple[int, int, int]) -> str:
    return f"{grid.id}/{place[0]}/{place[1]}/{place[2]}"


def warped(site: RasterSite, name: str, grid: Any, place: tuple[int, int, int], kind: str = "bilinear") -> Any:
    """The file on the tile's pixels by gdalwarp: (band, row, column), masked."""
    target = site.directory / f"warped-{name}.tif"
    corners = [str(value) for value in grid.box(*place)]
    gdal("gdalwarp", "-q", "-overwrite", "-t_srs", f"EPSG:{grid.srid}", "-te", *corners, "-ts", 256, 256, "-r", kind,
         "-et", 0, "-ovr", "NONE", "-dstalpha" if name != "heights" else "-q", site.directory / f"{name}.tif", target)  # fmt: skip
    with rasterio.open(target) as file:
        return file.read(masked=name == "heights")


@pytest.mark.parametrize("grid", [MERCATOR, DEGREES], ids=lambda grid: grid.id)
def test_a_tile_shows_what_gdalwarp_puts_on_its_pixels(site: RasterSite, grid: Any) -> None:
    place = place_of(grid, 16)
    picture = site.pixels("imagery", address(grid, place))
    expected = warped(site, "colours", grid, place)
    inside = (expected[4] == 255) & (picture[..., 3] == 255)
    assert inside.sum() > 5000
    assert np.mean((expected[4] > 0) == (picture[..., 3] > 0)) > 0.98
    ours = np.moveaxis(picture[..., :3], -1, 0)[:, inside].astype(int)
    theirs = expected[[2, 1, 0]][:, inside].astype(int)
    # Ours was resampled to the copy's level first.
    assert np.abs(ours - theirs).mean() < 3


@pytest.mark.parametrize("collection", ["imagery", "land-cover", "dem", "hillshade", "slope", "aspect"])
@pytest.mark.parametrize("z", [13, 15, 18])
def test_tiles_meet_without_seams(site: RasterSite, collection: str, z: int) -> None:
    """Four tiles of a level have exactly the pixels of the one above at twice the size."""
    z, y, x = place_of(MERCATOR, z)
    whole = site.pixels(collection, f"WebMercatorQuad/{z}/{y}/{x}", size=512)
    parts = [
        [site.pixels(collection, f"WebMercatorQuad/{z + 1}/{2 * y + down}/{2 * x + right}") for right in (0, 1)]
        for down in (0, 1)
    ]
    joined = np.concatenate([np.concatenate(row, axis=1) for row in parts])
    difference = np.abs(whole.astype(int) - joined)  # of a level of brightness, by rounding
    assert whole[..., 3].any() and difference.max() <= 2, (
        f"{(difference > 2).sum()} differ, {np.argwhere(difference > 2)[:5]}"
    )


def test_hillshade_is_that_of_the_heights(site: RasterSite) -> None:
    place = place_of(MERCATOR, 16)
    picture = site.pixels("hillshade", address(MERCATOR, place))
    west, south, east, north = MERCATOR.box(*place)
    heights = warped(site, "heights", MERCATOR, place)[0]
    transform = rasterio.Affine((east - west) / 256, 0, west, 0, (south - north) / 256, north)
    expected = hillshade(Elevation(np.ma.filled(heights.astype(float), np.nan), transform, 3857))
    inner = (picture[..., 3] == 255) & (expected > 0)
    inner[[0, -1]] = inner[:, [0, -1]] = False
    difference = np.abs(picture[..., 0].astype(int) - expected)[inner]
    assert inner.sum() > 10_000 and np.percentile(difference, 95) <= 4


def test_where_nothing_is_known_a_tile_is_transparent(site: RasterSite) -> None:
    hole = site.pixels("dem", address(MERCATOR, place_of(MERCATOR, 19, *lonlat(site, 55, 55))))
    assert not hole[..., 3].all()
    nowhere = site.tile("imagery", "WebMercatorQuad/16/0/0")
    assert nowhere.headers["Content-Type"] == "image/png" and len(nowhere.content) < 700
    assert not decoded(nowhere.content)[..., 3].any()


def lonlat(_site: RasterSite, column: int, row: int) -> tuple[float, float]:
    from layers.crs import transformer

    x, y = HERE @ (column, row)
    lon, lat = transformer(4547, 4490).transform(x, y)
    return lon, lat


def test_formats_sizes_and_addresses(site: RasterSite) -> None:
    z, y, x = place_of(MERCATOR, 18)
    base = f"WebMercatorQuad/{z}/{y}/{x}"
    inside = site.tile("imagery", base)
    assert inside.headers["Content-Type"] == "image/jpeg" and "Content-Encoding" not in inside.headers
    for name, kind in {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "avif": "AVIF"}.items():
        answer = site.tile("imagery", base, f=name)
        assert answer.headers["Content-Type"] == f"image/{name}"
        assert Image.open(BytesIO(answer.content)).format == kind
        assert site.tile("imagery", f"{base}.{name}").content == answer.content
    assert Image.open(BytesIO(site.tile("imagery", f"{base}@2x.png").content)).size == (512, 512)
    assert Image.open(BytesIO(site.tile("imagery", f"{base}@2x", size=512).content)).size == (1024, 1024)
    assert site.get(f"/collections/imagery/map/tiles/{base}").content == inside.content
    assert site.tile("imagery", base, f="mvt").headers["Content-Type"] == "application/vnd.mapbox-vector-tile"


def test_ndvi_is_worked_out_of_the_bands(site: RasterSite) -> None:
    z, y, x = place_of(MERCATOR, 18)
    place = f"WebMercatorQuad/{z}/{y}/{x}"
    index = site.pixels("imagery", place, expression="(nir-red)/(nir+red)", colormap="grey", rescale="-1,1")
    nir, red = (site.pixels("imagery", place, properties=band)[..., 0].astype(float) for band in ("nir", "red"))
    with np.errstate(all="ignore"):
        expected = ((nir - red) / (nir + red) + 1) / 2 * 255
    known = np.isfinite(expected) & (index[..., 3] == 255)
    assert known.sum() > 30_000 and np.abs(index[..., 0] - expected)[known].max() <= 1
    assert len(np.unique(site.pixels("imagery", place, expression="nir-red", rescale="-255,255")[..., :3])) > 50


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"expression": "__import__('os')"}, "expression"),
        ({"expression": "red**9"}, "expression"),
        ({"expression": "(" * 30 + "red" + ")" * 30}, "expression"),
        ({"expression": "red+" * 60 + "red"}, "expression"),
        ({"expression": "1+1"}, "expression"),
        ({"expression": "exec(red)"}, "exec"),
        ({"expression": "purple/2"}, "purple"),
        ({"expression": "red", "properties": "red"}, "expression"),
        ({"properties": "red,green"}, "properties"),
        ({"properties": "purple"}, "purple"),
        ({"rescale": "9,1"}, "rescale"),
        ({"rescale": "nan,1"}, "rescale"),
        ({"colormap": "rainbow"}, "colormap"),
        ({"size": "4096"}, "size"),
        ({"f": "tiff"}, "f"),
        ({"bogus": "1"}, "bogus"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(site: RasterSite, parameters: Any, named: str) -> None:
    z, y, x = place_of(MERCATOR, 18)
    answer = site.get(f"/collections/imagery/tiles/WebMercatorQuad/{z}/{y}/{x}", **parameters)
    assert answer.status_code == 400 and named in answer.json()["description"]


def test_imports_and_removals_are_in_the_tiles_at_once_and_nowhere_else(site: RasterSite) -> None:
    """An image over the left half: tiles it touches change, those it does not keep their tag; by date the old stays."""
    z = 17
    touched = f"WebMercatorQuad/{z}/{'/'.join(map(str, place_of(MERCATOR, z, *lonlat(site, 20, 100))[1:]))}"
    apart = f"WebMercatorQuad/{z}/{'/'.join(map(str, place_of(MERCATOR, z, *lonlat(site, 280, 100))[1:]))}"
    before = {place: site.tile("imagery", place, f="png") for place in (touched, apart)}
    new = np.full((4, 200, 100), 7, "u1")
    image = site.take("imagery", new, "newer", acquired=datetime(2024, 1, 1, tzinfo=UTC), bands=NAMES)
    begun = time.monotonic()
    eventually(lambda: site.tile("imagery", touched, f="png").content != before[touched].content, seconds=1)
    assert time.monotonic() - begun < 1
    again = site.get(f"/collections/imagery/tiles/{apart}", {"If-None-Match": before[apart].headers["ETag"]}, f="png")
    assert again.status_code == 304
    assert site.tile("imagery", touched, f="png", datetime="2020-01-01/2020-12-31").content == before[touched].content
    with site.database.transaction(actor="test") as conn:
        remove(conn, load_coverage(conn, "imagery"), image)
    eventually(lambda: site.tile("imagery", touched, f="png").content == before[touched].content, seconds=1)


def test_hillshade_is_new_within_a_second_of_new_heights(site: RasterSite) -> None:
    place = address(MERCATOR, place_of(MERCATOR, 17))
    derived = ("hillshade", "slope", "aspect")
    before = {name: site.tile(name, place, f="png").content for name in derived}
    rows, columns = np.mgrid[0:400, 0:600]
    finer = (300 + 25 * np.cos(columns / 9) * np.sin(rows / 9)).astype("f4")
    image = site.take("dem", finer, "finer", HERE @ rasterio.Affine.scale(0.5))
    begun = time.monotonic()
    for name in derived:
        eventually(lambda name=name: site.tile(name, place, f="png").content != before[name], seconds=1)
    assert time.monotonic() - begun < 1.5
    with site.database.transaction(actor="test") as conn:
        remove(conn, load_coverage(conn, "dem"), image)
    for name in derived:
        eventually(lambda name=name: site.tile(name, place, f="png").content == before[name], seconds=1)


def test_a_derived_layer_is_seen_by_those_only_who_see_what_it_is_made_of(site: RasterSite) -> None:
    place = address(MERCATOR, place_of(MERCATOR, 16))
    assert site.tile("hillshade", place).status_code == 200

    def visibility(level: str) -> Callable[[], bool]:
        with site.database.transaction(actor="test") as conn:
            conn.execute(text("UPDATE citymap.layers SET visibility = :v WHERE id = 'dem'"), {"v": level})
        hidden = level != "public"
        return lambda: (site.get(f"/collections/hillshade/tiles/{place}").status_code == 404) == hidden

    try:
        eventually(visibility("internal"), seconds=2)
        assert site.get("/collections/hillshade").status_code == 404
    finally:
        with site.database.transaction(actor="test") as conn:
            # What is derived was closed with its input, and is opened by hand after it.
            for wanted in ("id = 'dem'", "inputs ? 'dem'"):
                conn.execute(text(f"UPDATE citymap.layers SET visibility = 'public' WHERE {wanted}"))
        eventually(lambda: site.get(f"/collections/hillshade/tiles/{place}").status_code == 200, seconds=5)


def test_documents_describe_the_tiles(site: RasterSite) -> None:
    here = "/collections/imagery/tiles"
    listed = site.get(here).json()["tilesets"]
    assert {one["dataType"] for one in listed} == {"map"} and len(listed) == 3
    tileset = site.get(f"{here}/WebMercatorQuad").json()
    assert listed[0]["tileMatrixSetLimits"] == tileset["tileMatrixSetLimits"]
    limits = tileset["tileMatrixSetLimits"][-1]
    item = next(li for li in tileset["links"] if li["rel"] == "item" and li["type"] == "image/webp")["href"]
    deep = item.format(tileMatrix=limits["tileMatrix"], tileRow=limits["minTileRow"], tileCol=limits["minTileCol"])
    assert requests.get(deep, timeout=30).headers["Content-Type"] == "image/webp"
    described = site.get(f"{here}/WebMercatorQuad", f="tilejson").json()
    # Pixels of 2 m: level 16 has 2.06 m at 30.4° N.
    assert described["maxzoom"] == 17 and described["bounds"][0] == pytest.approx(114.9, abs=0.01)
    z, y, x = place_of(MERCATOR, 16)
    assert requests.get(described["tiles"][0].format(z=z, y=y, x=x), timeout=30).ok


def test_the_shape_of_the_ground_comes_as_a_coverage_too(site: RasterSite) -> None:
    """Slope in the image's own CRS against gdaldem on the same file."""
    answer = site.get(
        "/collections/slope/coverage", bbox="3364500,586500,3364640,586700", bbox_crs="http://www.opengis.net/def/crs/EPSG/0/4547",
        crs="http://www.opengis.net/def/crs/EPSG/0/4547", f="GeoTIFF",
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    target = site.directory / "slope.tif"
    gdal("gdaldem", "slope", "-q", "-compute_edges", site.directory / "heights.tif", target)
    with rasterio.open(target) as file:
        expected = file.read(1)[80:150, 50:150]
    (site.directory / "ours.tif").write_bytes(answer.content)
    with rasterio.open(site.directory / "ours.tif") as file:
        ours = file.read(1)
        assert file.descriptions == ("slope",) and file.crs.to_epsg() == 4547
    assert ours.shape == expected.shape and np.abs(ours - expected).max() < 0.01
    assert site.get("/collections/hillshade/coverage", f="PNG", width="100").headers["Content-Type"] == "image/png"


def test_a_legend_tells_the_colours_that_are_drawn(site: RasterSite) -> None:
    classes = {entry["value"]: entry["color"] for entry in site.get("/collections/land-cover/legend").json()["entries"]}
    picture = site.pixels("land-cover", address(MERCATOR, place_of(MERCATOR, 18)))
    drawn = {"#{:02x}{:02x}{:02x}".format(*colour) for colour in np.unique(picture[..., :3].reshape(-1, 3), axis=0)}
    assert drawn <= {classes[10], classes[80]}
    slopes = site.get("/collections/slope/legend").json()["entries"]
    assert [entry["value"] for entry in slopes] == [0, 2, 6, 15, 25, 60] and slopes[1]["label"] == "2 deg"
    assert {entry["shape"] for entry in slopes} == {"ramp"}
    spread = site.get("/collections/dem/legend", colormap="grey", rescale="100,200").json()["entries"]
    assert (spread[0]["value"], spread[0]["color"], spread[-1]["color"]) == (100, "#000000", "#ffffff")
    assert site.get("/collections/buildings/legend").json()["entries"][0]["shape"] == "fill"
