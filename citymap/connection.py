"""HTTP with one city: who asks, in which language, and when to try again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from citymap.errors import Unreachable, error_of

#: Times that a read is sent again when the server is busy, and the longest pause before [s].
_AGAIN, _LONGEST_PAUSE = 3, 30.0
_BUSY = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})


class Connection:
    """Requests below the city's address. Credentials go to no other: what leads elsewhere is refused."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self.url = url.rstrip("/")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def absolute(self, address: str) -> str:
        """The address of a link or path. Raises :class:`ValueError` for one of another server."""
        found = urljoin(f"{self.url}/", address.removeprefix("/") if not urlsplit(address).netloc else address)
        if urlsplit(found)[:2] != urlsplit(self.url)[:2]:
            raise ValueError(f"{found} is no address of {self.url}: set server.url of the city to the one clients use")
        return found

    def send(self, method: str, address: str, **more: Any) -> httpx.Response:
        """The answer. Raises a :class:`~citymap.errors.CityError`; reads are tried again while the server is busy."""
        answer = self._once(method, address, **more)
        for turn in range(_AGAIN if method == "GET" else 0):
            if answer.status_code not in _BUSY:
                break
            time.sleep(min(_pause(answer, turn), _LONGEST_PAUSE))
            answer = self._once(method, address, **more)
        if answer.is_error:
            raise error_of(answer)
        return answer

    def get(self, address: str, **params: Any) -> Any:
        """The JSON answer to a GET."""
        given = {name: value for name, value in params.items() if value is not None}
        # A link brings its own query, which httpx would replace by an empty one.
        return self.send("GET", address, **({"params": given} if given else {})).json()

    @contextmanager
    def streamed(self, address: str, params: dict[str, Any] | None = None) -> Iterator[httpx.Response]:
        """An answer whose body is read piece by piece."""
        try:
            with self._client.stream("GET", self.absolute(address), params=params) as answer:
                if answer.is_error:
                    answer.read()
                    raise error_of(answer)
                yield answer
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error

    def _once(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            return self._client.request(method, self.absolute(address), **more)
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error


def _pause(answer: httpx.Response, turn: int) -> float:
    """Seconds that the server asks for (RFC 9110 §10.2.3), else a little longer each time."""
    wanted = answer.headers.get("retry-after", "")
    return float(wanted) if wanted.isdigit() else 0.5 * 2**turn


def _unreachable(url: str, error: Exception) -> Unreachable:
    said = str(error) or type(error).__name__
    return Unreachable(f"{url} does not answer ({said}): check the address, the network, and that the server runs")
