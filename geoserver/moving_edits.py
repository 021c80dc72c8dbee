"""OGC API – Moving Features: what clients add to tracks (22-003r3 §8.4 and §8.6), stored before it is answered.

Whoever may change a device may add to its track. Nothing is changed or deleted: positions are evidence, and end by
``tracking.keep_days`` only (docs/tracking.md).
"""

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from geoserver import edits
from geoserver.body import json_body
from geoserver.errors import Conflict
from geoserver.features import find_layer
from geoserver.idempotency import idempotent, take_claim
from geoserver.moving_features import ITEM, SENT, identity, json_reply, open_moving
from geoserver.parameters import query_values
from geoserver.reply import Reply, endpoint
from layers.features import create_feature
from tracking.analysis.moving import geometries
from tracking.analysis.moving_reading import find_moving, read_hours
from tracking.importing.writing import add_to_track
from tracking.inputs.moving_points import read_moving

if TYPE_CHECKING:
    from geoserver.city import City

#: Largest body of what is added to a track [bytes].
_MOST_BODY = 4_000_000


def routes() -> list[BaseRoute]:
    """The routes; that of new features is one of :mod:`geoserver.app`'s."""
    return [Route(f"{ITEM}/tgsequence", endpoint(post_geometry, _MOST_BODY, admit=may_add), methods=["POST"])]


def may_add(city: "City", collection: str, item: str) -> None:
    """Raise before a body is read that may not become part of a track."""
    find_layer(city, collection)
    city.require("update", find_layer(city, "devices"))


@idempotent
def post_geometry(city: "City", request: Request, body: bytes, collection: str, item: str) -> Reply:
    """``POST …/tgsequence`` (22-003r3 §8.6): 201 with the Location of the geometry that the first instant is part of.

    What was there already stays as it was, so that the same may be sent again.
    """
    query_values(request, ())
    fixes = read_moving(json_body(request, body, SENT))
    with open_moving(city, request, collection) as conn:
        moving = find_moving(conn, collection, identity(city, collection, item))
        if moving.brief:
            raise Conflict("a trajectory is drawn from positions: add to the track of its device")
        take_claim(conn)
        added = add_to_track(conn, moving.device, fixes)
        first = datetime.fromtimestamp(added.first, UTC)
        track, _ = read_hours(conn, moving, first, first, 1)
    holds = (g.id for g in geometries(track) if g.time[0] <= added.first <= g.time[-1]) if track else ()
    location = "/".join([f"{city.url}{request.url.path}", *islice(holds, 1)])
    counts = {name: getattr(added, name) for name in ("received", "stored", "present", "left_out")}
    answer = json_reply(counts)
    return replace(answer, status=HTTPStatus.CREATED, headers={**answer.headers, "Location": location})


def post_item(city: "City", request: Request, body: bytes, collection: str) -> Reply:
    """``POST /collections/{collection}/items`` (22-003r3 §8.4): a device with its track, where the feature has one."""
    if collection == "devices" and b'"temporalGeometry"' in body:
        return _post_moving_feature(city, request, body, collection=collection)
    return edits.post_item(city, request, body, collection=collection)


@idempotent
def _post_moving_feature(city: "City", request: Request, body: bytes, collection: str) -> Reply:
    document = json_body(request, body, edits.FEATURE_TYPES)
    fixes = read_moving(document)
    layer, edit = edits.checked_creation(city, request, collection, {"geometry": None, **document})
    with city.transaction(layer) as conn:
        take_claim(conn)
        new, _ = create_feature(conn, layer, edit)
        add_to_track(conn, find_moving(conn, collection, new).device, fixes)
    headers = {"Location": f"{city.url}/collections/{collection}/items/{new}"}
    return Reply(status=HTTPStatus.CREATED, headers=headers, media_type=None)
