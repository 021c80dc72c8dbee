"""An answer given before the application is asked: an exception document in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.responses import Response
from starlette.types import Scope

from geoserver.language import choose_language
from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused, and what to do."""

    status: HTTPStatus
    code: str
    text: Text
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, scope: Scope) -> Response:
        """The answer, which no cache keeps."""
        accepted = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"accept-language"), "")
        chinese = choose_language(None, accepted, ("en", "zh")) == "zh"
        text = self.text.zh if chinese else self.text.en
        headers = {**self.headers, "Cache-Control": "no-store", "Content-Language": "zh-CN" if chinese else "en"}
        return Response(self.body(text), self.status, headers, "application/json")

    def body(self, text: str) -> bytes:
        """The exception document with this description."""
        return orjson.dumps({"code": self.code, "type": self.code, "description": text})
