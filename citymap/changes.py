"""变更订阅 following a layer: what was added, changed and deleted since a position, and a copy kept up by that."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from citymap.connection import Connection


@dataclass(frozen=True)
class Changes:
    """A page of a layer's changes: features with their ``op`` (``insert``, ``update`` or ``delete``).

    ``position`` is where the next page begins: keep it together with what was made of the features. ``up_to_date``:
    there was no more when it was asked for.
    """

    features: list[dict[str, Any]]
    position: str
    up_to_date: bool


def pages(connection: Connection, path: str, since: str | None, limit: int, crs: str | None) -> Iterator[Changes]:
    """Page after page until there is no more. Raises :class:`~citymap.errors.PositionGone`."""
    while True:
        found = connection.get(f"{path}/changes", since=since, limit=limit, crs=crs, f="json")
        page = Changes(found["features"], found["position"], found["upToDate"])
        yield page
        if page.up_to_date:
            return
        since = page.position
