"""The outermost layer of the application: names the request, and completes and records its answer."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geoserver.guard import address, request_id
from geoserver.guard.logs import FIELDS
from geoserver.guard.redaction import redacted_query
from geoserver.guard.security_headers import SecurityHeaders

LOGGER = logging.getLogger("citymap.access")


class Envelope:
    """Gives each request an id and an address, each answer its headers and, if wanted, its line in the log."""

    def __init__(
        self, app: ASGIApp, proxies: address.TrustedProxies, headers: SecurityHeaders, *, access_log: bool
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._headers = headers
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        asked = state[request_id.STATE_KEY] = request_id.begin_request()
        state[address.STATE_KEY] = self._proxies.client(scope)
        status, sent, begun = 500, 0, time.perf_counter()
        complete = self._headers.complete
        id_header = (b"x-request-id", asked.encode())

        async def send_completed(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                headers.append(id_header)
                complete(headers)
                message["headers"] = headers
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_completed)
        finally:
            if self._access_log:
                _record(scope, status, sent, time.perf_counter() - begun)


def _record(scope: Scope, status: int, sent: int, seconds: float) -> None:
    """The line; paths are logged as they were sent, escaped, and queries without their secrets."""
    state = scope["state"]
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
    query = redacted_query(scope["query_string"].decode("latin-1"))
    principal = state.get("principal")
    fields = {
        "address": state[address.STATE_KEY],
        "method": scope["method"],
        "path": path,
        "query": query,
        "status": status,
        "bytes": sent,
        "ms": round(seconds * 1000, 2),
        "account": getattr(principal, "account", None),
        "via": getattr(principal, "via", None),
        "agent": next((v.decode("latin-1")[:200] for n, v in scope["headers"] if n == b"user-agent"), None),
    }
    LOGGER.info(
        "%s %s %s%s %d %d bytes %.1f ms %s [%s]",
        fields["address"], fields["method"], path, f"?{query}" if query else "", status, sent, seconds * 1000,
        fields["account"] or "-", state[request_id.STATE_KEY], extra={FIELDS: fields},
    )  # fmt: skip
