"""Writes a difference as one GeoJSON file."""

from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from layers.versions.difference import Change


def write_changes(pages: Iterable[list[Change]], path: Path, tell: Callable[[int], None] | None = None) -> int:
    """Every change as a Feature; returns how many. ``tell`` is called with the number written so far."""
    written = 0
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for page in pages:
            file.write(b"," if written else b"")
            file.write(b",".join(orjson.dumps(change.as_geojson()) for change in page))
            written += len(page)
            if tell is not None:
                tell(written)
        file.write(b"]}")
    return written
