"""What is refused before any work: credentials in URLs, compressed bodies, clients that ask too often."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geoserver.guard.address import client_address, one_client
from geoserver.guard.purposes import purpose_of
from geoserver.guard.rates import Rates, Spent
from geoserver.guard.redaction import credential_in
from geoserver.guard.refusal import Refusal
from layers.catalogue import Text

#: Probes of the machine itself, which must be answered when everything else is refused.
_PROBES = ("/health", "/ready")


class Gate:
    """Lets requests through to the application, or answers them."""

    def __init__(self, app: ASGIApp, rates: Rates | None) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        spent = self._spent(scope)
        refusal = too_many(spent) if spent and spent.wait else _first_refusal(scope)
        app = refusal.response(scope) if refusal else self._app
        await app(scope, receive, _telling(send, spent) if spent and not refusal and spent.worth_telling else send)

    def _spent(self, scope: Scope) -> Spent | None:
        """What the request's address has left: of the narrower quota, if there is one for what it wants."""
        if self._rates is None or scope["path"] in _PROBES:
            return None
        client = one_client(client_address(scope))
        spent = self._rates.spend("address", client)
        purpose = purpose_of(scope)
        return spent if spent.wait or purpose is None else self._rates.spend(purpose, client)


def too_many(spent: Spent) -> Refusal:
    """The refusal of a client that asks too often."""
    quota, headers = spent.quota, spent.headers()
    seconds = headers["Retry-After"]
    text = Text(
        f"请求过于频繁({spent.purpose}:每 {quota.seconds:g} 秒 {quota.requests} 次),请在 {seconds} 秒后重试",
        f"too many requests ({spent.purpose}: {quota.requests} in {quota.seconds:g} s); try again in {seconds} s",
    )
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", text, headers)


def _credentials(scope: Scope) -> Refusal | None:
    if not scope["query_string"] or (name := credential_in(scope["query_string"])) is None:
        return None
    text = Text(
        f"不接受网址中的凭据(参数 {name}):网址会留在日志与浏览记录里。请改用 Authorization 请求头,并更换该凭据",
        f"credentials in a URL are not taken (parameter {name!r}): URLs stay in logs and histories. Send the header"
        " Authorization instead, and replace this credential",
    )
    return Refusal(HTTPStatus.BAD_REQUEST, "InvalidParameterValue", text)


def _compressed(scope: Scope) -> Refusal | None:
    sent = next((value for name, value in scope["headers"] if name == b"content-encoding"), b"identity")
    if sent.strip().lower() in (b"identity", b""):
        return None
    text = Text(
        "不接受压缩的请求正文,请发送未压缩的内容", "compressed bodies are not taken: send it without Content-Encoding"
    )
    return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", text, {"Accept-Encoding": "identity"})


_CHECKS: tuple[Callable[[Scope], Refusal | None], ...] = (_credentials, _compressed)


def _first_refusal(scope: Scope) -> Refusal | None:
    for check in _CHECKS:
        if refusal := check(scope):
            return refusal
    return None


def _telling(send: Send, spent: Spent) -> Send:
    """``send``, with what is left of the quota in the answer's headers."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(spent.headers())
        await send(message)

    return told
