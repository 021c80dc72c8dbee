"""The pages of daily work: ``/report`` on phones, with its service worker and manifest; ``/cases``, ``/board`` and
``/planning`` in the office.

The report page is the same for everybody, whoever is signed in, so that a phone may keep it; its service worker has
that page alone as its scope.
"""

import html
import json
from collections.abc import Callable, Mapping
from functools import cache
from string import Template

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from geoserver.language import choose_language
from geoserver.openapi import Json, content, operation, reference
from geoserver.web.assets import STATIC, WEB, Asset
from geoserver.web.map_page import LANGUAGES, import_map, map_policy
from geoserver.web.palette import PALETTES

#: Files that the report page works with when there is no network, by how their paths begin.
OFFLINE = (
    "report/", "work/", "map/html.js", "map/i18n.js", "map/store.js", "map/theme.js", "pages/session.js",
    "vendor/preact", "vendor/htm", "vendor/maplibre-gl",
)  # fmt: skip
#: Parts of administration, each a page below ``/admin``; accounts and keys are ``/admin`` itself.
ADMIN_PARTS = ("layers", "rules", "terminals", "jobs", "health", "log")
#: The worker itself is fetched by the browser, not by the page.
_WORKER = "report/worker.js"
_BLUE, _GROUND = "#0f4c81", "#f3f6f9"
_PERMISSIONS = "geolocation=(self), screen-wake-lock=(self), camera=(), microphone=()"


def routes(assets: Mapping[str, Asset], version: str, account_for: Callable[[Request], str | None]) -> list[BaseRoute]:
    """``/report`` and what belongs to it, ``/cases``; ``version`` is of the static files."""
    pages = WorkPages(assets, version, account_for)
    return [
        Route("/report", pages.report),
        Route("/board", pages.board),
        Route("/dispatch", pages.dispatch),
        Route("/report/worker.js", pages.worker),
        Route("/report/manifest.webmanifest", pages.manifest),
        Route("/cases", pages.cases),
        Route("/planning", pages.planning),
        *(Route(f"/admin/{part}", pages.admin) for part in ADMIN_PARTS),
    ]


@cache
def strings(app: str, language: str) -> dict[str, str]:
    """The texts of a page: its own, those of both pages, and the map library's."""
    files = (STATIC / "i18n" / f"{name}{language}.json" for name in (f"{app}/", "work/", ""))
    own, shared, of_map = (dict[str, str](json.loads(file.read_text("utf-8"))) for file in files)
    return shared | own | {key: text for key, text in of_map.items() if key.startswith("maplibre.")}


def offline_files(assets: Mapping[str, Asset]) -> list[str]:
    """The static files that the service worker keeps."""
    return sorted(path for path in assets if path.startswith(OFFLINE) and path != _WORKER)


class WorkPages:
    """The answers."""

    def __init__(
        self, assets: Mapping[str, Asset], version: str, account_for: Callable[[Request], str | None]
    ) -> None:
        self._assets = assets
        self._version = version
        self._account_for = account_for

    def report(self, request: Request) -> Response:
        """The report page, the same for everybody."""
        return self._page(request, "report", "")

    def cases(self, request: Request) -> Response:
        """The inbox of cases."""
        return self._page(request, "cases", self._account_for(request) or "")

    def board(self, request: Request) -> Response:
        """The leader's view."""
        return self._page(request, "board", self._account_for(request) or "")

    def planning(self, request: Request) -> Response:
        """Red lines, schemes, plans and notices; the public sees what needs no account."""
        return self._page(request, "planning", self._account_for(request) or "")

    def dispatch(self, request: Request) -> Response:
        """The dispatcher's desk."""
        return self._page(request, "dispatch", self._account_for(request) or "")

    def admin(self, request: Request) -> Response:
        """The pages of administration; what each shows, its requests decide."""
        return self._page(request, "admin", self._account_for(request) or "")

    def worker(self, request: Request) -> Response:
        """The service worker of the report page: with the list of what it keeps, its bytes change with every file."""
        base, static = self._addresses(request)
        build = {
            "version": self._version,
            "page": f"{base}report",
            "static": static,
            "languages": LANGUAGES,
            "files": [f"{static}/{path}" for path in offline_files(self._assets)],
            "data": [
                f"{base}open311/v2/services.json",
                *(f"{base}styles/city?theme={theme}&lang={one}" for one in LANGUAGES for theme in PALETTES),
            ],
            "tiles": f"{base}tiles/",
        }
        body = b"self.BUILD = " + orjson.dumps(build) + b";\n" + self._assets[_WORKER].body
        headers = {
            "Service-Worker-Allowed": f"{base}report",
            "Cache-Control": "no-cache",
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'; script-src 'self'",
        }
        return Response(body, headers=headers, media_type="text/javascript; charset=utf-8")

    def manifest(self, request: Request) -> Response:
        """The web app manifest (W3C Web Application Manifest) of the report page."""
        base, static = self._addresses(request)
        texts = strings("report", _language(request))
        icon = f"{static}/report/icon"
        document = {
            "id": f"{base}report",
            "name": texts["page.app"],
            "short_name": texts["page.short"],
            "description": texts["page.description"],
            "lang": _language(request),
            "start_url": f"{base}report",
            "scope": f"{base}report",
            "display": "standalone",
            "orientation": "portrait",
            "theme_color": _BLUE,
            "background_color": _GROUND,
            "icons": [
                {"src": f"{icon}.svg", "sizes": "any", "type": "image/svg+xml"},
                {"src": f"{icon}-192.png", "sizes": "192x192", "type": "image/png"},
                {"src": f"{icon}-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
            ],
        }
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
        return Response(orjson.dumps(document), headers=headers, media_type="application/manifest+json")

    def _page(self, request: Request, app: str, account: str) -> Response:
        language = _language(request)
        base, static = self._addresses(request)
        headers = {
            "Content-Security-Policy": map_policy(static),
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": "private, no-cache" if account else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": _PERMISSIONS,
        }
        return HTMLResponse(page(app, language, base, static, account), headers=headers)

    def _addresses(self, request: Request) -> tuple[str, str]:
        """The server's path prefix with its slash, and the address of this build's files without one."""
        base = request.scope.get("root_path", "") + "/"
        return base, f"{base}static/@{self._version}"


def page(app: str, language: str, base: str, static: str, account: str) -> str:
    """The document of a page; its only inline script is the import map, which the policy names by its hash."""
    texts = strings(app, language)
    links = (
        f'\n  <link rel="manifest" href="{base}report/manifest.webmanifest?lang={language}">'
        f'\n  <link rel="apple-touch-icon" href="{static}/report/icon-192.png">'
    )
    return Template((WEB / "work.html").read_text("utf-8")).substitute(
        {key.replace(".", "_"): html.escape(text) for key, text in texts.items() if key.startswith("page.")},
        app=app,
        language=language,
        base=html.escape(base),
        root=html.escape(base.removesuffix("/")),
        account=html.escape(account),
        static=html.escape(static),
        imports=import_map(static),
        links=links if app == "report" else "",
        # A data block: never executed, and "<" cannot end it.
        strings=json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"),
    )


def _language(request: Request) -> str:
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""), LANGUAGES)


def work_paths() -> Json:
    """The routes as OpenAPI has them."""
    lang = [reference("parameters", "lang")]

    def got(name: str, summary: str, media_type: str) -> Json:
        return {"get": operation(name, summary, lang, {"200": content(summary, media_type)})}

    return {
        "/report": got("getReportPage", "The page for reporting, installable on phones", "text/html"),
        "/board": got("getBoardPage", "The leader's view: numbers, map and cases", "text/html"),
        "/dispatch": got("getDispatchPage", "The dispatcher's desk: vehicles, alarms, tasks, replay", "text/html"),
        "/report/worker.js": got("getReportWorker", "The service worker of that page", "text/javascript"),
        "/report/manifest.webmanifest": got("getReportManifest", "Its manifest", "application/manifest+json"),
        "/cases": got("getCasesPage", "The inbox of cases", "text/html"),
        **{
            f"/admin/{part}": got(f"getAdmin{part.title()}Page", f"Administration: {part}", "text/html")
            for part in ADMIN_PARTS
        },
        "/planning": got("getPlanningPage", "Red lines: draw, import, check, procedure, notices", "text/html"),
    }


