"""Items as files: the same query as a page, streamed whole from a cursor."""

import threading
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Connection, text

from geoserver.errors import Busy
from geoserver.guard.address import one_client
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

_TAKE_PLACE = text("SELECT n FROM generate_series(1, :most) AS n WHERE pg_try_advisory_xact_lock(:kind, n) LIMIT 1")
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
        _take_places(conn, city)
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


def _take_places(conn: Connection, city: "City") -> None:
    """One of the exports of the whole city, and one of the client's, until the transaction ends.

    They are advisory locks, so they count over all workers and machines, and none is left behind by a lost one. Raises
    :class:`Busy`.
    """
    limits = city.settings.server.limits
    client = city.principal.account or one_client(city.principal.address or "")
    for kind, most, whose in (
        ("exports", limits.exports_at_once, "in the city"),
        (f"exports of {client}", limits.exports_per_client, "for you"),
    ):
        taken = conn.execute(_TAKE_PLACE, {"kind": zlib.crc32(kind.encode()) - 2**31, "most": most}).scalar()
        if taken is None:
            raise Busy(f"{most} exports are under way {whose}; try again when one has ended")


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
