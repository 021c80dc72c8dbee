"""Archives laid into a folder of a running server, made by GDAL's own drivers; and MapLibre drawing them, imagery and
terrain in one page of headless Chromium."""

import gzip
import io
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import requests
import shapely
from PIL import Image
from playwright.sync_api import Browser, Page
from pmtiles.reader import MmapSource, all_tiles

from tests.geoserver.raster_site import HERE, RasterSite, raster_site
from tests.layers.raster.conftest import write_tif
from tests.people import employ
from tiles.matrix_sets import standard_sets

LON, LAT = 114.9023, 30.3985
WEB = standard_sets()["WebMercatorQuad"]
#: Seconds after which what was laid into the folder is served; a loaded machine gets more than the two that are meant.
SOON = 8.0


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasterSite]:
    directory = tmp_path_factory.mktemp("archives-site")
    (directory / "archives" / "internal").mkdir(parents=True)
    more = {"TILES__ARCHIVES": str(directory / "archives"), "ACCESS__PASSWORD__FORCE_FIRST_CHANGE": "false"}
    with raster_site(postgres_url, template_name, directory, "citymap_archives_site", **more) as made:
        with made.database.transaction(actor="test") as conn:
            employ(conn, "clerk", "intake-clerk")
        yield made


def by_gdal(path: Path, name: str = "wells", shift: float = 0.0) -> Path:
    """Forty red wells on a grid about the images, tiled by GDAL into PMTiles or MBTiles."""
    places = [(LON + shift + (n % 8 - 4) * 0.0006, LAT + (n // 8 - 2) * 0.0006) for n in range(40)]
    frame = geopandas.GeoDataFrame({"no": range(40)}, geometry=shapely.points(places), crs=4326)
    driver = {".pmtiles": "PMTiles", ".mbtiles": "MBTiles"}[path.suffix]
    frame.to_file(path, driver=driver, layer=name, engine="pyogrio", dataset_options={"MINZOOM": 10, "MAXZOOM": 15})
    return path


def lay(source: Path, target: Path) -> Path:
    """Into the folder, as a copy does it: the file grows under its name."""
    shutil.copyfile(source, target)
    return target


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < until, "not served in time"
        time.sleep(0.1)


def tile(site: RasterSite, name: str, z: int, x: int, y: int, auth: Any = None) -> requests.Response:
    return requests.get(f"{site.url}/archives/{name}/tiles/WebMercatorQuad/{z}/{y}/{x}", auth=auth, timeout=30)


@pytest.mark.parametrize("suffix", [".pmtiles", ".mbtiles"])
def test_an_archive_of_gdal_is_served_byte_for_byte(site: RasterSite, tmp_path: Path, suffix: str) -> None:
    made = by_gdal(tmp_path / f"wells{suffix}")
    name = f"gdal-{suffix[1:]}"
    laid = lay(made, site.directory / "archives" / f"{name}{suffix}")
    eventually(lambda: site.get(f"/archives/{name}/tiles").status_code == 200)
    if suffix == ".pmtiles":
        with made.open("rb") as file:
            expected = {place: body for place, body in all_tiles(MmapSource(file))}
    else:
        with sqlite3.connect(made) as database:
            rows = database.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles").fetchall()
        expected = {(z, x, 2**z - 1 - y): body for z, x, y, body in rows}
    assert len(expected) >= 6
    for (z, x, y), body in expected.items():
        answer = tile(site, name, z, x, y)
        assert answer.content == gzip.decompress(body) and answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    again = requests.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=30)
    assert again.status_code == 304
    assert tile(site, name, 12, 0, 0).status_code == 204 and tile(site, name, 12, 5000, 0).status_code == 404
    described = site.get(f"/archives/{name}/tiles/WebMercatorQuad", f="tilejson").json()
    assert (described["minzoom"], described["maxzoom"]) == (10, 15)
    assert described["vector_layers"][0]["id"] == "wells"
    tileset = site.get(f"/archives/{name}/tiles").json()["tilesets"][0]
    assert tileset["tileMatrixSetId"] == "WebMercatorQuad" and tileset["tileMatrixSetLimits"][0]["tileMatrix"] == "10"
    # another one takes its place
    other = by_gdal(tmp_path / f"moved{suffix}", shift=0.5)
    lay(other, laid)
    z, x, y = next(iter(place for place in expected if place[0] == 15))
    eventually(lambda: tile(site, name, z, x, y).status_code == 204)  # 503 while the file is being written
    laid.unlink()
    eventually(lambda: site.get(f"/archives/{name}/tiles").status_code == 404)


def test_what_is_for_officials_is_not_shown_to_the_public(site: RasterSite, tmp_path: Path) -> None:
    lay(by_gdal(tmp_path / "x.pmtiles"), site.directory / "archives" / "internal" / "secret.pmtiles")
    z, (x, y) = 14, WEB.covering(WEB.from_degrees((LON, LAT, LON, LAT)), 14)[:2]  # type: ignore[index]
    clerk = ("clerk", "correct horse battery 9!")
    eventually(lambda: tile(site, "secret", z, x, y, clerk).status_code == 200)
    assert tile(site, "secret", z, x, y, clerk).headers["Cache-Control"] == "private, no-cache"
    assert tile(site, "secret", z, x, y).status_code == 404
    assert "secret" not in {one["id"] for one in site.get("/archives").json()["archives"]}
    assert site.get("/archives/secret/tiles").status_code == 404


def test_a_damaged_file_is_not_served_and_hurts_nobody(site: RasterSite, tmp_path: Path) -> None:
    good = by_gdal(tmp_path / "good.pmtiles").read_bytes()
    folder = site.directory / "archives"
    (folder / "cut.pmtiles").write_bytes(good[:200])
    (folder / "noise.mbtiles").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    (folder / "text.tif").write_bytes(b"II*\0" + b"no image" * 100)
    (folder / "good.pmtiles").write_bytes(good)
    (folder / "short.pmtiles").write_bytes(good[: len(good) // 2])  # its directory is whole, its tiles are not
    eventually(lambda: site.get("/archives/good/tiles").status_code == 200)
    for name in ("good", "short"):
        listed = site.get(f"/archives/{name}/tiles").json().get("tilesets", [])
        for limit in listed[0]["tileMatrixSetLimits"] if listed else ():
            place = int(limit["tileMatrix"]), limit["minTileCol"], limit["minTileRow"]
            assert tile(site, name, *place).status_code in (200, 204, 404)
    listed = {one["id"] for one in site.get("/archives").json()["archives"]}
    assert not listed & {"cut", "noise", "text"}


def test_a_geotiff_is_served_in_every_grid_as_gdal_warps_it(site: RasterSite, tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:400, 0:400]
    bands = np.stack([(columns / 2).astype("u1"), (rows / 2).astype("u1"), np.full((400, 400), 90, "u1")])
    write_tif(site.directory / "archives" / "plan.tif", bands, HERE, photometric="RGB")
    eventually(lambda: site.get("/archives/plan/tiles").status_code == 200)
    grids = [one["tileMatrixSetId"] for one in site.get("/archives/plan/tiles").json()["tilesets"]]
    assert grids == ["WebMercatorQuad", "CGCS2000Quad", "WorldCRS84Quad"]
    for grid, z, srs in (("WebMercatorQuad", 16, "EPSG:3857"), ("CGCS2000Quad", 15, "EPSG:4490")):
        here = standard_sets()[grid]
        x, y, _, _ = here.covering(here.from_degrees((LON, LAT, LON, LAT)), z)  # type: ignore[misc]
        answer = site.get(f"/archives/plan/tiles/{grid}/{z}/{y}/{x}")
        assert answer.headers["Content-Type"] == "image/webp"
        shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"), int)
        warped = tmp_path / f"{grid}.tif"
        box = [str(side) for side in here.box(z, y, x)]
        subprocess.run(
            ["gdalwarp", "-q", "-t_srs", srs, "-te", *box, "-ts", "256", "256", "-r", "bilinear", "-dstalpha",
             str(site.directory / "archives" / "plan.tif"), str(warped)],
            check=True,
        )  # fmt: skip
        expected = np.moveaxis(_read(warped), 0, -1).astype(int)
        inside = (expected[..., 3] == 255) & (shown[..., 3] == 255)
        assert inside.mean() > 0.1 and np.abs(shown - expected)[inside].mean() < 4  # WebP is lossy
        assert (inside == (expected[..., 3] == 255)).mean() > 0.99
    assert site.get("/archives/plan/tiles/WebMercatorQuad/16/0/0").status_code == 204


def _read(path: Path) -> Any:
    import rasterio

    with rasterio.open(path) as dataset:
        return dataset.read()


PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>html, body, #map {margin: 0; width: 256px; height: 256px}</style>
<link rel="stylesheet" href="/static/vendor/maplibre-gl.css"><div id="map"></div><script type="module">
import * as maplibre from "/static/vendor/maplibre-gl.mjs";
const here = location.origin;
window.failed = [];
window.map = new maplibre.Map({container: "map", center: [LON, LAT], zoom: 15, attributionControl: false,
  canvasContextAttributes: {preserveDrawingBuffer: true}, fadeDuration: 0,
  style: {version: 8, layers: [{id: "ground", type: "background", paint: {"background-color": "#204060"}}], sources: {
    imagery: {type: "raster", url: here + "/collections/imagery/tiles/WebMercatorQuad?f=tilejson", tileSize: 256},
    dem: {type: "raster-dem", url: here + "/collections/dem/terrain/terrarium", tileSize: 256},
    rgb: {type: "raster-dem", url: here + "/collections/dem/terrain/terrain-rgb", tileSize: 256},
    wells: {type: "vector", url: here + "/archives/wells/tiles/WebMercatorQuad?f=tilejson"}}}});
map.on("error", (event) => failed.push(String(event.error && event.error.message)));
window.show = (layers) => new Promise((done) => {
  for (const {id} of map.getStyle().layers) if (id !== "ground") map.removeLayer(id);
  for (const layer of layers) map.addLayer(layer);
  map.once("idle", () => done(true));
  map.triggerRepaint();
});
window.ready = new Promise((done) => map.once("load", done));
</script>"""


@pytest.mark.browser
def test_maplibre_draws_imagery_terrain_and_an_archive(browser: Browser, site: RasterSite, tmp_path: Path) -> None:
    lay(by_gdal(tmp_path / "wells.pmtiles"), site.directory / "archives" / "wells.pmtiles")
    eventually(lambda: site.get("/archives/wells/tiles").status_code == 200)
    page = browser.new_page(viewport={"width": 256, "height": 256})
    body = PAGE.replace("LON", str(LON)).replace("LAT", str(LAT))
    page.route("**/judge/map", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{site.url}/judge/map")
    page.wait_for_function("window.ready")
    page.evaluate("window.ready")

    page.evaluate('show([{id: "i", type: "raster", source: "imagery", paint: {"raster-fade-duration": 0}}])')
    drawn = shot(page, tmp_path / "imagery.png")
    on_ground = np.abs(drawn - [0x20, 0x40, 0x60]).sum(axis=2) < 6
    assert 0.02 < on_ground.mean() < 0.9  # the image ends within the view
    half = 128 * 360 / 2**15 / 512
    box = WEB.from_degrees((LON - half, LAT, LON + half, LAT))
    middle, side = box[1], (box[2] - box[0]) / 2
    answer = site.get(
        "/collections/imagery/map", bbox=f"{box[0]},{middle - side},{box[2]},{middle + side}",
        bbox_crs="http://www.opengis.net/def/crs/EPSG/0/3857", crs="http://www.opengis.net/def/crs/EPSG/0/3857",
        width=256, height=256, f="png",
    )  # fmt: skip
    expected = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"), int)
    known = (expected[..., 3] == 255) & ~on_ground
    assert known.mean() > 0.1 and (known == (expected[..., 3] == 255)).mean() > 0.97
    assert np.abs(drawn - expected[..., :3])[known].mean() < 12

    for source in ("dem", "rgb"):
        page.evaluate(f'map.setTerrain({{source: "{source}", exaggeration: 1}})')
        page.evaluate(f'show([{{id: "h", type: "hillshade", source: "{source}"}}])')
        relief = shot(page, tmp_path / f"{source}.png")
        assert relief.std(axis=(0, 1)).max() > 8
        for row, column in ((100, 150), (130, 130)):
            lon, lat = position(row, column)
            height = page.evaluate(f"map.queryTerrainElevation([{lon}, {lat}])")
            assert height == pytest.approx(float(site.heights[row, column]), abs=1.5)
        page.evaluate("map.setTerrain(null)")

    page.evaluate("""show([{id: "w", type: "circle", source: "wells", "source-layer": "wells",
        paint: {"circle-color": "#ff0000", "circle-radius": 5}}])""")
    dots = shot(page, tmp_path / "wells.png")
    red = (dots[..., 0] > 200) & (dots[..., 1] < 60)
    found = page.evaluate("map.queryRenderedFeatures({layers: ['w']}).map((f) => f.properties.no)")
    inside = {
        n for n in range(40) if abs((n % 8 - 4) * 0.0006) < half * 0.98 and abs((n // 8 - 2) * 0.0006) < half * 0.8
    }
    assert inside <= set(found)
    assert len(inside) * 45 < red.sum() < 40 * 130
    assert page.evaluate("failed") == []
    page.close()


def shot(page: Page, path: Path) -> Any:
    page.screenshot(path=str(path))
    return np.asarray(Image.open(path).convert("RGB"), int)


def position(row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a cell of the heights."""
    from layers.crs import transformer

    lon, lat = transformer(4547, 4490).transform(586400 + 2 * column + 1, 3364800 - 2 * row - 1)
    return float(lon), float(lat)
