"""WMS 1.3.0 (OGC 06-042) and WMTS 1.0.0 (OGC 07-057r7) of another server."""

from typing import Any

from layers.exchange.proxies.answers import box_of, capabilities, host, with_query, xml_of
from layers.exchange.proxies.errors import NotOffered, UpstreamFailed
from layers.exchange.proxies.model import Box, Fetched, Proxy, Upstream

FORMATS = {"png": "image/png", "jpeg": "image/jpeg"}
#: Systems whose axes WMS 1.3.0 gives as latitude, longitude.
_LATITUDE_FIRST = ("EPSG:4326", "EPSG:4490")
#: What may be asked for a system, the best first: CGCS2000 and WGS 84 are the same on a map.
_SAME = {
    3857: ("EPSG:3857",),
    4490: ("EPSG:4490", "EPSG:4326", "CRS:84"),
    4326: ("EPSG:4326", "CRS:84", "EPSG:4490"),
}
_ASKED = ("EPSG:3857", "EPSG:4490", "EPSG:4326", "CRS:84")
#: Tile matrices kept of a WMTS.
_MOST_MATRICES = 40


def described_wms(proxy: Proxy, upstream: Upstream) -> Proxy:
    """The proxy with what the capabilities say of the layer."""
    from owslib.map.wms130 import WebMapService_1_3_0

    url = with_query(proxy.url, service="WMS", version="1.3.0", request="GetCapabilities")
    fetched = upstream.get(url)
    xml_of(fetched, url)
    service = capabilities(lambda: WebMapService_1_3_0(proxy.url, "1.3.0", fetched.body), url)
    about = service.contents.get(proxy.name)
    if about is None:
        some = ", ".join(list(service.contents)[:20])
        raise UpstreamFailed(f"{host(proxy.url)} has no layer {proxy.name!r}; it has {some}")
    offered = service.getOperationByName("GetMap").formatOptions
    formats = [name for name, media_type in FORMATS.items() if media_type in offered]
    systems = [system for system in _ASKED if system in about.crsOptions]
    if not formats or not systems:
        raise UpstreamFailed(f"{host(proxy.url)} offers none of {', '.join((*FORMATS, *_ASKED))} for this layer")
    thanks = getattr(about, "attribution", None) or {}
    attribution = proxy.attribution or str(thanks.get("title") or "")
    details = {"formats": formats, "systems": systems}
    return proxy.described(extent=box_of(about.boundingBoxWGS84), attribution=attribution, details=details)


def map_url(proxy: Proxy, box: Box, srid: int, size: tuple[int, int], format_: str, *, transparent: bool) -> str:
    """Where a map is: ``box`` is west, south, east, north in EPSG ``srid``. Raises :class:`NotOffered`."""
    systems = proxy.details["systems"]
    system = next((name for name in _SAME.get(srid, ()) if name in systems), None)
    if system is None:
        raise NotOffered(f"{host(proxy.url)} draws no maps in EPSG:{srid}: choose {', '.join(systems)}")
    if format_ not in proxy.details["formats"]:
        raise NotOffered(f"{host(proxy.url)} draws no {format_}: choose {', '.join(proxy.details['formats'])}")
    west, south, east, north = box
    corners = (south, west, north, east) if system in _LATITUDE_FIRST else box
    return with_query(
        proxy.url, service="WMS", version="1.3.0", request="GetMap", layers=proxy.name, styles="", crs=system,
        bbox=",".join(map(repr, corners)), width=size[0], height=size[1], format=FORMATS[format_],
        transparent="TRUE" if transparent and format_ == "png" else "FALSE", exceptions="XML",
    )  # fmt: skip


def described_wmts(proxy: Proxy, upstream: Upstream) -> Proxy:
    """The proxy with what the capabilities say of the layer and of its tile matrix sets."""
    from owslib.wmts import WebMapTileService

    url = with_query(proxy.url, service="WMTS", version="1.0.0", request="GetCapabilities")
    fetched = upstream.get(url)
    xml_of(fetched, url)
    service = capabilities(lambda: WebMapTileService(proxy.url, xml=fetched.body), url)
    about = service.contents.get(proxy.name)
    if about is None:
        some = ", ".join(list(service.contents)[:20])
        raise UpstreamFailed(f"{host(proxy.url)} has no layer {proxy.name!r}; it has {some}")
    formats = [name for name, media_type in FORMATS.items() if media_type in about.formats]
    sets = {name: _matrix_set(service.tilematrixsets[name]) for name in about.tilematrixsetlinks}
    sets = {name: found for name, found in sets.items() if found["srid"] is not None}
    if not formats or not sets:
        raise UpstreamFailed(f"{host(proxy.url)} offers no PNG or JPEG tiles of this layer in a system known by EPSG")
    details = {"formats": formats, "sets": sets, "style": next(iter(about.styles), "default")}
    return proxy.described(extent=box_of(about.boundingBoxWGS84), details=details)


def tile_url(proxy: Proxy, set_: str, matrix: str, row: int, column: int, format_: str) -> str:
    """Where a tile is."""
    if format_ not in proxy.details["formats"]:
        raise NotOffered(f"{host(proxy.url)} has no {format_} tiles: choose {', '.join(proxy.details['formats'])}")
    return with_query(
        proxy.url, service="WMTS", version="1.0.0", request="GetTile", layer=proxy.name, style=proxy.details["style"],
        format=FORMATS[format_], tilematrixset=set_, tilematrix=matrix, tilerow=row, tilecol=column,
    )  # fmt: skip


def picture_of(proxy: Proxy, fetched: Fetched) -> Fetched:
    """The picture. Raises :class:`UpstreamFailed` where a report came in its place."""
    media_type = fetched.media_type.partition(";")[0].strip().lower()
    starts = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}
    if media_type not in starts or not fetched.body.startswith(starts[media_type]):
        if b"<" in fetched.body[:200]:
            xml_of(fetched, proxy.url)
        raise UpstreamFailed(f"{host(proxy.url)} answers no picture")
    return Fetched(fetched.body, media_type)


def _matrix_set(found: Any) -> dict[str, Any]:
    """EPSG code, and of each matrix: identifier, scale denominator, west, north, tile side [pixels], rows, columns."""
    code = str(found.crs).rpartition(":")[2]
    srid = {"900913": 3857, "CRS84": 4326}.get(code, int(code) if code.isdigit() else None)
    matrices = []
    for matrix in list(found.tilematrix.values())[:_MOST_MATRICES]:
        x, y = matrix.topleftcorner
        if srid in (4326, 4490) and code != "CRS84":
            x, y = y, x
        sides = (matrix.tilewidth, matrix.matrixheight, matrix.matrixwidth)
        matrices.append([matrix.identifier, float(matrix.scaledenominator), float(x), float(y), *sides])
    return {"srid": srid, "matrices": matrices}
