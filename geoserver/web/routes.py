"""Routes of the web client: the map page, its files, and the city's style."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from geoserver.language import choose_language
from geoserver.web.assets import WEB, Asset, fingerprint, missing_packages, read_assets
from geoserver.web.map_page import LANGUAGES, map_page, map_policy
from geoserver.web.palette import PALETTES
from geoserver.web.sprites import has_signs, sprite
from geoserver.web.style import city_style
from geoserver.web.work_pages import routes as work_routes
from layers.catalogue import Layer

type LayersFor = Callable[[Request], Mapping[str, Layer]]
type AccountFor = Callable[[Request], str | None]
type SpelledFor = Callable[[Request, Sequence[str]], Mapping[str, str]]

_YEAR = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
#: Lists of layers whose spelling is remembered.
_SPELLED = 100
#: Files from here on are gzipped beside the loop that answers everybody [bytes].
_LARGE = 200_000


def _nobody(_request: Request) -> None:
    return None


def _as_written(_request: Request, titles: Sequence[str]) -> Mapping[str, str]:
    return {title: title for title in titles}


def routes(
    layers_for: LayersFor, account_for: AccountFor = _nobody, spelled_for: SpelledFor = _as_written
) -> list[BaseRoute]:
    """``/map``, ``/static/…``, ``/styles/…`` and ``/favicon.svg``.

    ``layers_for`` gives the layers that the asker may see, ``account_for`` who that is, ``spelled_for`` the pinyin of
    their titles. Without its npm packages the map page answers 503.
    """
    assets = read_assets()
    client = Client(assets, layers_for, account_for, spelled_for)
    return [
        Route("/map", client.map, name="map"),
        Route("/styles/city", client.style, name="city-style"),
        Route("/styles/sprites/{name}", client.sprite),
        Route("/static/{path:path}", client.static, name="static"),
        Route("/favicon.svg", client.favicon),
        *work_routes(assets, fingerprint(assets), account_for),
    ]


class Client:
    """The client's answers, over files read once and a catalogue read per request."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        layers_for: LayersFor,
        account_for: AccountFor,
        spelled_for: SpelledFor = _as_written,
    ) -> None:
        self._assets = assets
        self._layers_for = layers_for
        self._account_for = account_for
        self._spelled_for = spelled_for
        self._spelled: dict[tuple[str, ...], Mapping[str, str]] = {}
        self._version = fingerprint(assets)

    def map(self, request: Request) -> Response:
        """The map page in the reader's language."""
        if missing := missing_packages(self._assets):
            cure = f"{missing[0]} is not installed: run 'npm ci' in {WEB} and start the server again"
            return JSONResponse({"code": "ServiceUnavailable", "description": cure}, 503)
        language = _language(request)
        base = request.scope.get("root_path", "") + "/"
        static_url = f"{base}static/@{self._version}"
        account = self._account_for(request)
        headers = {
            "Content-Security-Policy": map_policy(static_url),
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": f"private, {_REVALIDATE}" if account else _REVALIDATE,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
        }
        return HTMLResponse(map_page(language, base, static_url, account), headers=headers)

    async def static(self, request: Request) -> Response:
        """One file; addressed below ``@version/`` it may be kept for a year, otherwise it is asked after each time."""
        path = request.path_params["path"]
        version, _, rest = path.partition("/")
        current = version == f"@{self._version}"
        asset = self._assets.get(rest if version.startswith("@") else path)
        if asset is None:
            return JSONResponse(
                {"code": "NotFound", "description": f"no file /static/{path}: reload the page that asked for it"}, 404
            )
        if len(asset.body) >= _LARGE:
            await asyncio.to_thread(getattr, asset, "packed")
        return _file(request, asset, _YEAR if current else _REVALIDATE)

    async def favicon(self, request: Request) -> Response:
        """The city's mark in the browser's tab."""
        return _file(request, self._assets["favicon.svg"], "public, max-age=86400")

    def style(self, request: Request) -> Response:
        """The MapLibre style of everything the asker may see; ``lang`` and ``theme`` (light, dark) choose its look."""
        theme = request.query_params.get("theme", "light")
        if theme not in PALETTES:
            return JSONResponse(
                {"code": "InvalidParameterValue", "description": f"theme must be one of {', '.join(PALETTES)}"}, 400
            )
        base_url = str(request.base_url).rstrip("/")
        style = city_style(self._layers_for(request), base_url, _language(request), theme, signs=has_signs())
        self._spell(request, style["metadata"]["citymap:layers"])
        body = orjson.dumps(style)
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}{"-gz" if _takes_gzip(request) else ""}"'
        headers = {"ETag": etag, "Cache-Control": _REVALIDATE, "Vary": "Accept-Language, Accept-Encoding"}
        if _matches(request, etag):
            return Response(status_code=304, headers=headers)
        if _takes_gzip(request):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers, media_type="application/vnd.mapbox.style+json")

    def sprite(self, request: Request) -> Response:
        """The signs of the city's style: ``light`` or ``dark``, with ``@2x`` or without, ``.json`` or ``.png``."""
        found = sprite(request.path_params["name"][:40])
        if found is None:
            description = "sprites are light.json, light.png, light@2x.json, light@2x.png, and the same of dark"
            return JSONResponse({"code": "NotFound", "description": description}, 404)
        body, media_type = found
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": etag, "Cache-Control": _REVALIDATE, "X-Content-Type-Options": "nosniff"}
        if _matches(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    def _spell(self, request: Request, listed: list[dict[str, Any]]) -> None:
        """Add to each listed layer how its title is spelled."""
        titles = tuple(entry["title"] for entry in listed)
        found = self._spelled.get(titles)
        if found is None:
            if len(self._spelled) >= _SPELLED:
                self._spelled.clear()
            found = self._spelled[titles] = self._spelled_for(request, titles)
        for entry in listed:
            entry["pinyin"] = found.get(entry["title"], "")


def _file(request: Request, asset: Asset, cache_control: str) -> Response:
    packed = _takes_gzip(request)
    etag = f'"{asset.etag}{"-gz" if packed else ""}"'
    headers = {
        "ETag": etag,
        "Cache-Control": cache_control,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'; script-src 'self'",
    }
    if _matches(request, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.media_type
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.packed if packed else asset.body, headers=headers)


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _matches(request: Request, etag: str) -> bool:
    return etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(","))


def _language(request: Request) -> str:
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""), LANGUAGES)
