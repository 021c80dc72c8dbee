"""Items as files: the same query as a page, streamed whole from a cursor."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from geoserver.errors import Busy
from geoserver.reply import Reply
from layers.catalogue import Layer
from layers.crs import CRS84, epsg
from layers.exporting.export import FORMATS, stream
from layers.features import set_statement_timeout
from layers.query import FeatureQuery, rows

if TYPE_CHECKING:
    from geoserver.city import City

#: Exports under way at once in one worker: each holds a connection for as long as its client reads.
AT_ONCE = 3
#: Longest time of one export [s].
SECONDS = 1800.0

_free = threading.BoundedSemaphore(AT_ONCE)


def export_items(city: "City", layer: Layer, query: FeatureQuery, format_: str, *, limited: bool) -> Reply:
    """The query's features as a file; all of them, unless ``limited`` to the query's page. Drawings are in metres.

    Raises :class:`Busy` when too many exports are under way, and what the export refuses before its first byte.
    """
    if FORMATS[format_].projected and query.crs == CRS84:
        query = replace(query, crs=epsg(city.settings.crs.projected))
    statement = rows(layer, query)
    if limited or query.offset:
        statement = statement.limit(query.limit if limited else None).offset(query.offset)
    with ExitStack() as opened:
        if not _free.acquire(blocking=False):
            raise Busy(f"{AT_ONCE} exports are under way; try again when one has ended")
        opened.callback(_free.release)
        conn = opened.enter_context(city.transaction(layer))
        set_statement_timeout(conn, SECONDS)
        chunks = stream(conn, statement, layer, format_, query.crs.srid)
        opened.callback(chunks.close)
        # A text format's first chunk is its head; the second shows whether the rows can be read at all.
        first = list(islice(chunks, 2))
        resources = opened.pop_all()
    suffix = FORMATS[format_].suffix
    plain = layer.id.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}{suffix}\"; filename*=UTF-8''{quote(layer.id)}{suffix}",
        "Content-Crs": f"<{query.crs.uri}>",
        "Cache-Control": "no-cache",
    }
    return Reply(Export(chain(first, chunks), resources), FORMATS[format_].media_type, headers=headers)


class Export(Iterator[bytes]):
    """The chunks; ``close`` gives back the connection and the place in the queue, also before the first chunk.

    A client that goes away cancels the request, but not the thread that is drawing a chunk: ``close`` waits for it, or
    the connection would be back in the pool while it is still read from.
    """

    def __init__(self, chunks: Iterator[bytes], resources: ExitStack) -> None:
        self._chunks: Iterator[bytes] = chunks
        self._resources = resources
        self._drawing = threading.Lock()

    def __next__(self) -> bytes:
        with self._drawing:
            return next(self._chunks)

    def close(self) -> None:
        """Give everything back, once no thread draws a chunk."""
        with self._drawing:
            self._chunks = iter(())
            self._resources.close()
