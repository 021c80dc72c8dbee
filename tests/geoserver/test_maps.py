"""OGC API Maps, WMTS and WMS over a running server: the styles' colours, and what other people's clients read."""

import re
import subprocess
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
import requests
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService
from PIL import Image
from sqlalchemy import text

from geoserver.web.palette import LIGHT
from tests.geoserver.raster_site import RasterSite, decoded, raster_site
from tests.geoserver.workshop import eventually
from tests.layers.raster.conftest import gdal
from tiles.matrix_sets import standard_sets

#: A square of 0.01° with a lake in its western half, a school east of it and a road from west to east.
WEST, SOUTH, EAST, NORTH = 114.90, 30.39, 114.91, 30.40
BOX = f"{WEST},{SOUTH},{EAST},{NORTH}"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasterSite]:
    with raster_site(postgres_url, template_name, tmp_path_factory.mktemp("maps"), "citymap_maps") as made:
        with made.database.transaction(actor="test") as conn:
            for statement in (
                "INSERT INTO city.water (geom, name) VALUES (ST_Multi(ST_MakeEnvelope(114.90, 30.39, 114.905, 30.40, 4490)), '东湖')",
                "INSERT INTO city.buildings (geom, name, use) VALUES (ST_Multi(ST_MakeEnvelope(114.907, 30.394, 114.909, 30.396, 4490)), '一小', 'school')",
                "INSERT INTO city.roads (geom, name, class) VALUES (ST_GeomFromText('LINESTRING(114.89 30.392, 114.92 30.392)', 4490), '中山路', 'primary')",
            ):
                conn.execute(text(statement))
        eventually(lambda: made.get("/collections/roads").json()["extent"]["spatial"]["bbox"][0][0] > 100)
        yield made


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def at(picture: Any, lon: float, lat: float) -> tuple[int, ...]:
    rows, columns = picture.shape[:2]
    column, row = (lon - WEST) / (EAST - WEST) * columns, (NORTH - lat) / (NORTH - SOUTH) * rows
    return tuple(int(v) for v in picture[int(row), int(column)])


def test_a_map_has_the_colours_of_the_style(site: RasterSite) -> None:
    answer = site.get("/styles/city/map", bbox=BOX, width=800, f="png", collections="water,buildings,roads")
    picture = decoded(answer.content)
    assert picture.shape == (800, 800, 4)
    style = requests.get(f"{site.url}/styles/city", timeout=30).json()
    water = next(part for part in style["layers"] if part["id"] == "water")["paint"]["fill-color"]
    assert at(picture, 114.9025, 30.397) == (*rgb(water), 255)
    assert at(picture, 114.9075, 30.3945) == (*rgb(LIGHT.building["school"]), 255)
    assert at(picture, 114.9095, 30.392) == (*rgb(LIGHT.road["primary"]), 255)
    assert at(picture, 114.906, 30.398)[3] == 0
    opaque = site.get("/styles/city/map", bbox=BOX, width=800, f="png", collections="water", bgcolor="0x102030")
    assert at(decoded(opaque.content), 114.906, 30.398) == (16, 32, 48, 255)
    alone = decoded(site.get("/collections/water/map", bbox=BOX, width=800, f="png").content)
    assert at(alone, 114.9025, 30.397) == (*rgb(water), 255) and at(alone, 114.9075, 30.3945)[3] == 0


def test_names_are_written(site: RasterSite) -> None:
    shown = {"bbox": BOX, "width": 800, "f": "png", "collections": "roads"}
    named = decoded(site.get("/styles/city/map", **shown).content)
    dark = (named[..., :3].astype(int).sum(axis=-1) < 480) & (named[..., 3] > 200)
    rows = np.flatnonzero(dark.any(axis=1))
    # 中山路 stands on its road at 30.392° N, which is row 640.
    assert dark.sum() > 60 and abs(rows.mean() - 640) < 12


def test_maps_keep_to_their_place_in_every_system(site: RasterSite) -> None:
    """The school's corner is where PROJ puts it, whatever CRS the map is in, axes as EPSG has them."""
    from layers.crs import transformer

    for code in (3857, 4490, 4547):
        answer = site.get(
            "/collections/buildings/map", bbox=BOX, crs=f"{EPSG}{code}", width=1000, f="png", bbox_crs="http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        )  # fmt: skip
        assert answer.headers["Content-Crs"] == f"<{EPSG}{code}>"
        corners = [float(part) for part in answer.headers["Content-Bbox"].split(",")]
        west, south, east, north = corners if code == 3857 else (corners[1], corners[0], corners[3], corners[2])
        picture = decoded(answer.content)
        drawn = np.argwhere(picture[..., 3] > 128)
        x, y = transformer(4490, code).transform(114.908, 30.395)
        column, row = (x - west) / (east - west) * picture.shape[1], (north - y) / (north - south) * picture.shape[0]
        assert drawn.mean(axis=0) == pytest.approx((row, column), abs=3)


def test_coverages_lie_below_features(site: RasterSite) -> None:
    picture = decoded(
        site.get("/styles/city/map", bbox=BOX, width=500, f="png", collections="water,hillshade,imagery").content
    )
    assert at(picture, 114.9005, 30.3925) == (*rgb(LIGHT.water), 255)
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 50


def test_map_tiles_are_new_after_an_edit(site: RasterSite) -> None:
    z, y, x = (
        16,
        *standard_sets()["WebMercatorQuad"].covering(
            standard_sets()["WebMercatorQuad"].from_degrees((114.908, 30.395, 114.908, 30.395)), 16
        )[1::-1],
    )
    place = f"/collections/buildings/map/tiles/WebMercatorQuad/{z}/{y}/{x}"
    before = site.get(place)
    assert site.get(place, {"If-None-Match": before.headers["ETag"]}).status_code == 304
    with site.database.transaction(actor="test") as conn:
        conn.execute(text("UPDATE city.buildings SET use = 'hospital'"))
    eventually(lambda: site.get(place).content != before.content, seconds=1)
    with site.database.transaction(actor="test") as conn:
        conn.execute(text("UPDATE city.buildings SET use = 'school'"))
    eventually(lambda: site.get(place).content == before.content, seconds=1)


def test_owslib_reads_wmts(site: RasterSite) -> None:
    wmts = WebMapTileService(f"{site.url}/wmts")
    assert {"city", "imagery", "buildings", "hillshade"} <= set(wmts.contents)
    assert set(wmts.tilematrixsets) == {"WebMercatorQuad", "CGCS2000Quad", "WorldCRS84Quad"}
    matrix = wmts.tilematrixsets["CGCS2000Quad"].tilematrix["13"]
    assert matrix.topleftcorner == (90.0, -180.0)
    row, column = int((90 - 30.395) / (180 / 2**13)), int((114.905 + 180) / (180 / 2**13))
    tile = wmts.gettile(
        layer="water", tilematrixset="CGCS2000Quad", tilematrix="13", row=row, column=column, format="image/png"
    )
    assert (decoded(tile.read())[..., :3] == rgb(LIGHT.water)).all(axis=-1).any()
    rest = WebMapTileService(f"{site.url}/wmts/1.0.0/WMTSCapabilities.xml")
    template = next(u["template"] for u in rest.contents["water"].resourceURLs if u["format"] == "image/png")
    address = re.sub(
        r"{(\w+)}",
        lambda m: {
            "style": "default",
            "TileMatrixSet": "CGCS2000Quad",
            "TileMatrix": "13",
            "TileRow": str(row),
            "TileCol": str(column),
        }[m[1]],
        template,
    )
    assert requests.get(address, timeout=30).headers["Content-Type"] == "image/png"
    told = wmts.getfeatureinfo  # owslib asks by key and value
    assert told
    info = requests.get(f"{site.url}/wmts/water/default/CGCS2000Quad/13/{row}/{column}/128/2.json", timeout=30).json()
    assert info["type"] == "FeatureCollection"


def test_tianditu_speaks_as_its_clients_do(site: RasterSite) -> None:
    grid = standard_sets()["CGCS2000Quad"]
    column, row, _, _ = grid.covering((114.9025, 30.395, 114.9025, 30.395), 12)
    asked = dict(SERVICE="WMTS", REQUEST="GetTile", VERSION="1.0.0", LAYER="water", STYLE="default", FORMAT="tiles",
                 TILEMATRIXSET="c", TILEMATRIX=13, TILEROW=row, TILECOL=column)  # fmt: skip
    answer = requests.get(f"{site.url}/wmts/tianditu", asked, timeout=30)
    same = site.get(f"/collections/water/map/tiles/CGCS2000Quad/12/{row}/{column}")
    assert answer.headers["Content-Type"] == "image/png" and np.array_equal(
        decoded(answer.content), decoded(same.content)
    )
    assert requests.get(f"{site.url}/wmts/tianditu", {**asked, "TILEMATRIX": 0}, timeout=30).status_code == 404
    found = WebMapTileService(f"{site.url}/wmts/tianditu").tilematrixsets
    assert set(found) == {"c", "w"} and "1" in found["c"].tilematrix and "0" not in found["w"].tilematrix
    assert (found["c"].tilematrix["1"].matrixwidth, found["w"].tilematrix["1"].matrixwidth) == (2, 2)
    # As 天地图 itself publishes them.
    assert found["c"].tilematrix["1"].scaledenominator == pytest.approx(2.958293554545656e8, rel=1e-4)
    mercator = standard_sets()["WebMercatorQuad"]
    column, row, _, _ = mercator.covering(mercator.from_degrees((114.9025, 30.395, 114.9025, 30.395)), 15)
    square = requests.get(
        f"{site.url}/wmts/tianditu",
        {**asked, "TILEMATRIXSET": "w", "TILEMATRIX": 15, "TILEROW": row, "TILECOL": column},
        timeout=30,
    )
    assert (decoded(square.content)[..., :3] == rgb(LIGHT.water)).all(axis=-1).sum() > 1000


def test_gdal_reads_wmts_and_wms(site: RasterSite) -> None:
    cached = ("--config", "GDAL_DEFAULT_WMS_CACHE_PATH", site.directory / "gdal-cache")
    target = site.directory / "by-wmts.tif"
    gdal("gdal_translate", *cached, "-q", "-projwin", WEST, NORTH, EAST, SOUTH, "-outsize", 300, 300,
         f"WMTS:{site.url}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities,layer=water,tilematrixset=WorldCRS84Quad", target)  # fmt: skip
    with rasterio.open(target) as file:
        assert tuple(file.read()[:3, 40, 75]) == rgb(LIGHT.water)
    target = site.directory / "by-wms.tif"
    gdal("gdal_translate", *cached, "-q", "-projwin", WEST, NORTH, EAST, SOUTH, "-outsize", 300, 300,
         f"WMS:{site.url}/wms?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=water&SRS=EPSG:4326&BBOX={BOX}&FORMAT=image/png", target)  # fmt: skip
    with rasterio.open(target) as file:
        assert tuple(file.read()[:3, 40, 75]) == rgb(LIGHT.water)


def test_owslib_reads_wms(site: RasterSite) -> None:
    for version, system, box in (
        ("1.3.0", "EPSG:4326", (WEST, SOUTH, EAST, NORTH)),
        ("1.3.0", "CRS:84", (WEST, SOUTH, EAST, NORTH)),
        ("1.1.1", "EPSG:4326", (WEST, SOUTH, EAST, NORTH)),
    ):
        wms = WebMapService(f"{site.url}/wms", version=version)
        assert {"city", "imagery", "water"} <= set(wms.contents)
        answer = wms.getmap(
            layers=["water"], srs=system, bbox=box, size=(400, 400), format="image/png", transparent=True
        )
        assert at(decoded(answer.read()), 114.9025, 30.397) == (*rgb(LIGHT.water), 255)
        told_of = wms.contents["buildings"].styles["default"]
        entries = site.get("/collections/buildings/legend").json()["entries"]
        legend = decoded(requests.get(told_of["legend"], timeout=30).content)
        assert len(entries) > 5 and legend.shape == (22 * len(entries), 220, 4)
        height = len(legend) // len(entries)
        for n, entry in enumerate(entries):  # a swatch of each colour, and a name beside it
            assert tuple(legend[n * height + height // 2, 15]) == (*rgb(entry["color"]), 255)
            assert legend[n * height : (n + 1) * height, 40:, 3].any()
    told = WebMapService(f"{site.url}/wms", version="1.3.0").getfeatureinfo(
        layers=["water", "dem"], srs="CRS:84", bbox=(WEST, SOUTH, EAST, NORTH), size=(400, 400), format="image/png",
        query_layers=["water", "dem"], info_format="application/json", xy=(60, 300), feature_count=9,
    )  # fmt: skip
    import json

    names = [feature["layer"] for feature in json.loads(told.read())["features"]]
    assert "water" in names


def test_what_lies_under_a_point_of_a_coverage_is_its_value(site: RasterSite) -> None:
    lon, lat = 114.9023, 30.3985
    box = f"{lon - 5e-6},{lat - 5e-6},{lon + 5e-6},{lat + 5e-6}"
    asked = dict(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetFeatureInfo", LAYERS="dem", QUERY_LAYERS="dem,hillshade,land-cover",
                 CRS="CRS:84", BBOX=box, WIDTH=1, HEIGHT=1, I=0, J=0, FEATURE_COUNT=5, INFO_FORMAT="application/json")  # fmt: skip
    found = {f["layer"]: f["properties"] for f in requests.get(f"{site.url}/wms", asked, timeout=30).json()["features"]}
    with rasterio.open(site.directory / "heights.tif") as file:
        from layers.crs import transformer

        [expected] = next(file.sample([transformer(4490, 4547).transform(lon, lat)]))
    assert found["dem"]["elevation"] == pytest.approx(float(expected), abs=1.5)
    assert 0 < found["hillshade"]["hillshade"] <= 255 and found["land-cover"]["class"] in (10, 80)


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("/wms", {"REQUEST": "GetMap"}, 400),
        ("/wms", {"REQUEST": "GetMap", "VERSION": "1.3.0", "LAYERS": "nothing", "CRS": "CRS:84", "BBOX": BOX, "WIDTH": 9, "HEIGHT": 9, "FORMAT": "image/png"}, 404),
        ("/wms", {"REQUEST": "GetMap", "VERSION": "1.3.0", "LAYERS": "water", "CRS": "EPSG:99999", "BBOX": BOX, "WIDTH": 9, "HEIGHT": 9, "FORMAT": "image/png"}, 400),
        ("/wms", {"REQUEST": "GetMap", "VERSION": "1.3.0", "LAYERS": "water", "CRS": "CRS:84", "BBOX": "1,1,1,<x>", "WIDTH": 9, "HEIGHT": 9, "FORMAT": "image/png"}, 400),
        ("/wms", {"REQUEST": "GetMap", "VERSION": "1.3.0", "LAYERS": "water", "CRS": "CRS:84", "BBOX": BOX, "WIDTH": 99999, "HEIGHT": 9, "FORMAT": "image/png"}, 400),
        ("/wmts", {"REQUEST": "GetTile", "LAYER": "water", "TILEMATRIXSET": "c", "TILEMATRIX": 1, "TILEROW": 0, "TILECOL": 0, "FORMAT": "image/png"}, 404),
        ("/wmts", {"REQUEST": "Delete"}, 400),
    ],
)  # fmt: skip
def test_errors_are_the_services_own_xml(site: RasterSite, path: str, parameters: dict[str, Any], status: int) -> None:
    answer = requests.get(f"{site.url}{path}", parameters, timeout=30)
    assert answer.status_code == status and answer.headers["Content-Type"].startswith("text/xml")
    assert "Exception" in ElementTree.fromstring(answer.content).tag


@pytest.mark.parametrize(
    "parameters",
    [
        {"width": "5000"},
        {"bbox": "1,1,1,1"},
        {"bgcolor": "red"},
        {"transparent": "yes"},
        {"crs": f"{EPSG}9999"},
        {"f": "tiff"},
    ],
)
def test_maps_that_cannot_be_drawn_are_refused(site: RasterSite, parameters: dict[str, str]) -> None:
    answer = site.get("/collections/water/map", **{"bbox": BOX, **parameters})
    assert answer.status_code == 400 and next(iter(parameters)) in answer.json()["description"]


def test_qgis_draws_the_wmts(site: RasterSite) -> None:
    """QGIS as people have it (apt), without a screen."""
    program = f"""
import sys
from qgis.core import *
from qgis.PyQt.QtCore import QSize
app = QgsApplication([], False); app.initQgis()
layer = QgsRasterLayer('crs=EPSG:3857&format=image/png&layers=water&styles=default&tileMatrixSet=WebMercatorQuad&url={site.url}/wmts?SERVICE%3DWMTS%26REQUEST%3DGetCapabilities', 'w', 'wms')
assert layer.isValid(), layer.error().message()
settings = QgsMapSettings(); settings.setLayers([layer]); settings.setOutputSize(QSize(200, 200))
settings.setDestinationCrs(QgsCoordinateReferenceSystem('EPSG:3857'))
settings.setExtent(QgsRectangle(12790732, 3554880, 12791000, 3555148))
job = QgsMapRendererParallelJob(settings); job.start(); job.waitForFinished()
job.renderedImage().save(sys.argv[1])
"""
    target = site.directory / "qgis.png"
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", program, str(target)], capture_output=True, text=True, timeout=120,
            env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(site.directory), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("QGIS is not installed: apt-get install python3-qgis")
    if "No module named 'qgis'" in done.stderr:
        pytest.skip("QGIS is not installed: apt-get install python3-qgis")
    assert target.exists(), done.stderr[-800:]
    picture = np.asarray(Image.open(BytesIO(target.read_bytes())).convert("RGB"))
    assert (np.abs(picture.astype(int) - rgb(LIGHT.water)).max(axis=-1) <= 2).mean() > 0.5
