"""Hands the features API's answers to the page templates and to JSON-LD, in the reader's language."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from babel import Locale
from pygeoapi.linked_data import geojson2jsonld
from starlette.requests import Request

from geoserver.formats import media_type, negotiate
from geoserver.reply import Reply
from geoserver.templates import CONTENT_SECURITY_POLICY, render
from layers.catalogue import Layer

if TYPE_CHECKING:
    from geoserver.city import City


class Html:
    """Pages of one city."""

    def __init__(self, city: "City") -> None:
        self._city = city

    def items(
        self, request: Request, layer: Layer, document: dict[str, Any], values: dict[str, str], format_: str,
        headers: dict[str, str],
    ) -> Reply:
        """A page of features as HTML or JSON-LD."""
        if format_ == "jsonld":
            return self._linked(layer, document, headers)
        data = {**document, "layer": layer, "query": values}
        return self.page(request, "collections/items/index.html", data, headers)

    def item(
        self, request: Request, layer: Layer, document: dict[str, Any], format_: str, headers: dict[str, str]
    ) -> Reply:
        """One feature as HTML or JSON-LD."""
        if format_ == "jsonld":
            return self._linked(layer, document, headers, identifier=str(document["id"]))
        state = {"revision": headers.get("X-Revision"), "etag": headers.get("ETag")}
        return self.page(request, "collections/items/item.html", {**document, **state, "layer": layer}, headers)

    def schema(
        self, request: Request, layer: Layer, document: dict[str, Any], kind: str, headers: dict[str, str]
    ) -> Reply:
        """The queryables or the schema as a page."""
        return self.page(request, f"collections/{kind}.html", {**document, "layer": layer}, headers)

    def processes(self, request: Request, document: dict[str, Any]) -> Reply:
        """The list of processes as a page."""
        return self.page(request, "processes/index.html", document, {})

    def process(self, request: Request, document: dict[str, Any]) -> Reply:
        """The description of a process as a page."""
        return self.page(request, "processes/process.html", document, {})

    def failure(self, request: Request, reply: Reply) -> Reply:
        """An exception document as a page, for clients that prefer pages."""
        if request.method != "GET" or negotiate(request, {}, ("json", "html")) != "html" or "f" in request.query_params:
            return reply
        assert isinstance(reply.body, bytes)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # The page leads to the form of signing in, which a prompt of the browser's own would hide.
        headers = {name: value for name, value in reply.headers.items() if name != "WWW-Authenticate"}
        page = self.page(request, "exception.html", {**orjson.loads(reply.body), "here": here}, headers)
        return Reply(page.body, page.media_type, HTTPStatus(reply.status), page.headers)

    def page(self, request: Request, template: str, data: dict[str, Any], headers: dict[str, str]) -> Reply:
        """A template with its data, in the reader's language."""
        language = self._city.language(request)
        config = self._city.api.config
        locale = Locale.parse(language, sep="-")
        text = render(config, config["server"]["templates"], template, {**data, "language": language[:2]}, locale)
        headers = {**headers, "Content-Language": language, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return Reply(text.encode(), "text/html; charset=utf-8", headers=headers)

    def _linked(
        self, layer: Layer, document: dict[str, Any], headers: dict[str, str], identifier: str | None = None
    ) -> Reply:
        api = self._city.api
        if document.get("features") == []:  # pygeoapi would write a comma behind the nothing that there is
            context = {"schema": "https://schema.org/", "type": "@type"}
            return Reply(orjson.dumps({"@context": [context], **document}), media_type("jsonld"), headers=headers)
        text = geojson2jsonld(api, document, layer.id, identifier, id_field="id")
        return Reply(text.encode(), media_type("jsonld"), headers=headers)
