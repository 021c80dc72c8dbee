"""OGC API – Moving Features: the tracks of ``devices``, ``positions`` and ``trajectories`` (22-003r3).

A temporal geometry is what a device did in one hour without a long silence. Every read asks for the rights of the
collection, of the device and of ``positions``; a look at the track of a device that a person carries is audited. What
clients add to tracks is in :mod:`~geoserver.moving_edits`.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from geoserver.errors import NotThere, ParameterError
from geoserver.features import feature_id, find_layer
from geoserver.openapi import OPTIONAL_ACCOUNT, Json, content, operation, parameter
from geoserver.parameters import box_parameter, instant, interval, query_values, whole
from geoserver.reply import Reply, endpoint
from layers.query import Box
from tracking.analysis.moving import PROPERTIES, Moving, described, geometries, hour_of, told
from tracking.analysis.moving_reading import MOVING, find_moving, read_hours
from tracking.tracks import Track

if TYPE_CHECKING:
    from geoserver.city import City

ITEM = "/collections/{collection}/items/{item}"
#: Hours in one answer, and instants of the parameter ``leaf``.
_HOURS, _MOST_HOURS, _MOST_INSTANTS = 24, 48, 1000
_QUERIES = ("distance", "velocity", "acceleration")
_NOT_KEPT = {"Cache-Control": "no-store"}
#: Media types of what is added to a track (:mod:`~geoserver.moving_edits`).
SENT = ("application/json", "application/geo+json")


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        Route(f"{ITEM}/tgsequence", endpoint(get_geometries), methods=["GET"]),
        Route(f"{ITEM}/tgsequence/{{geometry}}", endpoint(get_geometry), methods=["GET"]),
        Route(f"{ITEM}/tgsequence/{{geometry}}/{{query}}", endpoint(get_derived), methods=["GET"]),
        Route(f"{ITEM}/tproperties", endpoint(get_properties), methods=["GET"]),
        Route(f"{ITEM}/tproperties/{{property}}", endpoint(get_property), methods=["GET"]),
    ]


def get_geometries(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``GET …/tgsequence`` (22-003r3 §8.6): by hours, cut to ``datetime`` with ``subTrajectory=true``."""
    values = query_values(request, ("f", "limit", "datetime", "bbox", "leaf", "subTrajectory"))
    begin, end = _time(values)
    box = box_parameter(values, ())
    leaf = _leaf(values)
    cut = _cut(values, begin, end)
    shapes, more = _read(city, request, collection, item, begin, end, _limit(values))
    found = [shape for shape in shapes if _meets(shape, begin, end, box)]
    if cut:
        found = [part for g in found if (part := g.between(*cut)) is not None]
    if leaf is not None:
        found = [part for g in found if (part := g.at(leaf)) is not None]
    return _sequence(city, request, {"type": "TemporalGeometrySequence"}, "geometrySequence",
                     [g.document() for g in found], values, more)  # fmt: skip


def get_geometry(city: "City", request: Request, _body: bytes, collection: str, item: str, geometry: str) -> Reply:
    """``GET …/tgsequence/{geometry}``: one of them, where the Location of a POST leads."""
    query_values(request, ("f",))
    return json_reply(_one(city, request, collection, item, geometry).document())


def get_derived(
    city: "City", request: Request, _body: bytes, collection: str, item: str, geometry: str, query: str
) -> Reply:
    """``GET …/tgsequence/{geometry}/distance``, ``velocity``, ``acceleration`` (22-003r3 §8.7)."""
    query_values(request, ("f",))
    if query not in _QUERIES:
        find_layer(city, collection)
        raise NotThere(f"a temporal geometry has no {query[:40]!r}; it has {', '.join(_QUERIES)}")
    return json_reply(_one(city, request, collection, item, geometry).derived(query))  # type: ignore[arg-type]


def get_properties(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``GET …/tproperties`` (22-003r3 §8.8): what there is, without values."""
    values = query_values(request, ("f",))
    with open_moving(city, request, collection) as conn:
        find_moving(conn, collection, identity(city, collection, item))
    return _sequence(city, request, {}, "temporalProperties", [described(name) for name in PROPERTIES], values, None)


def get_property(city: "City", request: Request, _body: bytes, collection: str, item: str, property: str) -> Reply:
    """``GET …/tproperties/{property}`` (22-003r3 §8.9): its values by hours."""
    values = query_values(request, ("f", "limit", "datetime"))
    begin, end = _time(values)
    if property not in PROPERTIES:
        find_layer(city, collection)
        raise NotThere(f"there is no temporal property {property[:40]!r}; there are {', '.join(PROPERTIES)}")
    track, _, more = _track(city, request, collection, item, begin, end, _limit(values))
    sequence = [told(track, property)] if track is not None else []
    return _sequence(city, request, described(property), "valueSequence", [s for s in sequence if s["datetimes"]],
                     values, more)  # fmt: skip


def _one(city: "City", request: Request, collection: str, item: str, geometry: str) -> Moving:
    """The geometry of that id. Raises :class:`NotThere`."""
    try:
        begin = datetime.fromtimestamp(hour_of(geometry), UTC)
    except (ValueError, OverflowError, OSError):
        find_layer(city, collection)
        raise NotThere(f"there is no temporal geometry {geometry[:40]!r}") from None
    for found in _read(city, request, collection, item, begin, begin, 1)[0]:
        if found.id == geometry:
            return found
    raise NotThere(f"there is no temporal geometry {geometry[:40]!r}")


def _read(
    city: "City", request: Request, collection: str, item: str, begin: datetime | None, end: datetime | None, most: int
) -> tuple[list[Moving], datetime | None]:
    """The geometries of the hours that are asked for, and where the next hour begins."""
    track, brief, more = _track(city, request, collection, item, begin, end, most)
    return list(geometries(track, by_hours=not brief)) if track is not None else [], more


def _track(
    city: "City", request: Request, collection: str, item: str, begin: datetime | None, end: datetime | None, most: int
) -> tuple[Track | None, bool, datetime | None]:
    """Fixes of whole hours, None without any; whether the feature is a brief one; and where the next hour begins."""
    with open_moving(city, request, collection) as conn:
        moving = find_moving(conn, collection, identity(city, collection, item))
        track, more = read_hours(conn, moving, begin, end, most)
    return track if track is not None and len(track) else None, moving.brief, more


def open_moving(city: "City", request: Request, collection: str) -> AbstractContextManager[Connection]:
    """A transaction with the principal's rights. Raises where the collection does not move, or may not be seen."""
    layer = find_layer(city, collection)
    published = request.app.state.city.published.layers[collection]
    if collection not in MOVING or published.field(MOVING[collection]) is None:
        raise NotThere(f"the features of {collection!r} do not move")
    return city.transaction(layer)


def identity(city: "City", collection: str, item: str) -> int:
    """The id of a feature. Raises where the collection or such an id is none."""
    return feature_id(find_layer(city, collection), item)


def _time(values: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    if "datetime" not in values:
        return None, None
    return interval(values["datetime"])


def _leaf(values: dict[str, str]) -> Any:
    """The instants of ``leaf`` as Unix times [s] (22-003r3 §8.6.2: rising)."""
    if "leaf" not in values:
        return None
    if "subTrajectory" in values:
        raise ParameterError("leaf", "is not given together with subTrajectory")
    parts = values["leaf"].split(",")
    if len(parts) > _MOST_INSTANTS:
        raise ParameterError("leaf", f"has {len(parts)} instants, more than {_MOST_INSTANTS}")
    times = np.array([instant("leaf", part).timestamp() for part in parts])
    if (np.diff(times) <= 0).any():
        raise ParameterError("leaf", "its instants must rise")
    return times


def _cut(values: dict[str, str], begin: datetime | None, end: datetime | None) -> tuple[float, float] | None:
    """The ends of ``subTrajectory`` [s], which wants an interval with both."""
    wanted = values.get("subTrajectory", "false")
    if wanted not in ("true", "false"):
        raise ParameterError("subTrajectory", "is true or false")
    if wanted == "false":
        return None
    if begin is None or end is None or begin == end:
        raise ParameterError(
            "subTrajectory", "needs a datetime with both ends, like 2026-11-20T02:00:00Z/2026-11-20T03:00:00Z"
        )
    return begin.timestamp(), end.timestamp()


def _limit(values: dict[str, str]) -> int:
    return min(whole("limit", values.get("limit", str(_HOURS)), 1), _MOST_HOURS)


def _meets(found: Moving, begin: datetime | None, end: datetime | None, box: Box | None) -> bool:
    if (begin is not None and found.time[-1] < begin.timestamp()) or (
        end is not None and found.time[0] > end.timestamp()
    ):
        return False
    return box is None or found.meets((box.west, box.south, box.east, box.north))


def _sequence(
    city: "City", request: Request, head: Json, name: str, parts: list[Any], values: dict[str, str],
    more: datetime | None,
) -> Reply:  # fmt: skip
    """A document with its parts and its links; ``more`` is where the next hour begins."""
    here = f"{city.url}{request.url.path}"
    links = [{"rel": "self", "type": "application/json", "href": f"{here}?{urlencode(values)}" if values else here}]
    if more is not None:
        last = values.get("datetime", "/..").rpartition("/")[2] if "/" in values.get("datetime", "/..") else ".."
        onward = {**values, "datetime": f"{more:%Y-%m-%dT%H:%M:%SZ}/{last or '..'}"}
        links.append({"rel": "next", "type": "application/json", "href": f"{here}?{urlencode(onward)}"})
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json_reply({**head, name: parts, "links": links, "timeStamp": stamp, "numberReturned": len(parts)})


def json_reply(document: Json) -> Reply:
    """An answer that nobody keeps."""
    return Reply(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), headers=_NOT_KEPT)


def moving_paths() -> Json:
    """The routes in OpenAPI."""
    text: Json = {"type": "string"}
    item = [
        parameter("collection", "devices, positions or trajectories", text, "path"),
        parameter("item", "Id of the feature", text, "path"),
    ]
    time = parameter("datetime", "An interval (OGC 17-069r4 §7.15.3)", text)
    limit = parameter("limit", "Hours in one answer", {"type": "integer", "minimum": 1, "default": _HOURS})
    sequence = [
        *item, limit, time,
        parameter("bbox", "West, south, east, north [°]", {"type": "array", "items": {"type": "number"}}),
        parameter("leaf", "Instants at which the place is wanted", {"type": "array", "items": text}),
        parameter("subTrajectory", "Cut what is told to the interval", {"type": "boolean"}),
    ]  # fmt: skip
    one = [*item, parameter("geometry", "Id of the temporal geometry", text, "path"),
           parameter("query", "What is asked for", {"type": "string", "enum": list(_QUERIES)}, "path")]  # fmt: skip
    named = [
        *item,
        parameter("property", "Its name", {"type": "string", "enum": list(PROPERTIES)}, "path"),
        limit,
        time,
    ]

    def shown(name: str, summary: str, parameters: list[Json]) -> Json:
        answer = {"200": content(summary, "application/json")}
        return {"get": operation(name, summary, parameters, answer, "moving features", security=OPTIONAL_ACCOUNT)}

    body = {"content": {name: {"schema": {"type": "object"}} for name in SENT}, "required": True}
    added = operation(
        "postTemporalGeometry", "Add to the track: a MovingPoint of MF-JSON, or a Feature with one", item,
        {"201": content("What became of them", "application/json")}, "moving features", security=OPTIONAL_ACCOUNT,
        requestBody=body,
    )  # fmt: skip
    track = shown("getTemporalGeometrySequence", "The track of a moving feature, as MF-JSON", sequence)
    return {
        f"{ITEM}/tgsequence": {**track, "post": added},
        f"{ITEM}/tgsequence/{{geometry}}": shown("getTemporalGeometry", "One temporal geometry of the track", one[:3]),
        f"{ITEM}/tgsequence/{{geometry}}/{{query}}": shown(
            "getTemporalGeometryQuery", "Distance, velocity or acceleration over time", one
        ),
        f"{ITEM}/tproperties": shown("getTemporalProperties", "Temporal properties of a moving feature", item),
        f"{ITEM}/tproperties/{{property}}": shown("getTemporalProperty", "Values of a temporal property", named),
    }
