"""How a layer of another server is described among our collections."""

from dataclasses import asdict
from typing import Any

from layers.catalogue import Text
from layers.crs import CRS84
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.model import Proxy

_OGC = "http://www.opengis.net/def/rel/ogc/1.0"
_WORLD = (-180.0, -90.0, 180.0, 90.0)


def proxy_resource(url: str, proxy: Proxy) -> dict[str, Any]:
    """What pygeoapi describes the collection by; it has no provider that it would read."""
    provider: dict[str, Any] = {"type": "other", "name": ""}
    if proxy.features:
        provider = {"type": "feature", "name": "", "crs": [CRS84.uri], "storage_crs": CRS84.uri}
    thanks = proxy.attribution or host(proxy.url)
    about = Text(f"{proxy.description.zh}（来自 {thanks}）", f"{proxy.description.en} (from {thanks})")
    return {
        "type": "collection",
        "title": asdict(proxy.title),
        "description": asdict(Text(about.zh.strip(), about.en.strip())),
        "keywords": [],
        "extents": {"spatial": {"bbox": list(proxy.extent or _WORLD), "crs": CRS84.uri}},
        "links": proxy_links(url, proxy),
        "providers": [provider],
    }


def proxy_links(url: str, proxy: Proxy) -> list[dict[str, Any]]:
    """Its maps and tiles here, and where it comes from."""
    here = f"{url}/collections/{proxy.id}"
    links = [_link("via", "text/html", Text("来源服务", "The server that it comes from"), proxy.url)]
    if proxy.licence.startswith(("http://", "https://")):
        links.append(_link("license", "text/html", Text("许可", "Licence"), proxy.licence))
    if not proxy.features:
        tiles = Text("瓦片集", "Tilesets of pictures")
        links.append(_link(f"{_OGC}/tilesets-map", "application/json", tiles, f"{here}/map/tiles"))
    if proxy.kind == "wms":
        title = Text("地图", "Map")
        links += [_link(f"{_OGC}/map", f"image/{f}", title, f"{here}/map?f={f}") for f in proxy.details["formats"]]
    return links


def _link(rel: str, kind: str, title: Text, href: str) -> dict[str, Any]:
    return {"rel": rel, "type": kind, "title": asdict(title), "href": href}
