"""The HTML pages: every one in both languages, with nothing inline, nothing from elsewhere, and nothing executed from data."""

import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import pygeoapi.util
import pytest
from pygeoapi.api import APIRequest
from pygeoapi.l10n import str2locale
from starlette.requests import Request

from geoserver.templates import CONTENT_SECURITY_POLICY, TEMPLATES, render
from layers.base_layers import BUILDINGS
from tests.geoserver.page_site import (
    HOSTILE,
    JOBS,
    LAYERS,
    URL,
    Site,
    configuration,
    item_data,
    items_data,
    our_renderer,
)

STATIC = TEMPLATES.parent / "web" / "static"
DONE, FAILED, RUNNING, _ = JOBS
PAGES = (
    "",
    "collections",
    "collections/buildings",
    "collections/buildings/items",
    "collections/buildings/items/7",
    "collections/buildings/queryables",
    "collections/buildings/schema",
    "conformance",
    "processes",
    "processes/buffer",
    "jobs",
    f"jobs/{RUNNING}",
    f"jobs/{FAILED}",
    f"jobs/{DONE}/results",
    "openapi",
    "TileMatrixSets",
    "TileMatrixSets/WebMercatorQuad",
)
HOSTILE_PAGES = (
    "collections/hostile",
    "collections/hostile/items",
    "collections/hostile/items/1",
    "collections/hostile/queryables",
    "collections/hostile/schema",
    "missing<script>alert(7)</script>",
)
MODULES = frozenset(path.stem for path in (STATIC / "pages").glob("*.js"))


class Page(HTMLParser):
    """The elements of a document with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, attribute: str) -> list[str]:
        """The values of an attribute of every such element that has it."""
        return [attrs[attribute] or "" for name, attrs in self.elements if name == tag and attribute in attrs]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with our_renderer():
        yield Site()


def ask(site: Site, path: str, language: str, **query: str) -> tuple[int, str]:
    """Status and content of a page."""
    parameters = "&".join(f"{k}={v}" for k, v in {"f": "html", "lang": language, **query}.items())
    scope = {"type": "http", "method": "GET", "path": f"/{path}", "query_string": parameters.encode(), "headers": []}
    _, status, content = site.page(path, APIRequest(Request(scope), site.api.locales))
    return int(status), content


def show(template: str, data: dict[str, Any], language: str = "zh", config: dict[str, Any] | None = None) -> Page:
    return Page(render(config or configuration(), {}, template, data, str2locale(language)))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_both_languages(site: Site, path: str, language: str) -> None:
    status, content = ask(site, path, language)

    page = Page(content)
    assert status == 200
    assert page.all("html", "lang") == ["zh-CN" if language == "zh" else "en"]
    assert [name for name, _ in page.elements if name in ("h1", "main", "title")] == ["title", "main", "h1"]
    assert page.all("a", "href")[0] == "#content"
    menu = {"zh": "地图 图层 处理 任务 接口", "en": "Map Layers Processes Jobs API"}
    assert [code for code, text in menu.items() if text in page.text] == [language]


@pytest.mark.parametrize("path", PAGES + HOSTILE_PAGES)
def test_every_page_is_well_formed(site: Site, path: str) -> None:
    html5lib.HTMLParser(strict=True).parse(ask(site, path, "zh")[1])


@pytest.mark.parametrize("path", PAGES + HOSTILE_PAGES)
def test_pages_have_nothing_inline_and_load_from_their_own_origin_only(site: Site, path: str) -> None:
    page = Page(ask(site, path, "zh")[1])

    for tag, attrs in page.elements:
        assert tag not in ("style", "iframe", "object", "embed", "base")
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
    loaded = page.all("script", "src") + page.all("link", "href") + page.all("img", "src") + page.all("form", "action")
    assert [address for address in loaded if not address.startswith("/") or address.startswith("//")] == []
    assert len(page.all("script", "src")) == len([tag for tag, _ in page.elements if tag == "script"])
    assert {Path(address).stem for address in page.all("script", "src")} <= MODULES
    links = page.all("a", "href")
    assert {address for address in links if not address.startswith(("/", "#", "?"))} <= {"https://example.invalid/survey/2025"}


def test_every_file_that_the_pages_load_exists(site: Site) -> None:
    loaded = set()
    for path in PAGES:
        page = Page(ask(site, path, "zh")[1])
        loaded |= {*page.all("script", "src"), *page.all("link", "href"), *page.all("img", "src")}
    files = {address.removeprefix("/static/") for address in loaded if address.startswith("/static/")}

    assert {"pages.css", "pages/page.js"} <= files
    assert [name for name in files if not (STATIC / name).is_file()] == []


def test_styles_and_modules_name_no_other_origin() -> None:
    sources = [STATIC / "pages.css", *(STATIC / "pages").glob("*.js")]

    for source in sources:
        content = source.read_text("utf-8")
        assert re.findall(r"https?://|@import|url\(|innerHTML|insertAdjacentHTML|document\.write|\beval\b", content) == [], source


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_markup_in_titles_and_values_stays_text(site: Site, path: str) -> None:
    page = Page(ask(site, path, "en")[1])

    assert "alert(" in page.text
    assert len([tag for tag, _ in page.elements if tag == "script"]) <= 2
    assert all(address.startswith("/") for address in page.all("img", "src"))
    assert not [a for a in page.all("a", "href") if "javascript" in a]


def test_hostile_text_in_jobs_and_their_results_stays_text(site: Site) -> None:
    for path in ("jobs", f"jobs/{FAILED}", f"jobs/{DONE}/results"):
        page = Page(ask(site, path, "zh")[1])
        assert page.all("img", "src") == ["/favicon.svg"]
        assert "<script>alert(1)</script>" in page.text


def test_results_show_chinese_as_written(site: Site) -> None:
    assert '"名称": "滨湖路"' in Page(ask(site, f"jobs/{DONE}/results", "en")[1]).text


def test_every_text_exists_in_both_languages_and_is_used() -> None:
    source = (TEMPLATES / "_text.html").read_text("utf-8")
    body = source[source.index("texts = {") : source.index("{#- The text of a key;")]
    pairs = re.findall(r"^  '([\w-]+)': \('((?:[^'\\]|\\.)+)', '((?:[^'\\]|\\.)+)'\),$", body, re.M)
    keys = {key for key, _, _ in pairs}
    everything = "".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.html") if path.name != "_text.html")

    assert len(pairs) == len(keys) == body.count("': (")
    mixed = [key for key, _, english in pairs if re.search(r"[\u4e00-\u9fff]", english)]
    assert mixed == ["language_switch"]
    assert set(re.findall(r"\bt\('([\w-]+)'[,)]", everything)) <= keys
    prefixes = tuple(re.findall(r"(?:known\('|t\(')(\w+?)_?'(?:, | ~ )", everything))
    open_lists = tuple(f"{prefix}_" for prefix in prefixes)
    unused = [key for key in keys if f"'{key}'" not in everything and not key.startswith(open_lists)]
    assert unused == []


def test_a_text_that_does_not_exist_fails_the_render(tmp_path: Path) -> None:
    (tmp_path / "_text.html").write_text((TEMPLATES / "_text.html").read_text("utf-8"), "utf-8")
    (tmp_path / "page.html").write_text('{% from "_text.html" import t with context %}{{ t("no_such") }}', "utf-8")

    with pytest.raises(Exception, match="no_such"):
        render(configuration(), {"path": str(tmp_path)}, "page.html", {}, None)


def test_no_page_of_pygeoapi_is_left_to_its_own_templates() -> None:
    theirs = Path(pygeoapi.util.TEMPLATESDIR)
    switched_off = ("admin", "stac")
    names = {path.relative_to(theirs).as_posix() for path in theirs.rglob("*.html")}
    wanted = {name for name in names if not name.startswith(switched_off)}

    assert {name for name in wanted if not (TEMPLATES / name).is_file()} == set()


@pytest.mark.parametrize(
    "template",
    [
        "collections/coverage/index.html",
        "collections/map/metadata.html",
        "collections/tiles/index.html",
        "collections/tiles/metadata.html",
        "collections/edr/instance.html",
        "collections/edr/instances.html",
        "collections/edr/query.html",
        "asyncapi.html",
        "openapi/redoc.html",
    ],
)
def test_rare_pages_show_title_and_links(template: str) -> None:
    links = [{"rel": "collection", "title": "高程", "href": f"{URL}/collections/dem", "type": "text/html"}]
    data = {"id": "dem", "title": "高程", "links": links, "tilesets": ["CGCS2000Quad"], "openapi-document-path": f"{URL}/openapi"}

    page = show(template, data)

    assert [name for name, _ in page.elements].count("h1") == 1
    if template != "openapi/redoc.html":
        assert "/collections/dem" in page.all("a", "href")


def test_our_renderer_takes_what_pygeoapi_passes() -> None:
    theirs = inspect.signature(pygeoapi.util.render_j2_template).parameters
    ours = inspect.signature(render).parameters

    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


def test_a_page_follows_the_configuration_that_it_is_given() -> None:
    changed = configuration()
    changed["metadata"]["identification"]["title"] = {"zh": "黄石市城市一张图", "en": "CityMap of Huangshi"}
    data = {"conformsTo": []}

    assert "鄂州市城市一张图" in show("conformance.html", data).text
    assert "黄石市城市一张图" in show("conformance.html", data, "zh", changed).text


def test_links_carry_the_path_prefix_and_no_host(site: Site) -> None:
    prefixed = configuration()
    prefixed["server"]["url"] = "https://city.example/gis"
    links = [{"rel": "next", "type": "text/html", "href": "https://city.example/gis/collections/buildings/items?offset=10"}]

    page = show("collections/items/index.html", {**items_data(BUILDINGS, "zh", {}), "links": links}, "zh", prefixed)

    addresses = [a for a in page.all("a", "href") if not a.startswith(("#", "?", "https://example.invalid"))]
    assert addresses
    assert [a for a in addresses if not a.startswith("/gis/")] == []
    assert "/gis/collections/buildings/items?offset=10" in addresses
    assert page.all("link", "href")[-1] == "/gis/static/pages.css"


def test_a_feature_is_shown_with_aliases_units_and_domain_labels() -> None:
    chinese, english = show("collections/items/item.html", item_data(BUILDINGS, "zh")), show(
        "collections/items/item.html", item_data(BUILDINGS, "en"), "en"
    )

    for fragment in ("滨湖花园 7 栋", "用途 use 商业 commercial", "高度 height 40.3 m", "建成年份 year_built 2005", "修订号 3"):
        assert fragment in chinese.text
    for fragment in ("Use use Commercial commercial", "Height height 40.3 m", "Revision 3"):
        assert fragment in english.text
    assert "/collections/buildings/items/7/history" in chinese.all("a", "href")
    assert "/map#at=buildings/7" in chinese.all("a", "href")


def test_a_missing_value_is_marked_as_such() -> None:
    data = item_data(BUILDINGS, "zh")
    data["properties"] = {"name": None, "height": 0.0, "floors": 0}

    text = show("collections/items/item.html", data).text

    assert "名称 name —" in text
    assert "高度 height 0 m" in text
    assert "层数 floors 0" in text


def test_yes_and_no_are_written_out() -> None:
    data = {**item_data(LAYERS["roads"], "zh"), "properties": {"bridge": True, "tunnel": False, "oneway": -1, "maxspeed": 60}}

    text = show("collections/items/item.html", data).text

    for fragment in ("桥梁 bridge 是", "隧道 tunnel 否", "单行 oneway 逆向 -1", "限速 maxspeed 60 km/h"):
        assert fragment in text


def test_a_column_head_sorts_and_then_reverses_and_keeps_the_conditions() -> None:
    query = {"filter": "floors > 3", "sortby": "name", "cursor": "abc", "f": "html", "limit": "50"}

    page = show("collections/items/index.html", items_data(BUILDINGS, "zh", query))

    links = [a for a in page.all("a", "href") if "sortby=" in a]
    assert "/collections/buildings/items?filter=floors+%3E+3&limit=50&sortby=-name" in links
    assert "/collections/buildings/items?filter=floors+%3E+3&limit=50&sortby=height" in links
    assert page.all("th", "aria-sort") == ["ascending"]
    kept = {attrs["name"]: attrs["value"] for tag, attrs in page.elements if tag == "input"}
    assert kept == {"sortby": "name", "filter": "floors > 3"}


def test_pages_are_turned_by_the_links_in_the_data() -> None:
    page = show("collections/items/index.html", items_data(BUILDINGS, "zh", {}))

    turns = {attrs["rel"]: attrs["href"] for tag, attrs in page.elements if tag == "a" and attrs.get("rel") in ("next", "prev")}
    assert turns == {
        "next": "/collections/buildings/items?f=html&cursor=abc",
        "prev": "/collections/buildings/items?f=html&offset=0",
    }


def test_every_representation_is_offered_by_name() -> None:
    page = show("collections/items/index.html", items_data(BUILDINGS, "zh", {}))

    assert page.text.endswith("GeoJSON CSV GeoPackage image/vnd.dxf")


def test_no_features_is_said_in_words() -> None:
    page = show("collections/items/index.html", items_data(BUILDINGS, "zh", {"id": "0"}))

    assert "没有符合条件的要素" in page.text
    assert not [name for name, _ in page.elements if name == "table"]


def test_queryables_give_units_and_domains(site: Site) -> None:
    text = Page(ask(site, "collections/buildings/queryables", "en")[1]).text

    assert "height Height number m" in text
    assert "residential Residential" in text
    assert "filter=floors > 10" in text


def test_a_collection_offers_each_download_once(site: Site) -> None:
    page = Page(ask(site, "collections/buildings", "zh")[1])

    formats = [attrs["type"] for tag, attrs in page.elements if tag == "a" and "type" in attrs]
    expected = ["application/geo+json", "application/geopackage+sqlite3", "application/vnd.flatgeobuf", "text/csv"]
    assert sorted(formats) == expected
    assert URL in page.all("input", "value")
    assert "CGCS2000 / 3°GK 114E (EPSG:4547)" in page.text


def test_an_error_says_cause_and_cure_in_both_languages_unless_one_is_known() -> None:
    error = {"code": "NotFound", "description": "no collection 'x'", "requestId": "abc123", "status": 404}

    both = show("exception.html", error, "en").text
    chinese = show("exception.html", {**error, "language": "zh-CN"}).text

    assert "您无权查看" in both and "you may not see it" in both
    assert "您无权查看" in chinese and "you may not see it" not in chinese
    for text in (both, chinese):
        assert "no collection 'x'" in text and "abc123" in text and "404" in text


def test_an_unknown_error_code_still_has_a_page() -> None:
    assert "服务未能完成这个请求" in show("exception.html", {"code": HOSTILE, "description": ""}).text


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
