"""Past states of a collection over HTTP: the history of a feature, the difference between two instants, named versions,
imports. They are JSON; names are given, and imports taken back, by processes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from geoserver.errors import NotAllowed, ParameterError, SignInNeeded
from geoserver.features import feature_id, find_layer
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import (
    Limits,
    crs_parameter,
    feature_query,
    instant,
    query_values,
    result_type,
    single_values,
    whole,
)
from geoserver.reply import Reply
from layers.catalogue import Layer
from layers.cql2 import Cql2Error
from layers.database import Reader
from layers.versions.difference import PRESENT, changes_between, count_changes
from layers.versions.errors import NoSuchVersion
from layers.versions.history import MAX_STATES, State, states_of
from layers.versions.imports import imports_of
from layers.versions.instants import reads_like_instant
from layers.versions.names import instant_of, versions
from layers.versions.people import is_staff, told_of

if TYPE_CHECKING:
    from geoserver.city import City

_GEOJSON = "application/geo+json"
_OURS = ("from", "to")
#: What an items request takes that means nothing for a difference.
_NOT_HERE = ("as-of", "cursor", "offset", "sortby", "datetime")


def get_history(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``GET /collections/{collection}/items/{item}/history``: one Feature for each state, the newest first."""
    layer = find_layer(city, collection)
    values = query_values(request, ("f", "lang", "crs", "limit", "before"))
    _json_only(values)
    crs = crs_parameter("crs", values.get("crs"), city.offered_for(layer))
    limit = min(whole("limit", values.get("limit", "100"), 1), MAX_STATES)
    before = whole("before", values["before"], 1) if "before" in values else None
    number = feature_id(layer, item)
    with city.reading(layer) as reader:
        states = states_of(reader, layer, number, crs, limit=limit, before=before)
    here = f"{city.url}/collections/{layer.id}/items/{number}"
    links = [_link("self", f"{here}/history"), _link("latest-version", here)]
    if len(states) == limit and states[-1].revision > 1:
        links.append(_link("next", f"{here}/history?{_query(values, before=str(states[-1].revision))}"))
    features = [_state_feature(state) for state in told_of(city.principal, layer, states)]
    return _collection(features, links, {"Content-Crs": f"<{crs.uri}>"})


def get_difference(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/difference``: what was added, changed and deleted from one instant to another."""
    layer = find_layer(city, collection)
    values = single_values(request.query_params.multi_items())
    _json_only(values)
    asked = {name: value for name, value in values.items() if name not in _OURS}
    if strange := next((name for name in asked if name in _NOT_HERE), None):
        raise ParameterError(strange, "is not known here: a difference has 'from' and 'to'")
    bounds = Limits(city.settings.server.limits.default_items, city.settings.server.limits.max_items)
    after = whole("after", asked.pop("after"), 0) if "after" in asked else -1
    query = feature_query(layer, asked, city.offered_for(layer), bounds, city.settings.crs.projected)
    with city.reading(layer) as reader:
        begin, end = _span(reader, layer, values)
        try:
            if result_type(asked) == "hits":
                return _hits(reader, layer, begin, end, query)
            found = changes_between(reader, layer, begin, end, replace(query, limit=query.limit + 1), after)
        except Cql2Error as error:
            raise ParameterError("filter", str(error)) from None
    shown = found[: query.limit]
    here = f"{city.url}/collections/{layer.id}"
    links = [_link("self", f"{here}/difference?{_query(values)}"), _link("collection", here, "application/json")]
    if len(found) > query.limit:
        links.append(_link("next", f"{here}/difference?{_query(values, after=str(shown[-1].id))}"))
    return _collection([change.as_geojson() for change in shown], links, {"Content-Crs": f"<{query.crs.uri}>"})


def get_versions(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/versions``: the names that its states have."""
    layer = find_layer(city, collection)
    _json_only(query_values(request, ("f", "lang")))
    with city.transaction() as conn:
        found = versions(conn, layer.id)
    told = [asdict(version) | ({} if is_staff(city.principal, layer) else {"actor": None}) for version in found]
    items = f"{city.url}/collections/{layer.id}/items"
    for version in told:
        version["links"] = [_link("items", f"{items}?{urlencode({'as-of': version['name']})}")]
    return Reply(orjson.dumps({"versions": told}))


def get_imports(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/imports``: who imported what, for those who work with the layer."""
    layer = find_layer(city, collection)
    values = query_values(request, ("f", "lang", "limit", "before"))
    _json_only(values)
    if not is_staff(city.principal, layer):
        if city.account is None:
            raise SignInNeeded(f"who imported what into layer {layer.id!r} is told to those who work with it: sign in")
        raise NotAllowed(f"who imported what into layer {layer.id!r} is told to those who work with it")
    limit = min(whole("limit", values.get("limit", "100"), 1), 1000)
    before = whole("before", values["before"], 1) if "before" in values else None
    with city.transaction() as conn:
        found = imports_of(conn, layer.id, limit, before)
    here = f"{city.url}/collections/{layer.id}/imports"
    links = [_link("self", f"{here}?{_query(values)}", "application/json")]
    if len(found) == limit:
        links.append(_link("next", f"{here}?{_query(values, before=str(found[-1].id))}", "application/json"))
    return Reply(orjson.dumps({"imports": [asdict(one) for one in found], "links": links}))


def _span(reader: Reader, layer: Layer, values: Mapping[str, str]) -> tuple[datetime, datetime]:
    if "from" not in values:
        raise ParameterError("from", "is missing: an instant, or the name of a version")
    begin = _moment(reader, layer, "from", values["from"])
    end = _moment(reader, layer, "to", values["to"]) if "to" in values else PRESENT
    if begin > end:
        raise ParameterError("to", "lies before 'from'")
    return begin, end


def _moment(reader: Reader, layer: Layer, name: str, text: str) -> datetime:
    if reads_like_instant(text):
        return instant(name, text)
    try:
        return instant_of(reader, text, (layer.id,))
    except NoSuchVersion:
        problem = f"{text[:80]!r} is neither an instant like 2026-11-22T08:00:00Z nor the name of a version"
        raise ParameterError(name, problem) from None


def _hits(reader: Reader, layer: Layer, begin: datetime, end: datetime, query: Any) -> Reply:
    counts = count_changes(reader, layer, begin, end, query)
    total = counts.added + counts.changed + counts.deleted
    body = {"type": "FeatureCollection", "features": [], "numberMatched": total, "numberReturned": 0}
    return Reply(orjson.dumps({**body, "counts": asdict(counts)}), _GEOJSON)


def _state_feature(state: State) -> Json:
    told = asdict(state)
    feature: Json = told.pop("feature")
    return {**feature, "version": {_camel(name): value for name, value in told.items()}}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _collection(features: list[Json], links: list[Json], headers: Mapping[str, str]) -> Reply:
    body = {"type": "FeatureCollection", "features": features, "numberReturned": len(features), "links": links}
    return Reply(orjson.dumps(body), _GEOJSON, headers=headers)


def _json_only(values: Mapping[str, str]) -> None:
    if values.get("f", "json") != "json":
        raise ParameterError("f", f"{values['f'][:80]!r} is not offered here; choose 'json'")


def _query(values: Mapping[str, str], **more: str) -> str:
    return urlencode({**values, **more})


def _link(rel: str, href: str, media_type: str = _GEOJSON) -> Json:
    return {"rel": rel, "type": media_type, "href": href}


#: Path and handler of every route here.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/collections/{collection}/items/{item}/history", get_history),
    ("/collections/{collection}/difference", get_difference),
    ("/collections/{collection}/versions", get_versions),
    ("/collections/{collection}/imports", get_imports),
)


def version_paths() -> Json:
    """These routes in OpenAPI."""
    text: Json = {"type": "string"}
    number: Json = {"type": "integer", "minimum": 1}
    here = {"name": "collectionId", "in": "path", "required": True, "schema": text}
    item = {"name": "featureId", "in": "path", "required": True, "schema": text}
    as_json = parameter("f", "Representation", {"type": "string", "enum": ["json"]})
    lang, limit = reference("parameters", "lang"), parameter("limit", "Entries at most", number)
    before = parameter("before", "Only entries below this number", number)
    begin = parameter("from", "An instant, or the name of a version", text) | {"required": True}
    span = [begin, parameter("to", "An instant, or the name of a version; by default now", text)]
    names = ("bbox", "bbox-crs", "crs", "filter", "filter-lang", "filter-crs")
    narrowing = [reference("parameters", name) for name in names]
    after = parameter("after", "Only features with a greater id", {"type": "integer", "minimum": 0})
    hits = parameter("resulttype", "Features, or their number", {"type": "string", "enum": ["results", "hits"]})

    def described(name: str, title: str, media_type: str, *asked: Json, **more: Any) -> Json:
        answer = {"200": content(title, media_type, schema={"type": "object"})}
        return {"get": operation(name, title, [here, *asked, as_json, lang], answer, **more)}

    crs, base = reference("parameters", "crs"), "/collections/{collectionId}"
    return {
        f"{base}/items/{{featureId}}/history": described(
            "getFeatureHistory", "Every state of a feature, the newest first", _GEOJSON, item, crs, limit, before
        ),
        f"{base}/difference": described(
            "getDifference", "What differs between two instants", _GEOJSON, *span, *narrowing, limit, after, hits
        ),
        f"{base}/versions": described("getVersions", "The named versions", "application/json"),
        f"{base}/imports": described(
            "getImports", "What was imported", "application/json", limit, before, security=[{"account": []}]
        ),
    }
