"""The pages of ``/notices``: works without a script but for sending a comment; the map and the 3D view are pictures."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import shapely
from pydantic import TypeAdapter
from sqlalchemy import Connection, text
from starlette.requests import Request

from geoserver.errors import NotThere
from geoserver.formats import negotiate
from geoserver.lite.view import HEIGHT, WIDTH, View
from geoserver.parameters import query_values
from geoserver.reply import Reply
from planning.massing.view import massing_svg
from planning.publicity.details import details
from planning.publicity.processes import NoticeDetails
from planning.publicity.reading import Notice, all_notices, notice_by_id

if TYPE_CHECKING:
    from geoserver.city import City

_DETAILS = TypeAdapter(NoticeDetails)
#: Layers over the base map of a notice.
_SHOWN = ("city", "notices", "notice-buildings", "published-comments")
_MOST_NOTICES, _MOST_BUILDINGS = 200, 500
_NO_CACHE = {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Language"}


def numbered(conn: Connection, notice: str) -> Notice:
    """The notice of an address. Raises :class:`NotThere`."""
    found = notice_by_id(conn, int(notice)) if notice.isdigit() and notice.isascii() and len(notice) < 16 else None
    if found is None:
        raise NotThere(f"there is no notice {notice[:40]!r}")
    return found


def get_notices(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /notices``: the newest first, as a page or JSON."""
    kind = _kind(request)
    today = city.settings.planning.for_processes().today()
    with city.transaction() as conn:
        rows = [
            {
                "id": n.id, "number": n.number, "title": n.title, "kind": n.kind, "begins": n.begins, "ends": n.ends,
                "state": n.state(today), "page": f"/notices/{n.id}",
            }
            for n in all_notices(conn, _MOST_NOTICES)
        ]  # fmt: skip
    if kind == "json":
        return Reply(orjson.dumps({"notices": rows}), headers=_NO_CACHE)
    return city.pages.page(request, "notices/index.html", {"notices": rows}, _NO_CACHE)


def get_notice(city: "City", request: Request, _body: bytes, notice: str) -> Reply:
    """``GET /notices/{notice}``: what it says, map, buildings, drawings, comments, as a page or JSON."""
    kind = _kind(request)
    options = city.settings.planning.for_processes()
    with city.transaction() as conn:
        found = numbered(conn, notice)
        told = details(conn, found, options.today())
        if kind == "json":
            return Reply(_DETAILS.dump_json(told), headers=_NO_CACHE)
        shape = shapely.from_wkb(bytes(conn.execute(_SHAPE, {"id": found.id}).scalar_one()))
        buildings = conn.execute(_BUILDINGS, {"notice": found.number, "most": _MOST_BUILDINGS}).all()
    west, south, east, north = _wider(shape.bounds)
    view = View.of((west, south, east, north))
    box = view.box()
    language = city.language(request)
    data: dict[str, Any] = {
        "notice": told, "open": told.state == "open" and options.comments_open, "width": WIDTH, "height": HEIGHT,
        "picture": _picture(city, box, language), "box": ",".join(f"{value:.8f}" for value in box),
        "map": f"map={view.zoom}/{view.lat:.6f}/{view.lon:.6f}",
        "massing": _massing(buildings, shape, told.title) if buildings else None,
    }  # fmt: skip
    return city.pages.page(request, "notices/notice.html", data, _NO_CACHE)


_SHAPE = text("SELECT ST_AsBinary(geom) FROM city.notices WHERE id = :id")
_BUILDINGS = text("""
    SELECT ST_AsBinary(geom) AS shape, coalesce(min_height, 0) AS base, coalesce(height, 3) AS top
    FROM city.notice_buildings WHERE notice = :notice ORDER BY id LIMIT :most""")


def _massing(buildings: Any, ground: Any, title: str) -> str:
    solids = [(shapely.from_wkb(bytes(b.shape)), float(b.base), float(b.top)) for b in buildings]
    return massing_svg(solids, ground, title)


def _picture(city: "City", box: tuple[float, float, float, float], language: str) -> str:
    names = [name for name in _SHOWN if name == "city" or name in city.layers]
    bounds = ",".join(f"{value:.7f}" for value in box)
    return (
        f"collections={','.join(quote(name, safe='') for name in names)}&lang={language}&f=png&bbox={bounds}"
        f"&crs=EPSG:3857&width={WIDTH}&height={HEIGHT}&bgcolor=0xf5f3ee"
    )


def _wider(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """With room around, at least some 60 m."""
    west, south, east, north = bounds
    x, y = max((east - west) * 0.2, 0.0006), max((north - south) * 0.2, 0.0006)
    return west - x, south - y, east + x, north + y


def _kind(request: Request) -> str:
    query_values(request, ("f", "lang"))
    given = {"f": request.query_params["f"]} if "f" in request.query_params else {}
    return negotiate(request, given, ("json", "html"))
