"""CesiumJS of npm, in headless Chromium, draws the sample city from its 3D tiles, and tells what is picked."""

import io
import json
import mimetypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from geoserver.web.assets import NODE_MODULES
from tests.conftest import NODE, ROOT
from tests.tiles.three_d.reader import tiles_of

JUDGES = ROOT / "tests" / "npm" / "node_modules"
CESIUM = NODE_MODULES / "cesium" / "Build" / "Cesium"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CESIUM.is_dir(), reason="CesiumJS is not installed (npm ci in geoserver/web)"),
]

PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
  html, body, #c, #c .cesium-widget, #c canvas {margin: 0; width: 100vw; height: 100vh; display: block}
  .cesium-widget-credits {display: none !important}
</style>
<div id="c"></div><script>window.CESIUM_BASE_URL = "/judge/cesium/";</script><script src="/judge/cesium/Cesium.js"></script>
<script>
  window.failed = [];
  const widget = new Cesium.CesiumWidget("c", {
    baseLayer: false, skyBox: false, skyAtmosphere: false, shouldAnimate: false, useBrowserRecommendedResolution: true,
    contextOptions: {webgl: {preserveDrawingBuffer: true}},
  });
  widget.scene.globe.baseColor = Cesium.Color.fromCssColorString("#20303c");
  widget.scene.globe.enableLighting = false;
  widget.scene.fog.enabled = false;
  widget.clock.currentTime = Cesium.JulianDate.fromIso8601("2026-06-21T02:30:00Z");
  window.look = (lon, lat, height, pitch) => widget.camera.setView({
    destination: Cesium.Cartesian3.fromDegrees(lon, lat, height),
    orientation: {heading: 0, pitch: Cesium.Math.toRadians(pitch), roll: 0},
  });
  window.still = () => new Promise((done) => {
    let calm = 0;
    const check = () => {
      calm = tileset.tilesLoaded ? calm + 1 : 0;
      if (calm > 15) { widget.scene.postRender.removeEventListener(check); done(tileset.statistics.selected); }
    };
    widget.scene.postRender.addEventListener(check);
  });
  window.ready = (async () => {
    window.tileset = await Cesium.Cesium3DTileset.fromUrl("/collections/buildings-3d/3dtiles/tileset.json" + QUERY);
    tileset.tileFailed.addEventListener((error) => failed.push(error.url + ": " + error.message));
    widget.scene.primitives.add(tileset);
  })();
  window.pick = (x, y) => {
    const found = widget.scene.pick(new Cesium.Cartesian2(x, y));
    return found instanceof Cesium.Cesium3DTileFeature || (found && found.getPropertyIds)
      ? Object.fromEntries(found.getPropertyIds().map((name) => [name, found.getProperty(name)])) : null;
  };
</script>"""


@pytest.fixture
def viewer(browser: Browser, live_city: str) -> Iterator[Any]:
    """Opens the page in the server's own origin, with Cesium's files beside it."""
    pages = []

    def serve(route: Route) -> None:
        path = CESIUM / route.request.url.split("/judge/cesium/")[1].split("?")[0]
        if not path.is_file():
            route.fulfill(status=404)
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)

    def open_page(query: str = "") -> Page:
        page = browser.new_page(viewport={"width": 640, "height": 480})
        pages.append(page)
        page.route("**/judge/cesium/**", serve)
        body = PAGE.replace("QUERY", json.dumps(query))
        page.route("**/judge/page", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto(f"{live_city}/judge/page")
        page.evaluate("ready")
        return page

    yield open_page
    for page in pages:
        page.close()


def middle(url: str) -> tuple[float, float]:
    extent = requests.get(f"{url}/collections/buildings-3d?f=json", timeout=30).json()["extent"]["spatial"]["bbox"][0]
    return (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2


def picture(page: Page) -> Any:
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def built(pixels: Any) -> Any:
    """Where something stands: lighter than the ground, which is dark blue."""
    return pixels.sum(axis=2) > 300


def test_cesium_draws_the_sample_city_and_tells_what_is_picked(viewer: Any, live_city: str, tmp_path: Path) -> None:
    page = viewer()
    lon, lat = middle(live_city)
    page.evaluate(f"look({lon}, {lat - 0.022}, 1600, -32)")
    assert page.evaluate("still()") > 10
    shot = picture(page)
    page.screenshot(path=str(tmp_path / "city.png"))
    there = built(shot)
    assert there.mean() > 0.02
    hues = {tuple(int(v) // 32 for v in shot[y, x]) for y, x in np.argwhere(there)[::50]}
    assert len(hues) > 8  # uses, walls and roofs
    for y, x in np.argwhere(there)[:: max(1, int(there.sum() // 60))]:
        found = page.evaluate(f"pick({int(x)}, {int(y)})")
        if found:
            break
    item = requests.get(f"{live_city}/collections/buildings-3d/items/{int(found['id'])}?f=json", timeout=30).json()
    for name in ("use", "floors", "height", "address", "height_from"):
        assert found.get(name) == item["properties"][name], name
    assert page.evaluate("failed") == []


def test_from_afar_fewer_tiles_are_drawn_and_the_large_buildings_stay(viewer: Any, live_city: str) -> None:
    page = viewer("?tiling=explicit")
    lon, lat = middle(live_city)
    page.evaluate(f"look({lon}, {lat}, 2500, -90)")
    near = page.evaluate("still()")
    page.evaluate(f"look({lon}, {lat}, 9000, -90)")
    far = page.evaluate("still()")
    assert 0 < far < near / 2
    assert built(picture(page)).sum() > 20
    assert page.evaluate("failed") == []


VALIDATE = """
const validator = require(process.argv[1]); const fs = require("fs");
(async () => {
  const found = [];
  for (const path of process.argv.slice(2)) {
    const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(path)), {uri: path});
    const told = report.issues.messages.filter((m) => m.code !== "UNSUPPORTED_EXTENSION" && m.code !== "UNUSED_OBJECT");
    if (report.issues.numErrors || report.issues.numWarnings || told.length) found.push([path, told.slice(0, 3)]);
  }
  console.log(JSON.stringify(found));
})();
"""


@pytest.fixture(scope="module")
def mirror(live_city: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole tileset as files."""
    folder = tmp_path_factory.mktemp("mirror")
    session = requests.Session()

    def get(url: str) -> bytes:
        answer = session.get(url, timeout=30)
        answer.raise_for_status()
        path = folder / url.split("/3dtiles/")[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer.content)
        return answer.content

    for tile in tiles_of(f"{live_city}/collections/buildings-3d/3dtiles/tileset.json", get):
        if tile.uri:
            get(tile.uri)
    return folder


@pytest.mark.skipif(NODE is None, reason="no Node on this machine")
def test_khronos_validator_finds_nothing_wrong_with_any_tile(mirror: Path) -> None:
    tiles = sorted(map(str, mirror.rglob("*.glb")))
    assert len(tiles) > 100
    told = subprocess.run(
        [str(NODE), "-e", VALIDATE, str(JUDGES / "gltf-validator"), *tiles], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == []


@pytest.mark.skipif(shutil.which("3d-tiles-validator") is None, reason="3d-tiles-validator is not on the PATH")
def test_the_validator_of_3d_tiles_finds_nothing_wrong(mirror: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    tileset = str(mirror / "tileset.json")
    subprocess.run(["3d-tiles-validator", "--tilesetFile", tileset, "--reportFile", str(report)], check=True)
    found = json.loads(report.read_text())
    assert (found["numErrors"], found["numWarnings"]) == (0, 0), found["issues"][:3]
