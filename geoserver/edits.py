"""OGC API – Features Part 4: create, replace, update and delete, with optimistic locking by ETag and If-Match."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request

from geoserver.body import json_body
from geoserver.errors import ParameterError
from geoserver.features import etag, feature_id, find_layer, require_editable
from geoserver.idempotency import idempotent, take_claim
from geoserver.reply import Reply
from layers.access import Action
from layers.catalogue import Layer
from layers.crs import CRS84, Crs, parse_crs
from layers.editing import Edit, checked_edit
from layers.features import change_feature, create_feature, delete_feature

if TYPE_CHECKING:
    from geoserver.city import City

#: Media types of a feature.
FEATURE_TYPES = ("application/geo+json", "application/json")
_PATCH_TYPES = ("application/merge-patch+json", *FEATURE_TYPES)
_MATCHED = re.compile(r'"(\d{1,18})(?:-[^"]*)?"')


def may_create(city: "City", collection: str) -> None:
    """Raise before a body is read that may not become a feature."""
    city.require("create", find_layer(city, collection))


def may_update(city: "City", collection: str, item: str) -> None:
    """Raise before a body is read that may not change a feature."""
    city.require("update", find_layer(city, collection))


@idempotent
def post_item(city: "City", request: Request, body: bytes, collection: str) -> Reply:
    """``POST /collections/{collection}/items``: 201 with the Location of the new feature."""
    layer, edit = checked_creation(city, request, collection, json_body(request, body, FEATURE_TYPES))
    with city.transaction() as conn:
        take_claim(conn)
        new, revision = create_feature(conn, layer, edit)
    location = f"{city.url}/collections/{quote(layer.id)}/items/{new}"
    headers = {"Location": location, "ETag": etag(revision, "json", CRS84.uri)}
    return Reply(status=HTTPStatus.CREATED, headers=headers, media_type=None)


def checked_creation(city: "City", request: Request, collection: str, document: object) -> tuple[Layer, Edit]:
    """The layer that a new feature goes into, and its checked values. Raises where it may not, or is none."""
    layer = _editable_layer(city, request, collection, "create")
    return layer, checked_edit(layer, document, _content_crs(city, request, layer))


@idempotent
def put_item(city: "City", request: Request, body: bytes, collection: str, item: str) -> Reply:
    """``PUT …/items/{item}``: replaces the feature; the id is the path's."""
    return _change(city, request, body, collection, item, FEATURE_TYPES, partial=False)


@idempotent
def patch_item(city: "City", request: Request, body: bytes, collection: str, item: str) -> Reply:
    """``PATCH …/items/{item}``: changes the members present (RFC 7396)."""
    return _change(city, request, body, collection, item, _PATCH_TYPES, partial=True)


@idempotent
def delete_item(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``DELETE …/items/{item}``."""
    layer = _editable_layer(city, request, collection, "delete")
    with city.transaction() as conn:
        take_claim(conn)
        delete_feature(conn, layer, feature_id(layer, item), _expected(request))
    return Reply(status=HTTPStatus.NO_CONTENT, media_type=None)


def items_options(city: "City", _request: Request, _body: bytes, collection: str) -> Reply:
    """``OPTIONS …/items``: QGIS reads here whether it may add features."""
    return _allow(city, find_layer(city, collection), {"create": "POST"})


def item_options(city: "City", _request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``OPTIONS …/items/{item}``: QGIS reads here whether it may change and delete; of an empty layer it asks for
    the item ``unknown_id``."""
    return _allow(city, find_layer(city, collection), {"update": "PUT, PATCH", "delete": "DELETE"})


def _allow(city: "City", layer: Layer, methods: Mapping[Action, str]) -> Reply:
    """The methods that the principal may use here."""
    edits = [names for action, names in methods.items() if layer.editable and city.principal.may(action, layer)]
    headers = {"Allow": ", ".join(("GET, HEAD, OPTIONS", *edits))}
    if "PATCH" in headers["Allow"]:
        headers["Accept-Patch"] = ", ".join(_PATCH_TYPES)
    return Reply(status=HTTPStatus.NO_CONTENT, headers=headers, media_type=None)


def _change(
    city: "City", request: Request, body: bytes, collection: str, item: str, types: tuple[str, ...], *, partial: bool
) -> Reply:
    layer = _editable_layer(city, request, collection, "update")
    edit = _edit(city, request, body, layer, types, partial=partial)
    with city.transaction() as conn:
        take_claim(conn)
        revision = change_feature(conn, layer, feature_id(layer, item), edit, _expected(request))
    return Reply(status=HTTPStatus.NO_CONTENT, headers={"ETag": etag(revision, "json", CRS84.uri)}, media_type=None)


def _editable_layer(city: "City", request: Request, collection: str, action: Action) -> Layer:
    layer = find_layer(city, collection)
    city.require(action, layer)
    require_editable(layer)
    if request.query_params:
        raise ParameterError(next(iter(request.query_params))[:80], "is not known here; an edit takes no parameters")
    return layer


def _edit(
    city: "City", request: Request, body: bytes, layer: Layer, types: tuple[str, ...], *, partial: bool = False
) -> Edit:
    return checked_edit(layer, json_body(request, body, types), _content_crs(city, request, layer), partial=partial)


def _content_crs(city: "City", request: Request, layer: Layer) -> Crs:
    """The CRS of the body's coordinates (OGC 20-002r1, Content-Crs header); CRS84 when it is absent."""
    header = request.headers.get("content-crs")
    if header is None:
        return CRS84
    return parse_crs(header.strip().removeprefix("<").removesuffix(">"), city.offered_for(layer))


def _expected(request: Request) -> frozenset[int] | None:
    """The revisions that If-Match allows: any representation's tag counts, since all change together."""
    header = request.headers.get("if-match", "*").strip()
    if header == "*":
        return None
    matches = [_MATCHED.fullmatch(tag.strip()) for tag in header.split(",", 50)]
    return frozenset(int(match[1]) for match in matches if match)
