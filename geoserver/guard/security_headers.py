"""The security headers of every answer, pages and data alike. A handler that sets one of them knows better."""

from geoserver.settings.server import Server

type Headers = list[tuple[bytes, bytes]]

#: Data is no page: were it opened as one, it could load and run nothing.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#: One year, this host only: other hosts of the city's domain may not have TLS yet.
_STRICT_TRANSPORT = "max-age=31536000"
_DEVICES = ("camera", "geolocation", "microphone", "payment", "usb")


class SecurityHeaders:
    """Completes the headers of an answer."""

    def __init__(self, server: Server) -> None:
        fixed = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": ", ".join(f"{device}=()" for device in _DEVICES),
            # Images of tiles may be drawn by pages of other origins only where those are let in at all.
            "cross-origin-resource-policy": "cross-origin" if server.cors_origins else "same-origin",
        }
        if server.encrypted:
            fixed["strict-transport-security"] = _STRICT_TRANSPORT
        data = {**fixed, "content-security-policy": DATA_POLICY, "x-frame-options": "DENY"}
        page = {**fixed, "x-frame-options": "SAMEORIGIN", "cross-origin-opener-policy": "same-origin"}
        page["content-security-policy"] = DATA_POLICY  # for a page that forgot its own: visibly broken, never open
        self._data = _encoded(data)
        self._page = _encoded(page)

    def complete(self, headers: Headers) -> None:
        """Append what is missing; names are lower case, as Starlette writes them."""
        given = dict(headers)
        wanted = self._page if given.get(b"content-type", b"").startswith(b"text/html") else self._data
        headers += [header for header in wanted if header[0] not in given]


def _encoded(headers: dict[str, str]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
