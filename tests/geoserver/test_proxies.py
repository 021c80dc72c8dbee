"""Layers of other servers among our collections: what they give is what those have, and their failures are not ours."""

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from sqlalchemy import text

from geoserver.proxies.upstream import Upstreams
from geoserver.settings.access import Outbound as OutboundSettings
from layers.catalogue import CatalogueError
from layers.catalogue import Text as Words
from layers.database import Database
from layers.exchange.proxies.errors import ProxyError, UpstreamFailed
from layers.exchange.proxies.model import Kind, Proxy
from layers.exchange.proxies.store import registered, removed
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.conftest import Site
from tests.geoserver.other_servers import WELLS, answering, mapserver, stock_pygeoapi
from tests.geoserver.workshop import eventually
from tests.people import PASSWORD, employ


def outbound(*urls: str) -> OutboundSettings:
    hosts = tuple({"http://" + url.split("/")[2] for url in urls})
    return OutboundSettings(hosts=hosts, private=("127.0.0.0/8",), seconds=30)


class Hub:
    """A city that shows layers of others."""

    def __init__(self, url: str, database: Database, settings: OutboundSettings) -> None:
        self.url, self.database, self.upstreams = url, database, Upstreams(settings)

    def add(self, id_: str, kind: Kind, url: str, name: str, **more: Any) -> Proxy:
        title = Words(f"外部 {id_}", f"Theirs {id_}")
        asked = Proxy(id=id_, title=title, description=Words("", ""), kind=kind, url=url, name=name, **more)
        with self.database.transaction() as conn:
            conn.execute(text("DELETE FROM citymap.proxies WHERE id = :id"), {"id": id_})
            found = registered(conn, asked, self.upstreams)
        eventually(lambda: self.get(f"/collections/{id_}", auth=("boss", PASSWORD)).status_code == 200)
        return found

    def get(self, path: str, auth: Any = None, **params: Any) -> requests.Response:
        return requests.get(self.url + path, params=params, auth=auth, timeout=30)

    def items(self, id_: str, **params: Any) -> Any:
        answer = self.get(f"/collections/{id_}/items", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Told:
    """A server whose answers the test chooses."""

    def __init__(self) -> None:
        self.answer: Any = lambda _path, _query: (200, "application/json", b"{}")
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        self.asked.append((path, query))
        return self.answer(path, query)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def servers(site: Site, told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    assert site.get("/collections/trees").status_code == 200  # what a worker makes at its first request takes time
    with stock_pygeoapi(tmp_path_factory.mktemp("pygeoapi")) as pygeoapi, answering(told) as url:
        yield {"city": site.url, "pygeoapi": pygeoapi, "told": url}


@pytest.fixture(scope="module")
def hub(postgres_url: str, template_name: str, servers: dict[str, str]) -> Iterator[Hub]:
    name = f"citymap_hub_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    settings = outbound(*servers.values())
    with database.transaction() as conn:
        employ(conn, "boss", "leader")
    with serve(
        url, OUTBOUND__HOSTS=json.dumps(settings.hosts), OUTBOUND__PRIVATE='["127.0.0.0/8"]', OUTBOUND__SECONDS="30"
    ) as base:
        yield Hub(base, database, settings)
    database.close()
    drop_database(postgres_url, name)


def harvested(hub: Hub, id_: str, **params: Any) -> list[Any]:
    """All features, by the next links."""
    page, found = hub.items(id_, **params), []
    while True:
        found += page["features"]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if following is None:
            return found
        page = requests.get(following, timeout=30).json()


def test_another_city_is_read_page_by_page_by_box_and_by_filter(hub: Hub, servers: dict[str, str], site: Site) -> None:
    made = hub.add("their-trees", "ogcapi-features", servers["city"], "trees")
    west, south, east, north = site.get("/collections/trees").json()["extent"]["spatial"]["bbox"][0]
    assert made.extent == (west, south, east, north) and dict(made.properties)["height"] == "number"
    theirs = site.get("/collections/trees/items", limit=1000).json()["features"]
    assert harvested(hub, "their-trees", limit=77) == theirs and len(theirs) == 300
    asked: dict[str, Any]
    for asked in (
        {"bbox": "114.845,30.325,114.905,30.375"},
        {"filter": "name LIKE '樟%' AND height > 5.5"},
        {"datetime": "2020-05-01/2020-05-31"},
    ):
        expected = site.get("/collections/trees/items", limit=1000, **asked).json()["features"]
        assert hub.items("their-trees", limit=1000, **asked)["features"] == expected != []
    item = hub.get("/collections/their-trees/items/7").json()
    assert item["properties"] == theirs[6]["properties"] and item["id"] == 7
    assert hub.get("/collections/their-trees/items/999999").status_code == 404
    wrong = hub.get("/collections/their-trees/items", filter="nothing = 1")
    assert wrong.status_code == 502 and servers["city"].removeprefix("http://") in wrong.json()["description"]


def test_a_proxy_is_a_collection_with_a_record_and_pages(hub: Hub, servers: dict[str, str]) -> None:
    hub.add("trees-there", "ogcapi-features", servers["city"], "trees", attribution="邻市园林局")
    about = hub.get("/collections/trees-there", lang="zh").json()
    assert (
        about["title"] == "外部 trees-there" and "邻市园林局" in about["description"] and about["itemType"] == "feature"
    )
    assert [link["href"] for link in about["links"] if link["rel"] == "via"] == [servers["city"]]
    for link in about["links"]:
        if link["href"].startswith(hub.url):
            assert requests.get(link["href"], timeout=30).status_code == 200, link
    assert {"trees-there", "records"} <= {c["id"] for c in hub.get("/collections").json()["collections"]}
    record = hub.get("/collections/records/items/trees-there").json()
    assert record["properties"]["titles"]["zh"] == "外部 trees-there" and record["geometry"]["type"] == "Polygon"
    assert "height" in hub.get("/collections/trees-there/schema").json()["properties"]
    for path in ("", "/items", "/items/3"):
        page = requests.get(f"{hub.url}/collections/trees-there{path}", headers={"Accept": "text/html"}, timeout=30)
        assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]
    for path in ("changes", "legend", "tiles", "items?f=gpkg"):
        answer = hub.get(f"/collections/trees-there/{path}")
        assert answer.status_code in (400, 501), (path, answer.text)


def test_proxies_are_on_the_map_and_in_openapi(hub: Hub, servers: dict[str, str]) -> None:
    requests.get(f"{servers['city']}/wms?service=WMS&request=GetCapabilities", timeout=60)  # the first takes its time
    hub.add("wms-drawn", "wms", f"{servers['city']}/wms", "trees")
    hub.add("trees-told", "ogcapi-features", servers["city"], "trees")
    style = hub.get("/styles/city", lang="en").json()
    [entry] = [e for e in style["metadata"]["citymap:layers"] if e["id"] == "wms-drawn"]
    assert (entry["group"], entry["elsewhere"], entry["visible"]) == ("elsewhere", True, False)
    [address] = style["sources"]["layer:wms-drawn"]["tiles"]
    tile = requests.get(address.format(z=12, y=1685, x=3355), timeout=60)
    assert tile.headers["Content-Type"] == "image/png" and Image.open(io.BytesIO(tile.content)).size == (256, 256)
    paths = hub.get("/openapi", f="json").json()["paths"]
    told = {p.partition("/trees-told")[2] for p in paths if p.startswith("/collections/trees-told")}
    assert told == {"/items", "/items/{featureId}", "/queryables", "/schema"}
    assert {"/collections/wms-drawn/map", "/collections/wms-drawn/map/tiles/{tms}/{z}/{y}/{x}"} <= paths.keys()


def test_stock_pygeoapi_is_read(hub: Hub, servers: dict[str, str]) -> None:
    made = hub.add("wells-p", "ogcapi-features", servers["pygeoapi"], "wells")
    assert {"name", "depth", "number"} <= dict(made.properties).keys()
    found = harvested(hub, "wells-p", limit=8)
    assert [f["properties"]["name"] for f in found] == list(WELLS["name"])
    assert found[3]["geometry"]["coordinates"] == pytest.approx([114.53, 30.215])


def test_mapservers_wfs_and_wms(servers: dict[str, str], tmp_path: Path, postgres_url: str, template_name: str) -> None:
    """GML in another system and axis order, and pictures where the wells are."""
    with mapserver(tmp_path) as url:
        upstreams = Upstreams(outbound(url))
        from layers.exchange.proxies import maps, wfs
        from layers.exchange.proxies.model import Asked

        asked = Proxy(id="w", title=Words("", ""), description=Words("", ""), kind="wfs", url=url, name="wells")
        with pytest.raises(UpstreamFailed, match="it has"):
            wfs.described(asked.described(name="nothing"), upstreams)
        proxy = wfs.described(asked.described(name="ms:wells"), upstreams)
        assert dict(proxy.properties)["depth"] == "number" and proxy.details["format"] is None
        first = wfs.page_of(proxy, Asked(20), upstreams.get(wfs.items_url(proxy, Asked(20))))
        rest = wfs.page_of(proxy, Asked(20, 20), upstreams.get(wfs.items_url(proxy, Asked(20, 20))))
        assert first.more and not rest.more and len(first.features) == 20 and len(rest.features) == 10
        found = {f["properties"]["name"]: f["geometry"]["coordinates"] for f in (*first.features, *rest.features)}
        for name, place in zip(WELLS["name"], WELLS.geometry, strict=True):
            assert found[name] == pytest.approx([place.x, place.y], abs=1e-6)
        box = Asked(100, box=(114.545, 30.2, 114.615, 30.3))
        inside = wfs.page_of(proxy, box, upstreams.get(wfs.items_url(proxy, box))).features
        assert {f["properties"]["name"] for f in inside} == set(WELLS.cx[114.545:114.615, 30.2:30.3]["name"]) != set()
        item = wfs.item_of(proxy, upstreams.get(wfs.item_url(proxy, str(inside[0]["id"]))))
        assert item is not None and item["properties"] == inside[0]["properties"]
        none = Asked(10, box=(10.0, 10.0, 11.0, 11.0))
        assert wfs.page_of(proxy, none, upstreams.get(wfs.items_url(proxy, none))).features == []

        drawn = maps.described_wms(asked.described(kind="wms"), upstreams)
        for srid in (4326, 3857):
            well, reach = WELLS.to_crs(srid).geometry.iloc[10], 0.005 if srid == 4326 else 500
            west, south, east, north = well.buffer(reach).bounds
            answer = upstreams.get(
                maps.map_url(drawn, (west, south, east, north), srid, (101, 101), "png", transparent=True)
            )
            pixels = np.asarray(Image.open(io.BytesIO(maps.picture_of(drawn, answer).body)).convert("RGBA"))
            assert tuple(pixels[50, 50]) == (255, 0, 0, 255) and pixels[5, 5, 3] == 0


def test_maps_and_tiles_of_another_citys_wms_and_wmts(hub: Hub, servers: dict[str, str], site: Site) -> None:
    hub.add("their-wms", "wms", f"{servers['city']}/wms", "trees")
    hub.add("their-wmts", "wmts", f"{servers['city']}/wmts", "trees")
    z, y, x = 12, 1685, 3355
    theirs = requests.get(
        f"{servers['city']}/collections/trees/map/tiles/WebMercatorQuad/{z}/{y}/{x}?f=png", timeout=60
    )
    picture = np.asarray(Image.open(io.BytesIO(theirs.content)).convert("RGBA")).astype(int)
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 3  # something is drawn there
    for id_ in ("their-wms", "their-wmts"):
        answer = hub.get(f"/collections/{id_}/map/tiles/WebMercatorQuad/{z}/{y}/{x}", f="png")
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/png", answer.text
        ours = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")).astype(int)
        assert ours.shape == picture.shape and np.abs(ours - picture).mean() < 3
        tilesets = hub.get(f"/collections/{id_}/map/tiles").json()["tilesets"]
        assert any("WebMercatorQuad" in json.dumps(tileset) for tileset in tilesets)
        assert hub.get(f"/collections/{id_}/map/tiles/WebMercatorQuad", f="tilejson").json()["tiles"]
        assert hub.get(f"/collections/{id_}/items").status_code == 501
    shown = hub.get("/collections/their-wms/map", bbox="114.8,30.3,115,30.45", width=200)
    assert Image.open(io.BytesIO(shown.content)).size == (200, 150)
    assert hub.get("/collections/their-wmts/map").status_code == 501
    assert hub.get("/collections/their-wms/map", width=9000).status_code == 400


def test_arcgis_replies_of_the_documented_form(hub: Hub, servers: dict[str, str], told: Told) -> None:
    """No real ArcGIS server can be had here: these replies are written by its documentation."""
    wells = json.loads(WELLS.to_json())["features"]

    def answer(path: str, query: dict[str, str]) -> Any:
        if path == "/arcgis/rest/services/wells/FeatureServer/0":
            about = {
                "id": 0, "name": "wells", "type": "Feature Layer", "copyrightText": "某市水务局", "supportedQueryFormats": "JSON, geoJSON",
                "advancedQueryCapabilities": {"supportsPagination": True}, "maxRecordCount": 1000,
                "extent": {"xmin": 114.5, "ymin": 30.2, "xmax": 114.8, "ymax": 30.4, "spatialReference": {"wkid": 4326}},
            }  # fmt: skip
            return 200, "application/json", json.dumps(about).encode()
        assert path.endswith("/0/query") and query["f"] == "geojson" and query["outSR"] == "4326"
        if "objectIds" in query:
            found = [f for f in wells if f["id"] == query["objectIds"]]
            return 200, "application/geo+json", json.dumps({"type": "FeatureCollection", "features": found}).encode()
        if query.get("geometry", "").startswith("100"):
            refused = {"error": {"code": 400, "message": "Unable to complete operation.", "details": []}}
            return 200, "application/json", json.dumps(refused).encode()
        start, count = int(query.get("resultOffset", 0)), int(query["resultRecordCount"])
        page = {"type": "FeatureCollection", "features": wells[start : start + count]}
        if start + count < len(wells):
            page["properties"] = {"exceededTransferLimit": True}
        return 200, "application/geo+json", json.dumps(page).encode()

    told.answer = answer
    made = hub.add("wells-a", "arcgis", f"{servers['told']}/arcgis/rest/services/wells/FeatureServer", "0")
    assert made.attribution == "某市水务局" and made.extent == (114.5, 30.2, 114.8, 30.4)
    assert [f["properties"]["name"] for f in harvested(hub, "wells-a", limit=7)] == list(WELLS["name"])
    assert hub.get("/collections/wells-a/items/12").json()["properties"]["name"] == "井12"
    assert hub.get("/collections/wells-a/items/77").status_code == 404
    assert hub.get("/collections/wells-a/items", filter="depth > 3").status_code == 501
    refused = hub.get("/collections/wells-a/items", bbox="100,30,101,31")
    assert refused.status_code == 502 and "Unable to complete" in refused.json()["description"]
    boxes = [q["geometry"] for _, q in told.asked if "geometry" in q]
    assert boxes == ["100.0,30.0,101.0,31.0"]


def test_a_server_that_fails_is_named_then_left_alone_and_old_answers_stand_in(
    hub: Hub, servers: dict[str, str], told: Told
) -> None:
    page = json.dumps({"type": "FeatureCollection", "features": json.loads(WELLS.to_json())["features"][:5]}).encode()

    def well(path: str, _query: dict[str, str]) -> Any:
        body = {"/conformance": b'{"conformsTo": []}', "/collections/w": b'{"id": "w"}'}.get(path, page)
        return 200, "application/json", body

    told.answer = well
    hub.add("wells-f", "ogcapi-features", servers["told"], "w", cache_seconds=0)
    assert len(hub.items("wells-f", limit=5)["features"]) == 5
    told.answer = lambda *_: (500, "text/html", b"oops")
    old = hub.get("/collections/wells-f/items", limit=5)
    assert old.status_code == 200 and old.headers["Warning"].startswith("110") and old.json()["numberReturned"] == 5
    name = servers["told"].removeprefix("http://")
    for limit in (1, 2, 3):
        answer = hub.get("/collections/wells-f/items", limit=limit)
        assert answer.status_code == 502 and name in answer.json()["description"]
    before = len(told.asked)
    begun = time.monotonic()
    assert "asked again in" in hub.get("/collections/wells-f/items", limit=4).json()["description"]
    assert len(told.asked) == before and time.monotonic() - begun < 5
    assert hub.get("/health").status_code == 200 and hub.get("/collections/buildings/items").status_code == 200


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b"[]"),
        ("application/json", b'{"type": "FeatureCollection", "features": [{"type": "Evil"}]}'),
        ("text/xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
        ("text/html", b"<html>sign in</html>"),
        ("text/xml", b'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'),
    ],
)  # fmt: skip
def test_answers_of_no_use_are_refused(media_type: str, body: bytes) -> None:
    from layers.exchange.proxies import ogcapi, wfs
    from layers.exchange.proxies.model import Asked, Fetched

    proxy = Proxy(
        id="x", title=Words("", ""), description=Words("", ""), kind="wfs", url="http://there.example", name="x"
    )
    for language in (ogcapi, wfs):
        with pytest.raises(UpstreamFailed, match="there.example"):
            language.page_of(proxy, Asked(10), Fetched(body, media_type))


def test_a_breaker_tries_again_after_its_pause() -> None:
    told = Told()
    told.answer = lambda *_: (503, "text/plain", b"")
    with answering(told) as url:
        upstreams = Upstreams(outbound(url), pause=0.3)
        for _ in range(5):
            with pytest.raises(UpstreamFailed):
                upstreams.get(url)
        assert len(told.asked) == 3
        told.answer = lambda *_: (200, "text/plain", b"well")
        assert eventually(lambda: _quietly(upstreams, url)).body == b"well"


def _quietly(upstreams: Upstreams, url: str) -> Any:
    try:
        return upstreams.get(url)
    except UpstreamFailed:
        return None


def test_who_may_not_see_a_proxy_finds_none_of_it(hub: Hub, servers: dict[str, str]) -> None:
    hub.add("their-secrets", "ogcapi-features", servers["city"], "trees", visibility="sensitive")
    for path in ("", "/items", "/items/1", "/schema", "/map", "/tiles/WebMercatorQuad/0/0/0"):
        assert hub.get(f"/collections/their-secrets{path}").status_code == 404
    assert hub.get("/collections/records/items/their-secrets").status_code == 404
    for path in ("/collections", "/collections/records/items?limit=1000", "/openapi?f=json"):
        assert "their-secrets" not in hub.get(path).text
    seen = hub.get("/collections/their-secrets/items", auth=("boss", PASSWORD))
    assert seen.status_code == 200 and seen.json()["numberReturned"] == 10
    with hub.database.transaction() as conn:
        reads = (
            "SELECT count(*) FROM audit.entries WHERE action = 'read' AND object = 'their-secrets' AND actor = 'boss'"
        )
        assert conn.execute(text(reads)).scalar_one() >= 1


def test_one_id_is_one_collection_and_hosts_must_be_listed(hub: Hub, servers: dict[str, str]) -> None:
    for taken in ("buildings", "records"):
        with pytest.raises(ProxyError, match="already"):
            hub.add(taken, "ogcapi-features", servers["city"], "trees")
    with pytest.raises(CatalogueError):
        hub.add("No Id", "ogcapi-features", servers["city"], "trees")
    with pytest.raises(Exception, match="outbound.hosts"):
        hub.add("elsewhere", "ogcapi-features", "http://other.example", "trees")
    with hub.database.transaction() as conn, pytest.raises(ProxyError):
        removed(conn, "never-there")
