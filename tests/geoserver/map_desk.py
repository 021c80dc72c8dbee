"""The map page in Chromium: one page that the tests of a module share, and others for those that need a fresh one."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import requests
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

#: Small, because software draws it; wide enough for the desktop's layout.
DESKTOP = {"viewport": {"width": 800, "height": 600}}
SMALL = {"viewport": {"width": 720, "height": 300}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
READY = "html[data-ready=true]"
#: Nothing is drawn anew that is as it should be: each frame costs software half a second.
_RESET = """(centre) => {
  const { actions, store, map } = citymap;
  const state = store.get();
  if (state.measure) actions.closeMeasure();
  if (state.edit) actions.closeEdit();
  if (state.time) actions.closeTime();
  if (state.table) actions.closeTable();
  if (state.printing) actions.togglePrint();
  if (state.results || state.geometry) actions.closeResults();
  store.set({ panel: false, message: null });
  for (const layer of state.layers) {
    if (layer.visible !== layer.initial) actions.showLayer(layer.id, layer.initial);
    if (layer.opacity !== 1) actions.fadeLayer(layer.id, 1);
  }
  const { x, y } = map.project(centre);
  const there = Math.hypot(x - map.getCanvas().clientWidth / 2, y - map.getCanvas().clientHeight / 2) < 1;
  if (!there || map.getZoom() !== 17.5 || map.getPitch() || map.getBearing()) map.jumpTo({ center: centre, zoom: 17.5, pitch: 0, bearing: 0 });
}"""

type Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_city: str) -> Iterator[Visit]:
    """Open a path of the city and wait for its map; ``page.seen`` lists the addresses that were asked for."""
    contexts = []

    def open_page(
        path: str, ready: bool = True, prepare: Callable[[Page], object] | None = None, **options: Any
    ) -> Page:
        context = browser.new_context(**{**DESKTOP, "locale": "zh-CN", "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        listen(page)
        if prepare:
            prepare(page)
        page.goto(live_city + path)
        if ready:
            rest(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def shared_page(browser: Browser, live_city: str, poi: dict[str, Any]) -> Iterator[Page]:
    context = browser.new_context(**DESKTOP, locale="zh-CN", reduced_motion="reduce", accept_downloads=True)
    page = context.new_page()
    listen(page)
    page.goto(f"{live_city}/map{at(poi)}")
    rest(page)
    yield page
    context.close()


@pytest.fixture
def desk(shared_page: Page, poi: dict[str, Any]) -> Page:
    """The shared page as it was at first, looking at the point of interest from close by."""
    shared_page.evaluate(_RESET, poi["geometry"]["coordinates"])
    shared_page.fill("#search", "")
    rest(shared_page)
    shared_page.seen.clear()  # type: ignore[attr-defined]
    return shared_page


@pytest.fixture(scope="module")
def poi(live_city: str) -> dict[str, Any]:
    """A named point of interest of the city, as the API gives it."""
    answer = requests.get(f"{live_city}/collections/pois/items", params={"f": "json", "limit": 50}, timeout=20).json()
    return next(f for f in answer["features"] if f["properties"]["name"] and f["properties"]["category"])


def listen(page: Page) -> None:
    """Note what the page asks for (``page.seen``) and what it complains of (``page.complaints``)."""
    page.seen, page.complaints = [], []  # type: ignore[attr-defined]
    page.on("request", lambda request: page.seen.append(request.url))  # type: ignore[attr-defined]
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]


def rest(page: Page) -> None:
    """Wait until nothing loads or moves any more."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_selector(READY, state="attached", timeout=60_000)


def at(feature: dict[str, Any], zoom: float = 17.5) -> str:
    lon, lat = feature["geometry"]["coordinates"]
    return f"#map={zoom}/{lat}/{lon}"


def pixels(page: Page, path: Path) -> NDArray[np.uint8]:
    """The page's picture, three bands."""
    page.screenshot(path=path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as picture:
            values: NDArray[np.uint8] = picture.read()[:3]
    return values
