"""The registered layers of other servers, and the languages that they speak."""

import logging
import re
from types import ModuleType
from typing import Any

import orjson
from psycopg2.errors import InsufficientPrivilege, UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers.exchange.proxies import arcgis, maps, ogcapi, wfs
from layers.exchange.proxies.errors import NotOffered, ProxyError
from layers.exchange.proxies.model import Kind, Proxy, Upstream, as_json, proxy_from

LOGGER = logging.getLogger("citymap")

_FEATURES: dict[Kind, ModuleType] = {"ogcapi-features": ogcapi, "wfs": wfs, "arcgis": arcgis}
_URL = re.compile(r"https?://[!-~]{1,2000}")
_LIST = text("SELECT id, visibility, definition, created::text, updated::text FROM citymap.proxies ORDER BY id")
_ADD = text("INSERT INTO citymap.proxies (id, visibility, definition) VALUES (:id, :visibility, CAST(:kept AS jsonb))")


def language_of(proxy: Proxy) -> Any:
    """What knows how to ask for features. Raises :class:`NotOffered`."""
    if not proxy.features:
        raise NotOffered(f"collection {proxy.id!r} has maps and tiles of another server, no features")
    return _FEATURES[proxy.kind]


def registered(conn: Connection, proxy: Proxy, upstream: Upstream) -> Proxy:
    """Ask the other server what the layer is, and keep it. Raises :class:`ProxyError`, UpstreamFailed."""
    if not _URL.fullmatch(proxy.url):
        raise ProxyError(f"{proxy.url[:80]!r} is no http or https URL of ASCII characters")
    _ = proxy.layer  # its rules of ids
    asks = {"wms": maps.described_wms, "wmts": maps.described_wmts}
    described = asks[proxy.kind] if proxy.kind in asks else _FEATURES[proxy.kind].described
    found: Proxy = described(proxy, upstream)
    values = {"id": found.id, "visibility": found.visibility, "kept": orjson.dumps(as_json(found)).decode()}
    try:
        with conn.begin_nested():
            conn.execute(_ADD, values)
    except DBAPIError as error:
        if isinstance(error.orig, UniqueViolation):
            raise ProxyError(f"there is a collection {found.id!r} already") from None
        if isinstance(error.orig, InsufficientPrivilege):
            raise ProxyError(f"you may not make a {found.visibility} collection {found.id!r}") from None
        raise
    return found


def removed(conn: Connection, proxy_id: str) -> None:
    """Forget a layer of another server. Raises :class:`ProxyError`."""
    if conn.execute(text("DELETE FROM citymap.proxies WHERE id = :id"), {"id": proxy_id}).rowcount == 0:
        raise ProxyError(f"there is no layer {proxy_id[:80]!r} of another server that you may remove")


def load_proxies(conn: Connection) -> dict[str, Proxy]:
    """All that the connection may see, by id; a row that is none is logged and left out."""
    found: dict[str, Proxy] = {}
    for row in conn.execute(_LIST):
        try:
            found[row[0]] = proxy_from(*row)
        except (TypeError, KeyError, ValueError) as error:
            LOGGER.error("proxy %r is left out: %s", row[0], error)
    return found
