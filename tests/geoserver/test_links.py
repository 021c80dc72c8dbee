"""Every link that the server gives leads somewhere."""

import html
import re
from typing import Any

import requests

from tests.geoserver.conftest import Site

START = ("/", "/collections", "/collections/trees", "/collections/trees/items?limit=2", "/collections/trees/items/1", "/processes")


def json_links(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["href"]] if isinstance(node.get("href"), str) else []
        return own + [link for value in node.values() for link in json_links(value)]
    return [link for value in node for link in json_links(value)] if isinstance(node, list) else []


def check(site: Site, links: set[str]) -> None:
    own = {link if link.startswith("http") else site.url + link for link in links}
    own = {link.partition("#")[0] for link in own if link.startswith(site.url) and "{" not in link and "/execution" not in link}
    dead = {link: status for link in own if (status := requests.get(link, timeout=60).status_code) >= 400}
    assert own and dead == {}


def test_links_of_documents_resolve(site: Site) -> None:
    check(site, {link for path in START for link in json_links(requests.get(site.url + path, headers={"Accept": "application/json"}, timeout=30).json())})


def test_links_of_pages_resolve(site: Site) -> None:
    links: set[str] = set()
    for path in START:
        page = requests.get(site.url + path, headers={"Accept": "text/html"}, timeout=30).text
        found = (html.unescape(link) for link in re.findall(r'(?:href|src)="([^"]+)"', page))
        links |= {link if link.startswith(("/", "http")) else path.partition("?")[0] + link for link in found if not link.startswith("#")}
    check(site, links)


def test_the_landing_page_leads_to_the_tilesets(site: Site) -> None:
    """OGC 20-057 requirement 11: a client begins here."""
    links = {link["rel"]: link["href"] for link in site.get("/", f="json").json()["links"]}
    tilesets = requests.get(links["http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"], timeout=30).json()["tilesets"]
    assert {tileset["dataType"] for tileset in tilesets} == {"vector"}
    grids = requests.get(links["http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"], timeout=30).json()["tileMatrixSets"]
    assert "WebMercatorQuad" in {grid["id"] for grid in grids}
