"""The application: every route in one list."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from geoserver import core, coverages, edits, features, health, moving_edits, processes, upload_routes, vector_tiles
from geoserver.archives import ROUTES as ARCHIVES
from geoserver.audit.routes import get_audit
from geoserver.change_feed import changes
from geoserver.config import load
from geoserver.database_roles import ACCESS_ROLE, role_url
from geoserver.edr.routes import ROUTES as EDR
from geoserver.errors import SignInNeeded, exception_document
from geoserver.guard.application import GuardedApplication
from geoserver.guard.logs import configure_logging
from geoserver.identity.bodies import MAX_BODY
from geoserver.identity.routes import ROUTES as IDENTITY_ROUTES
from geoserver.legends import ROUTES as LEGENDS
from geoserver.lite.routes import get_lite
from geoserver.live import get_live
from geoserver.maps import ROUTES as MAPS
from geoserver.open311 import routes as open311_routes
from geoserver.operations import ROUTES as OPERATIONS
from geoserver.ows.wms import ROUTES as WMS
from geoserver.ows.wmts import ROUTES as WMTS
from geoserver.photo_routes import get_photo
from geoserver.proxies.pictures import drawn_on_maps
from geoserver.proxies.routes import either
from geoserver.public_notices import routes as public_notice_routes
from geoserver.public_reports import routes as public_report_routes
from geoserver.qgis import ROUTES as QGIS
from geoserver.raster_tiles import ROUTES as PICTURE_TILES
from geoserver.records import ROUTES as RECORDS
from geoserver.reply import endpoint, failure, response, told
from geoserver.running import RunningCity
from geoserver.settings import Settings
from geoserver.terrain_tiles import ROUTES as TERRAIN_TILES
from geoserver.three_d_tiles import ROUTES as THREE_D_TILES
from geoserver.tile_documents import ROUTES as TILE_DOCUMENTS
from geoserver.tracking_routes import routes as tracking_routes
from geoserver.versions import ROUTES as VERSIONS
from geoserver.web.routes import routes as web_routes
from layers.access import ANONYMOUS, APP_ROLE
from layers.catalogue import Layer
from layers.database import Database
from layers.gazetteer.spelling import spell

_PICTURES = (*PICTURE_TILES, *TERRAIN_TILES, *MAPS, *LEGENDS, *WMTS, *WMS, *ARCHIVES, *QGIS)
_JOB = "/jobs/{job}"
_ITEMS = "/collections/{collection}/items"
_ITEM = _ITEMS + "/{item}"
_QUERYABLES, _SCHEMA = "/collections/{collection}/queryables", "/collections/{collection}/schema"


def routes(max_body: int, max_inputs: int) -> list[BaseRoute]:
    """Every route. ``max_body`` [bytes] bounds what an edit may send, ``max_inputs`` an execute request."""
    return [
        Route("/", endpoint(core.get_landing_page)),
        Route("/conformance", endpoint(core.get_conformance)),
        Route("/openapi", endpoint(core.get_openapi)),
        Route("/functions", endpoint(features.get_functions)),
        Route("/collections", endpoint(core.get_collections)),
        *(Route(path, endpoint(handler)) for path, handler in RECORDS),
        Route("/collections/{collection}", endpoint(core.get_collections)),
        Route(_QUERYABLES, endpoint(either(_QUERYABLES, features.get_queryables))),
        Route(_SCHEMA, endpoint(either(_SCHEMA, coverages.get_schema))),
        Route("/collections/{collection}/coverage", endpoint(coverages.get_coverage)),
        Route(_ITEMS, endpoint(either(_ITEMS, features.get_items)), methods=["GET"]),
        Route(_ITEMS, endpoint(moving_edits.post_item, max_body, admit=edits.may_create), methods=["POST"]),
        Route(_ITEMS, endpoint(edits.items_options), methods=["OPTIONS"]),
        Route(_ITEM, endpoint(either(_ITEM, features.get_item)), methods=["GET"]),
        Route(_ITEM, endpoint(edits.put_item, max_body, admit=edits.may_update), methods=["PUT"]),
        Route(_ITEM, endpoint(edits.patch_item, max_body, admit=edits.may_update), methods=["PATCH"]),
        Route(_ITEM, endpoint(edits.delete_item), methods=["DELETE"]),
        Route(_ITEM, endpoint(edits.item_options), methods=["OPTIONS"]),
        *(Route(path, endpoint(handler)) for path, handler in (*EDR, *VERSIONS)),
        *(Route(path, endpoint(either(path, handler))) for path, handler in _PICTURES),
        Route("/tiles/{tms}/{z}/{y}/{x}", endpoint(vector_tiles.get_city_tile)),
        *(Route(path, endpoint(handler)) for path, handler in TILE_DOCUMENTS),
        *(Route(path, endpoint(handler)) for path, handler in THREE_D_TILES),
        Route("/processes", endpoint(processes.get_processes)),
        Route("/processes/{process}", endpoint(processes.get_process)),
        Route("/processes/{process}/execution", endpoint(processes.execute, max_inputs), methods=["POST"]),
        Route("/jobs", endpoint(processes.get_jobs)),
        Route(_JOB, endpoint(processes.get_job), methods=["GET"]),
        Route(_JOB, endpoint(processes.delete_job), methods=["DELETE"]),
        Route(f"{_JOB}/results", endpoint(processes.get_results)),
        Route("/uploads", upload_routes.post_upload, methods=["POST"]),
        Route("/uploads/{upload}", endpoint(upload_routes.get_upload), methods=["GET"]),
        Route("/uploads/{upload}", endpoint(upload_routes.delete_upload), methods=["DELETE"]),
        Route("/photos/{photo}", endpoint(get_photo), methods=["GET"]),
        Route("/audit", endpoint(get_audit)),
        *(Route(path, endpoint(handler), methods=["GET"]) for path, handler in OPERATIONS),
        *(Route(path, endpoint(handler, MAX_BODY), methods=[method]) for method, path, handler in IDENTITY_ROUTES),
        Route("/live", get_live, methods=["GET"]),
        Route("/collections/{collection}/changes", changes, methods=["GET"]),
        Route("/lite", endpoint(get_lite)),
        *tracking_routes(),
        *open311_routes(),
        *public_report_routes(),
        *public_notice_routes(),
        Route("/health", health.get_health),
        Route("/ready", endpoint(health.get_ready)),
        *web_routes(
            _on_the_map,
            lambda request: request.app.state.city.seen_in(request).account,
            _spelled,
        ),
    ]


def _on_the_map(request: Request) -> Mapping[str, Layer]:
    city = request.app.state.city.seen_in(request)
    return {**drawn_on_maps(city), **city.layers} if city.proxies else city.layers


def _spelled(request: Request, texts: Sequence[str]) -> Mapping[str, str]:
    with request.app.state.city.seen_in(request).reading() as reader:
        return spell(reader, texts)


def make_app(settings: Settings, database_url: str) -> Starlette:
    """The ASGI application of one worker over a migrated database; ``database_url`` is its owner's."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # As many request threads as pooled connections: requests wait in the executor's queue, which is fair, and
        # never for a connection, which is not. Whatever else blocks (uploads, chunks of exports) has its own threads.
        app.state.waiting = 0
        app.state.threads = ThreadPoolExecutor(settings.database.pool_size, thread_name_prefix="request")
        database = Database(
            settings.database.app_url or role_url(database_url, APP_ROLE),
            pool_size=settings.database.pool_size,
            overflow=settings.server.jobs.sync_at_once,
            statement_timeout=settings.database.statement_timeout,
            warm_srids=settings.crs.offered,
        )
        gate = Database(
            settings.database.access_url or role_url(database_url, ACCESS_ROLE),
            pool_size=settings.database.pool_size,
            statement_timeout=settings.database.statement_timeout,
        )
        app.state.city = RunningCity(settings, database, gate)
        app.state.city.watch()
        app.state.threads.submit(database.fill)
        yield
        app.state.city.close()

    max_body = int(settings.server.limits.max_body_mb * 1_000_000)
    max_inputs = int(settings.server.jobs.max_inputs_mb * 1_000_000)
    handlers = {HTTPException: _http_error, SignInNeeded: _sign_in_needed}
    return GuardedApplication(
        settings, routes=routes(max_body, max_inputs), lifespan=lifespan, exception_handlers=handlers
    )


def worker() -> Starlette:
    """What each uvicorn worker process imports: settings from the environment that ``citymap up`` set."""
    settings = load()
    assert settings.database.url, "citymap up passes the database's address to its workers"
    configure_logging(settings.logging)
    return make_app(settings, settings.database.url)


async def _sign_in_needed(request: Request, error: Exception) -> Response:
    return response(failure(error, request))


def _allowed(request: Request) -> str:
    """The methods of every route with this path (RFC 9110 §15.5.6); Starlette names those of the first only."""
    here = [r for r in request.app.routes if isinstance(r, Route) and r.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in here for method in route.methods or ()}))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "NoApplicableCode")
    text = {404: "there is no such page; / links to everything there is"}.get(error.status_code, error.detail)
    headers = (
        {"Allow": _allowed(request)} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else error.headers or {}
    )
    reply = told(exception_document(code, text), error.status_code, request)
    reply = dataclasses.replace(reply, headers={**reply.headers, **headers})
    pages = request.app.state.city.seen_by(ANONYMOUS).pages
    return response(await asyncio.to_thread(pages.failure, request, reply))
