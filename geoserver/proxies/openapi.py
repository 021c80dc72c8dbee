"""Layers of other servers in OpenAPI: what of our routes they answer, each by its own address."""

from collections.abc import Mapping

from geoserver.openapi import Json, content, operation, parameter, reference
from layers.exchange.proxies.model import Proxy

_TILES = ("tms", "z", "y", "x")


def proxy_paths(proxies: Mapping[str, Proxy]) -> Json:
    """The paths of those that may be seen."""
    paths: Json = {}
    for proxy in proxies.values():
        paths |= _features(proxy) if proxy.features else _pictures(proxy)
    return paths


def _features(proxy: Proxy) -> Json:
    here, about = f"/collections/{proxy.id}", f"{proxy.title.zh} {proxy.title.en}"
    names = (
        *("f-linked", "lang", "limit", "offset", "bbox", "bbox-crs", "datetime", "crs"),
        *("filter", "filter-lang", "filter-crs"),
    )
    asked = [reference("parameters", name) for name in names]
    item: Json = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
    features = {"200": content("Features", "application/geo+json", schema={"type": "object"})}
    schema = {"200": content("A schema", "application/schema+json", schema={"type": "object"})}
    linked = [reference("parameters", name) for name in ("f-linked", "lang")]
    shown = [reference("parameters", "lang")]
    return {
        f"{here}/items": _get(proxy, "Items", f"Features of {about}", asked, features),
        f"{here}/items/{{featureId}}": _get(proxy, "Item", f"A feature of {about}", [item, *linked], features),
        f"{here}/queryables": _get(proxy, "Queryables", f"What {about} can be filtered by", shown, schema),
        f"{here}/schema": _get(proxy, "Schema", f"Fields of {about}", shown, schema),
    }


def _pictures(proxy: Proxy) -> Json:
    here, about = f"/collections/{proxy.id}", f"{proxy.title.zh} {proxy.title.en}"
    formats = list(proxy.details["formats"])
    picture = {"200": content("A picture", *(f"image/{name}" for name in formats))}
    form = parameter("f", "Format", {"type": "string", "enum": formats})
    place = [reference("parameters", name) for name in _TILES]
    paths = {
        f"{here}/map/tiles/{{tms}}/{{z}}/{{y}}/{{x}}": _get(
            proxy, "Tile", f"A tile of {about}", [*place, form], picture
        )
    }
    if proxy.kind == "wms":
        side = {"type": "integer", "minimum": 1, "maximum": 4096}
        asked = [
            *(reference("parameters", name) for name in ("bbox", "bbox-crs", "crs")),
            parameter("width", "Pixels across", side), parameter("height", "Pixels down", side), form,
            parameter("transparent", "Whether what is empty is transparent", {"type": "boolean"}),
        ]  # fmt: skip
        paths[f"{here}/map"] = _get(proxy, "Map", f"A map of {about}", asked, picture)
    return paths


def _get(proxy: Proxy, what: str, summary: str, asked: list[Json], answer: Json) -> Json:
    return {"get": operation(f"get-{proxy.id}-{what}", summary, asked, answer, proxy.id)}
