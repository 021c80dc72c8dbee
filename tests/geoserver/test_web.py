"""The web client's files, pages and style, without a browser."""

import base64
import gzip
import hashlib
import io
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from geoserver.language import choose_language
from geoserver.web import assets
from geoserver.web.map_page import LANGUAGES
from geoserver.web.routes import routes
from geoserver.web.style import city_style
from grid.layers import GRID_LAYERS
from layers.base_layers import BASE_LAYERS
from layers.catalogue import Field, GeometryType, Layer, Text
from layers.pipes.layers import PIPE_LAYERS
from planning.layers import PLANNING_LAYERS
from tests.conftest import NODE
from tracking.layers import TRACKING_LAYERS

VALIDATOR = assets.NODE_MODULES / "@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs"
EXTENT = (114.85, 30.35, 114.95, 30.45)


def imported(layer_id: str, geometry_type: GeometryType, **values: Any) -> Layer:
    fields = (Field("label", "string", Text("标注", "Label"), role="title"), Field("n", "integer", Text("数", "Count")))
    return Layer(
        id=layer_id,
        title=Text(f"图层{layer_id}", f"Layer {layer_id}"),
        description=Text("", ""),
        geometry_type=geometry_type,
        **{"fields": fields, "extent": EXTENT, **values},
    )


CLASSED = imported(
    "违建",
    "MultiPolygon",
    fields=(Field("state", "string", Text("状态", "State"), domain={"a": Text("新增", "New"), "b": Text("拆除", "Gone")}),),
    style=({"type": "fill", "paint": {"fill-color": ["match", ["get", "state"], "a", "#ff0000", "b", "#00ff00", "#888888"]}},),
)
LAYERS = {layer.id: layer.changed(extent=EXTENT, licence="<b>© 城市</b>") for layer in BASE_LAYERS} | {
    layer.id: layer
    for layer in (
        imported("spots", "Point"),
        imported("lines", "MultiLineString"),
        imported("areas", "Polygon"),
        imported("mixed", "Geometry"),
        CLASSED,
    )
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The client's routes alone, over a catalogue without a database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Starlette(routes=routes(lambda _request: LAYERS))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)




def validate(style: dict[str, Any], path: Path) -> str:
    """What MapLibre's own validator says; empty when it has no complaint."""
    if not VALIDATOR.is_file():
        pytest.skip(f"{VALIDATOR} is absent: run npm ci in {assets.WEB}")
    path.write_text(json.dumps(style), "utf-8")
    run = subprocess.run([str(NODE), VALIDATOR, path], capture_output=True, text=True, timeout=60, check=False)
    return run.stdout + run.stderr


@pytest.mark.parametrize(("language", "theme"), [("zh-CN", "light"), ("en", "dark")])
def test_style_satisfies_maplibres_own_validator(language: str, theme: str, tmp_path: Path) -> None:
    style = city_style(LAYERS, "http://city.test", language, theme, signs=True)
    assert validate(style, tmp_path / "style.json") == ""


def test_validator_would_report_a_wrong_style(tmp_path: Path) -> None:
    style = city_style(LAYERS, "http://city.test")
    style["layers"][1]["paint"]["fill-color"] = ["match", "nonsense"]
    assert "fill-color" in validate(style, tmp_path / "style.json")


def test_every_base_layer_is_drawn_from_a_tile_source_that_brings_it() -> None:
    style = city_style(LAYERS, "http://city.test")
    brought = {
        (name, layer_id)
        for name, source in style["sources"].items()
        for layer_id in re.findall(r"collections=([\w,-]+)", source["tiles"][0])
        for layer_id in layer_id.split(",")
    }
    drawn = {(part["source"], part["source-layer"]) for part in style["layers"] if "source" in part}
    assert {layer_id for _, layer_id in brought} == {layer.id for layer in BASE_LAYERS} - {"cameras"}
    assert brought <= drawn
    assert style["sources"]["base"]["tiles"][0].startswith("http://city.test/tiles/WebMercatorQuad/{z}/{y}/{x}?")


def test_style_draws_by_attributes_that_the_layers_declare() -> None:
    layers = {layer.id: {f.name for f in layer.fields} for layer in BASE_LAYERS}
    for part in city_style(LAYERS, "http://city.test")["layers"]:
        if part.get("source-layer") in layers:
            used = set(re.findall(r'\["get", "([^"]+)"\]', json.dumps(part)))
            assert used <= layers[part["source-layer"]], part["id"]


def test_layers_that_a_city_lacks_are_neither_drawn_nor_asked_for() -> None:
    style = city_style({"roads": LAYERS["roads"]}, "http://city.test")
    assert list(style["sources"]) == ["base"]
    assert style["sources"]["base"]["tiles"][0].endswith("?collections=roads")
    assert {part["source-layer"] for part in style["layers"] if "source-layer" in part} == {"roads"}


def test_empty_catalogue_gives_a_style_without_sources(tmp_path: Path) -> None:
    style = city_style({}, "http://city.test")
    assert style["sources"] == {} and style["metadata"]["citymap:bounds"] is None
    assert validate(style, tmp_path / "style.json") == ""


@pytest.mark.parametrize(
    ("layer_id", "kinds"),
    [
        ("spots", {"circle", "symbol"}),
        ("lines", {"line", "symbol"}),
        ("areas", {"fill", "line", "symbol"}),
        ("mixed", {"fill", "line", "circle", "symbol"}),
    ],
)
def test_imported_layer_is_drawn_by_its_geometry_type_and_hidden_at_first(layer_id: str, kinds: set[str]) -> None:
    style = city_style(LAYERS, "http://city.test")
    parts = [part for part in style["layers"] if part.get("source-layer") == layer_id]
    assert {part["type"] for part in parts} == kinds
    assert {part["layout"]["visibility"] for part in parts} == {"none"}
    assert {part["source"] for part in parts} == {f"layer:{layer_id}"}


def test_layer_with_its_own_style_is_drawn_by_it_and_its_classes_make_the_legend() -> None:
    style = city_style(LAYERS, "http://city.test", "en")
    parts = [part for part in style["layers"] if part.get("source-layer") == "违建"]
    assert [part["paint"] for part in parts] == [CLASSED.style[0]["paint"]]
    entry = next(entry for entry in style["metadata"]["citymap:layers"] if entry["id"] == "违建")
    assert [(row["label"], row["color"]) for row in entry["legend"]] == [("New", "#ff0000"), ("Gone", "#00ff00")]
    tiles = style["sources"]["layer:违建"]["tiles"][0]
    assert tiles == "http://city.test/collections/%E8%BF%9D%E5%BB%BA/tiles/WebMercatorQuad/{z}/{y}/{x}"


def test_names_are_written_in_the_readers_language() -> None:
    def road_names(language: str) -> Any:
        style = city_style(LAYERS, "http://city.test", language)
        return next(part for part in style["layers"] if part["id"] == "roads-name")["layout"]["text-field"]

    assert road_names("zh-CN") == ["get", "name"]
    assert road_names("en") == ["coalesce", ["get", "name_en"], ["get", "name"]]


def test_style_needs_no_glyphs_and_no_sprite_and_escapes_credits() -> None:
    style = city_style(LAYERS, "http://city.test")
    assert "glyphs" not in style and "sprite" not in style
    assert style["sources"]["base"]["attribution"] == "&lt;b&gt;© 城市&lt;/b&gt;"


def test_every_listed_layer_has_a_legend_and_every_drawn_layer_is_listed() -> None:
    style = city_style(LAYERS, "http://city.test")
    listed = {entry["id"]: entry for entry in style["metadata"]["citymap:layers"]}
    assert set(listed) == set(LAYERS)
    assert all(entry["legend"] for entry in listed.values())
    assert {part["metadata"]["citymap:layer"] for part in style["layers"] if "source" in part} == set(LAYERS)


def test_every_layer_of_a_new_city_is_in_a_group_that_has_a_name() -> None:
    made = (*GRID_LAYERS, *PLANNING_LAYERS, *PIPE_LAYERS, *TRACKING_LAYERS, *BASE_LAYERS, CLASSED)
    style = city_style({layer.id: layer for layer in made}, "http://city.test")
    groups = {entry["id"]: entry["group"] for entry in style["metadata"]["citymap:layers"]}
    expected = {"cases": "grid", "redlines": "planning", "positions": "tracking", "pipelines": "pipes", "违建": "thematic"}
    assert groups.items() >= expected.items() and groups["roads"] == "base"
    assert {f"group.{group}" for group in groups.values()} <= set(catalogue("en"))


def test_style_route_answers_in_the_asked_language_and_theme(site: str) -> None:
    english = requests.get(f"{site}/styles/city", params={"lang": "en", "theme": "dark"}, timeout=10)
    assert english.headers["Content-Type"] == "application/vnd.mapbox.style+json"
    assert english.json()["metadata"]["citymap:theme"] == "dark"
    assert english.json()["sources"]["base"]["tiles"][0].startswith(f"{site}/tiles/")
    again = requests.get(english.url, headers={"If-None-Match": english.headers["ETag"]}, timeout=10)
    assert again.status_code == 304
    wrong = requests.get(f"{site}/styles/city?theme=pink", timeout=10)
    assert wrong.status_code == 400 and "light, dark" in wrong.json()["description"]


@pytest.mark.parametrize(("theme", "ink"), [("light", (255, 255, 255)), ("dark", (16, 21, 27))])
def test_each_sign_of_the_style_is_in_its_sprite(site: str, theme: str, ink: tuple[int, int, int]) -> None:
    style = requests.get(f"{site}/styles/city", params={"theme": theme}, timeout=10).json()
    [named] = [part["layout"]["icon-image"] for part in style["layers"] if "icon-image" in part.get("layout", {})]
    for density, ratio in (("", 1), ("@2x", 2)):
        index = requests.get(f"{style['sprite']}{density}.json", timeout=10).json()
        assert set(named[3::2]) == set(index) and named[-1] == ""
        picture = requests.get(f"{style['sprite']}{density}.png", timeout=10)
        assert picture.headers["Content-Type"] == "image/png"
        sheet = Image.open(io.BytesIO(picture.content)).convert("RGBA")
        for name, place in index.items():
            assert (place["width"], place["pixelRatio"]) == (12 * ratio, ratio)
            box = (place["x"], place["y"], place["x"] + place["width"], place["y"] + place["height"])
            pixels = np.asarray(sheet.crop(box))
            assert 0.1 < (pixels[..., 3] > 128).mean() < 0.9, name
            assert (pixels[pixels[..., 3] == 255][:, :3] == ink).all(), name
    again = requests.get(picture.url, headers={"If-None-Match": picture.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    missing = requests.get(f"{site}/styles/sprites/pink@2x.png", timeout=10)
    assert missing.status_code == 404 and "dark" in missing.json()["description"]


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, str] = {}
        self._script: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self._script = values.get("type") or "classic" if tag == "script" and "src" not in values else None

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script:
            self.inline[self._script] = self.inline.get(self._script, "") + data


@pytest.mark.parametrize("language", LANGUAGES)
def test_map_page_speaks_the_asked_language(site: str, language: str) -> None:
    page = requests.get(f"{site}/map", params={"lang": language}, timeout=10)
    texts = json.loads((assets.STATIC / f"i18n/{language}.json").read_text("utf-8"))
    assert f'<html lang="{language}"' in page.text and f"<title>{texts['page.title']}</title>" in page.text
    assert json.loads(Tags(page.text).inline["application/json"]) == texts


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        (None, "", "zh-CN"),
        ("en", "zh-CN", "en"),
        ("en-US", "", "en"),
        ("fr", "en;q=0.5, zh;q=0.9", "zh-CN"),
        (None, "fr-FR, en-GB;q=0.8, zh;q=0.2", "en"),
        (None, "en;q=0, zh-TW;q=0.1", "zh-CN"),
        (None, "en;q=nonsense", "zh-CN"),
    ],
)
def test_language_is_the_asked_one_else_the_most_accepted(asked: str | None, accepted: str, chosen: str) -> None:
    assert choose_language(asked, accepted, LANGUAGES) == chosen


def test_content_security_policy_allows_this_origin_and_the_import_map_only(site: str) -> None:
    page = requests.get(f"{site}/map", timeout=10)
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert policy["default-src"] == "'none'" and policy["connect-src"] == "'self'"
    inline = Tags(page.text).inline
    digest = base64.b64encode(hashlib.sha256(inline["importmap"].encode()).digest()).decode()
    assert policy["script-src"].split() == ["'self'", f"'sha256-{digest}'"]
    # Nothing else inline that a policy without unsafe-inline would block.
    assert set(inline) == {"importmap", "application/json"}
    for tag, values in Tags(page.text).tags:
        assert tag != "style" and not {name for name in values if name == "style" or name.startswith("on")}, tag


def test_every_file_that_the_page_names_is_served(site: str) -> None:
    page = Tags(requests.get(f"{site}/map", timeout=10).text)
    imports = json.loads(page.inline["importmap"])["imports"].values()
    linked = [values[key] for tag, values in page.tags for key in ("src", "href") if tag in {"script", "link"} and key in values]
    for path in [*imports, *linked]:
        assert path and path.startswith("/"), path
        assert requests.get(site + path, timeout=10).status_code == 200, path


def test_modules_import_only_files_and_names_that_exist() -> None:
    for path in (assets.STATIC / "map").rglob("*.js"):
        for name in re.findall(r'^(?:import|export) .*? from "([^"]+)";', path.read_text("utf-8"), re.M | re.S):
            assert (path.parent / name).is_file() if name.startswith(".") else name in assets.IMPORTS, (path, name)


def test_missing_packages_are_named_with_their_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "NODE_MODULES", tmp_path)
    missing = assets.missing_packages(assets.read_assets())
    assert "maplibre-gl/dist/maplibre-gl-worker.mjs" in missing


def test_own_files_name_no_other_origin() -> None:
    namespace = "http://www.w3.org/2000/svg"
    own = [*(path for path in assets.STATIC.rglob("*.*") if path.suffix != ".png"), *assets.WEB.glob("*.html")]
    assert len(own) > 10
    for path in own:
        text = path.read_text("utf-8").replace(namespace, "")
        assert not re.search(r"https?://|[\"'(]//\w", text), path


@pytest.mark.parametrize(
    "path",
    [
        "vendor/maplibre-gl-dev.mjs",
        "vendor/../package.json",
        "..%2fpackage.json",
        "%2e%2e/%2e%2e/app.py",
        "../node_modules/preact/package.json",
        "@0/../routes.py",
        "",
    ],
)
def test_unlisted_files_are_not_served(site: str, path: str) -> None:
    request = requests.Request("GET", f"{site}/static/").prepare()
    request.url = f"{site}/static/{path}"
    assert requests.Session().send(request, timeout=10).status_code == 404


def test_files_of_this_build_are_kept_and_others_are_asked_after(site: str) -> None:
    linked = re.search(r'src="(/static/@\w+/map/app\.js)"', requests.get(f"{site}/map", timeout=10).text)
    assert linked
    kept = requests.get(site + linked[1], timeout=10)
    assert "immutable" in kept.headers["Cache-Control"]
    plain = requests.get(f"{site}/static/map/app.js", timeout=10)
    stale = requests.get(f"{site}/static/@000000000000/map/app.js", timeout=10)
    assert plain.headers["Cache-Control"] == stale.headers["Cache-Control"] == "no-cache"
    assert plain.content == stale.content == kept.content == (assets.STATIC / "map/app.js").read_bytes()
    unchanged = requests.get(plain.url, headers={"If-None-Match": plain.headers["ETag"]}, timeout=10)
    assert unchanged.status_code == 304 and not unchanged.content


def test_file_is_gzipped_for_those_who_take_it_only(site: str) -> None:
    url = f"{site}/static/map/map.css"
    packed = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_a_change_in_any_file_changes_the_builds_address() -> None:
    files = assets.read_assets()
    changed = files | {"map/app.js": assets.Asset(b"x", "text/javascript", "other")}
    assert assets.fingerprint(files) != assets.fingerprint(changed)


def test_first_visit_is_below_700_kb_on_the_wire() -> None:
    others = ("vendor/uplot", "vendor/leaflet", "vendor/cesium")  # loaded where they are wanted
    found = assets.read_assets().items()
    of_map = {p: a for p, a in found if p.startswith(("map/", "vendor/", "pages", "i18n/zh-CN", "favicon")) and not p.startswith(others)}
    assert len(of_map) > 50
    assert sum(len(asset.packed) for asset in of_map.values()) < 700_000


def catalogue(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((assets.STATIC / f"i18n/{language}.json").read_text("utf-8"))
    return texts


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert list(chinese) == list(english)
    for key, text in chinese.items():
        assert text.strip() and english[key].strip(), key
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


def test_every_text_that_the_code_names_exists_and_every_text_is_named() -> None:
    code = "".join(path.read_text("utf-8") for path in (assets.STATIC / "map").rglob("*.js"))
    page = (assets.WEB / "map.html").read_text("utf-8")
    texts = {key for key in catalogue("zh-CN") if not key.startswith("maplibre.")}
    called = set(re.findall(r'\bt\(\s*"([^"]+)"', code))
    assert called <= texts
    named = {key for key in texts if f'"{key}"' in code or key.replace(".", "_") in page}
    assert texts - named == set()


def test_no_chinese_or_english_sentence_hides_in_the_code() -> None:
    for path in (assets.STATIC / "map").rglob("*.js"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
        code = code.replace("北东西南", "").replace("纬经", "").replace("北南", "").replace("西南", "").replace("东西", "")
        # Names of coordinate systems and marks that people type, no sentences.
        code = code.replace("西安", "").replace("北京", "").replace("，、", "")
        han = re.findall(r"[\u4e00-\u9fff]+", code)
        assert set(han) <= {"中"}, (path.name, han)
