"""A city: where to begin."""

import weakref
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from citymap.collection import Collection
from citymap.connection import Connection
from citymap.processes import Job, Process
from citymap.uploads import upload

if TYPE_CHECKING:
    import folium


class City:
    """A CityMap server at ``url``, as an account sees it; the public without one.

    ``key`` is an API key (``cmk_…``), ``token`` a short-lived one of ``POST /token``, ``account`` a pair of name and
    password. ``language`` is that of titles and errors, ``timeout`` bounds each silence of the server [s], and
    ``verify`` is what :class:`httpx.Client` takes: False, or the certificate authority of an intranet.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        token: str | None = None,
        account: tuple[str, str] | None = None,
        language: str = "zh-CN",
        timeout: float = 60.0,
        verify: Any = True,
    ) -> None:
        if sum(given is not None for given in (key, token, account)) > 1:
            raise ValueError("give one of key=, token= and account=")
        headers = {"Accept": "application/json, application/geo+json;q=0.9", "Accept-Language": language}
        if key:
            headers["X-API-Key"] = key
        if token:
            headers["Authorization"] = f"Bearer {token}"
        client = httpx.Client(
            headers=headers, auth=account, timeout=timeout, verify=verify, follow_redirects=False, trust_env=False
        )
        self.connection = Connection(client, url)
        weakref.finalize(self, client.close)
        self.url = self.connection.url
        self.language = language

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"City({self.url!r})"

    def close(self) -> None:
        """Close the connections; a city in a ``with`` block closes itself."""
        self.connection.close()

    def collections(self) -> dict[str, Collection]:
        """The layers that the account may see, by id."""
        listed = self.connection.get("collections", f="json")["collections"]
        return {one["id"]: Collection(self, one["id"], one) for one in listed}

    def collection(self, layer: str) -> Collection:
        """A layer, such as ``cases``; nothing is asked before it is used."""
        return Collection(self, layer)

    def processes(self) -> dict[str, Process]:
        """What the server computes, by id."""
        listed = self.connection.get("processes", f="json")["processes"]
        return {one["id"]: Process(self, one["id"]) for one in listed}

    def process(self, name: str) -> Process:
        """A process, such as ``buffer``."""
        return Process(self, name)

    def run(self, process: str, /, **inputs: Any) -> Any:
        """The result of a process, waited for."""
        return self.process(process).run(**inputs)

    def start(self, process: str, /, **inputs: Any) -> Job:
        """Begin a process as a job of the server."""
        return self.process(process).start(**inputs)

    def upload(self, path: str | Path, name: str | None = None) -> str:
        """Send a file piece by piece; returns the id that processes take, such as the input ``upload`` of an import."""
        return upload(self.connection, Path(path), name)

    def map(self, *layers: str, **options: Any) -> "folium.Map":
        """A map for a notebook; see :func:`citymap.notebook.city_map`."""
        from citymap.notebook import city_map

        return city_map(self, layers, **options)
