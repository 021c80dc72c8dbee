"""``GET /lite``."""

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request

from geoserver.lite.asked import Asked, read
from geoserver.lite.contents import Found, listing, search
from geoserver.lite.leaflet import TILE, map_script
from geoserver.lite.view import HEIGHT, WIDTH, View
from geoserver.map_contents import CITY
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.reply import Reply
from geoserver.web.policy import content_security_policy

if TYPE_CHECKING:
    from geoserver.city import City

_CHINA = (73.0, 18.0, 135.0, 54.0)
#: Directions of the links that move the picture: name, parts of its width and height.
_MOVES = (("north", 0, -0.5), ("west", -0.5, 0), ("east", 0.5, 0), ("south", 0, 0.5))


def get_lite(city: "City", request: Request, _body: bytes) -> Reply:
    """The page: everything works by links and a form; a script only makes the map move under the hand."""
    language = city.language(request)
    document = city.style(language)
    style = document["metadata"]
    entries = [one for one in style["citymap:layers"] if not one["visible"]]
    asked = read(request, [one["id"] for one in style["citymap:layers"]])
    home = View.of(style["citymap:bounds"] or _CHINA)
    view = asked.view or home
    found = search(city, asked.words, view) if asked.words else []
    if found and asked.view is None:
        view = found[0].view
    asked = replace(asked, view=view)
    layer = city.layers[asked.listed] if asked.listed else None
    listed = listing(city, layer, view, asked.first) if layer and layer.kind != "coverage" else None
    root = str(request.scope.get("root_path", ""))
    drawn = f"collections={','.join(quote(name, safe='') for name in asked.layers)}&lang={language}&f=png"
    tiles = f"{root}/styles/city/map/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?{drawn}&size={TILE}"
    script = map_script(tiles, _credit(city, asked) or document["name"], view, [_point(one) for one in found])
    data: dict[str, Any] = {
        "asked": asked, "view": view, "entries": entries, "listed": listed, "found": found, "script": script,
        "listable": [one for one in style["citymap:layers"] if city.layers[one["id"]].kind != "coverage"],
        "legend": [one for one in style["citymap:layers"] if one["id"] in asked.layers],
        "picture": _picture(drawn, view), "width": WIDTH, "height": HEIGHT, "city": CITY,
        "moves": {name: asked.address(view=view.moved(x, y), first=0) for name, x, y in _MOVES},
        "nearer": asked.address(view=view.zoomed(1), first=0), "farther": asked.address(view=view.zoomed(-1), first=0),
        "home": asked.address(view=home, first=0), "cleared": Asked(language=asked.language).address(),
    }  # fmt: skip
    page = city.pages.page(request, "lite.html", data, {"Cache-Control": "no-cache", "Vary": "Accept-Language"})
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = content_security_policy(f"sha256-{digest}", forms="'self'")
    return replace(page, headers={**page.headers, "Content-Security-Policy": policy})


def _picture(drawn: str, view: View) -> str:
    """The query of the map as one picture, for readers without scripts."""
    box = ",".join(f"{value:.7f}" for value in view.box())
    return f"{drawn}&bbox={box}&crs=EPSG:3857&width={WIDTH}&height={HEIGHT}&bgcolor=0xf5f3ee"


def _credit(city: "City", asked: Asked) -> str:
    base = [one["id"] for one in city.style("zh-CN")["metadata"]["citymap:layers"] if one["visible"]]
    names = [*(base if CITY in asked.layers else []), *asked.layers]
    return " · ".join(sorted({city.layers[name].licence for name in names if name in city.layers} - {"", None}))


def _point(found: Found) -> dict[str, Any]:
    spot = {"type": "Point", "coordinates": [found.view.lon, found.view.lat]}
    return {"type": "Feature", "geometry": spot, "properties": {"name": found.name}}


def lite_paths() -> Json:
    """The route as OpenAPI has it."""
    text: Json = {"type": "string"}
    asked = [
        parameter("layers", "Layers over each other; city is the base map", {"type": "array", "items": text}),
        parameter("list", "A layer whose features in view are listed", text),
        parameter("q", "What to search for", {**text, "maxLength": 200}),
        parameter("at", "Longitude, latitude and zoom", {**text, "example": "114.9,30.4,15"}),
        parameter("from", "First row of the list", {"type": "integer", "minimum": 0, "maximum": 99_999}),
        reference("parameters", "lang"),
    ]
    page = {"200": content("The page", "text/html")}
    return {"/lite": {"get": operation("getLitePage", "The map for browsers without WebGL 2", asked, page)}}
