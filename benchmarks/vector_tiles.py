"""Vector tiles over HTTP: from the cache beside nginx and Martin, drawn anew beside bare SQL, Martin and tipg.

All of the buildings' table. The peers read a copy of it in EPSG:4326 (:mod:`benchmarks.peers`), ours is in EPSG:4490.
"""

import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bare import Request, client
from benchmarks.bench import Bench
from benchmarks.cold_tiles import fullest, middles
from benchmarks.load import Measured, entity_tag, measure
from benchmarks.peers import PEERS, WORKERS, citymap, copy_for_peers, tipg
from benchmarks.processes import Running
from benchmarks.tile_peers import martin, nginx
from layers.catalogue import Layer
from layers.database import Reader
from layers.registry import load_layers
from tiles.matrix_sets import MatrixSet, standard_sets
from tiles.vector import TileQuery, render_tile

_CONNECTIONS = 8
#: Bytes of the tile that is asked for again and again, before it is packed.
_SIZE = 60_000
_GZIP = {"Accept-Encoding": "gzip"}
#: Sent with tiles that are drawn anew: a cache that holds few of them, and none on disk.
_COLD = {"CITYMAP__TILES__CACHE_MB": "16", "CITYMAP__TILES__DISK_MB": "0"}
_TYPES = {"string": "text", "integer": "int4", "number": "float8"}

type Place = tuple[int, int, int]


@dataclass(frozen=True)
class Recorder:
    """A reader that keeps what it was asked, as the bare client sends it."""

    reader: Reader
    asked: list[tuple[str, dict[str, Any]]]

    def fetch(self, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.asked.append((statement, dict(values)))
        return self.reader.fetch(statement, values)


def addresses(grid: MatrixSet, at: NDArray[np.float64], zooms: Sequence[int], most: int) -> list[Place]:
    """Row and column of tiles that hold something, in an order of chance."""
    found = [(z, *place) for z in zooms for place in fullest(grid, at, z)]
    random.Random(3).shuffle(found)
    return found[:most]


def _path(grid: str, place: Place, collection: str = "buildings") -> str:
    z, y, x = place
    return f"/collections/{collection}/tiles/{grid}/{z}/{y}/{x}"


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    copy_for_peers(bench.database)
    with bench.database.transaction() as conn:
        layer = load_layers(conn)["buildings"]
    at = middles(bench.database, layer)
    return [
        "## Vector tiles",
        "",
        *_cached(bench, layer, at),
        "",
        *_drawn(bench, layer, at),
        "",
        *_degrees(bench, at),
        "",
        *freshness(bench, at),
    ]


@contextmanager
def _peer(name: str, start: Callable[[], AbstractContextManager[Running]]) -> Iterator[Running | None]:
    """A peer, or None with a line that says why it cannot be had."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(start())
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"left out: {name}: {str(error)[-600:]}", file=sys.stderr)
            server = None
        yield server


def _cached(bench: Bench, layer: Layer, at: NDArray[np.float64]) -> list[str]:
    web = standard_sets()["WebMercatorQuad"]
    with bench.database.reading() as reader:
        sized = [
            (len(render_tile(reader, TileQuery.whole(layer), web, *p).body), p) for p in addresses(web, at, (15,), 60)
        ]
    size, place = min(sized, key=lambda found: abs(found[0] - _SIZE))
    z, y, x = place
    path = _path("WebMercatorQuad", place)
    found: list[tuple[str, Measured | None]] = []
    with citymap(bench.url, bench.folder) as ours:
        with urllib.request.urlopen(urllib.request.Request(ours.url + path, headers=_GZIP), timeout=30) as answer:
            body, tag = answer.read(), answer.headers["ETag"]
        measure(ours, [path], 1, _CONNECTIONS, _GZIP)
        found.append(("CityMap", measure(ours, [path], bench.seconds, _CONNECTIONS, _GZIP)))
        found.append(
            ("CityMap, 304", measure(ours, [path], bench.seconds, _CONNECTIONS, _GZIP | {"If-None-Match": tag}))
        )
    with _peer("nginx", lambda: nginx(bench.folder, {"/tile.mvt": body})) as server:
        found.append(
            (
                "nginx, the same bytes as a file",
                server and measure(server, ["/tile.mvt"], bench.seconds, _CONNECTIONS, _GZIP),
            )
        )
    fields = {f.name: _TYPES[f.type] for f in layer.fields if f.type in _TYPES and f.role != "key"}
    with _peer("martin", lambda: martin(bench.url, bench.folder, fields, 512)) as server:
        if server:
            measure(server, [f"/buildings/{z}/{x}/{y}"], 1, _CONNECTIONS, _GZIP)
        found.append(
            (
                "Martin, its cache on",
                server and measure(server, [f"/buildings/{z}/{x}/{y}"], bench.seconds, _CONNECTIONS, _GZIP),
            )
        )
    return [
        f"One tile of {size / 1000:.0f} KB ({len(body) / 1000:.0f} KB packed) again and again, {_CONNECTIONS} connections, {WORKERS} processes each; CPU is the server's for one answer.",
        "",
        "| server | answers/s | CPU | answers/s of one core's CPU | p99 |",
        "|---|---|---|---|---|",
        *(_row(name, one) for name, one in found),
    ]


def _row(name: str, one: Measured | None) -> str:
    if one is None:
        return f"| {name} | could not be had | | | |"
    failed = f", {one.failed} failed" if one.failed else ""
    return f"| {name} | {one.per_second:.0f}{failed} | {one.cpu * 1000:.0f} µs | {1000 / one.cpu if one.cpu else 0:.0f} | {one.p99:.1f} ms |"


def _drawn(bench: Bench, layer: Layer, at: NDArray[np.float64]) -> list[str]:
    """Tiles of zooms 14 to 16, each once."""
    web = standard_sets()["WebMercatorQuad"]
    places = addresses(web, at, (14, 15, 16), 8000)
    requests: list[Request] = []
    with bench.database.reading() as reader:
        for place in places[:400]:
            recorder = Recorder(reader, [])
            render_tile(recorder, TileQuery.whole(layer), web, *place)  # type: ignore[arg-type]
            requests.append(recorder.asked)
    rows: list[str] = []
    paths = [_path("WebMercatorQuad", place) for place in places]
    with client(bench.url, 1, 1) as one, client(bench.url, int(WORKERS), _CONNECTIONS) as many:
        bare = one.measure(requests, bench.seconds), many.measure(requests, bench.seconds)
    rows.append(
        f"| the same SQL by psycopg2 alone | {1000 / bare[0].per_second:.2f} ms | {bare[1].per_second:.0f} | {bare[1].cpu:.2f} ms |"
    )
    with citymap(bench.url, bench.folder, **_COLD) as ours:
        rows.append(_cold_row("CityMap", ours, paths, bench.seconds))
    fields = {f.name: _TYPES[f.type] for f in layer.fields if f.type in _TYPES and f.role != "key"}
    with _peer("martin", lambda: martin(bench.url, bench.folder, fields, 0)) as server:
        if server:
            rows.append(
                _cold_row(
                    "Martin, its cache off", server, [f"/buildings/{z}/{x}/{y}" for z, y, x in places], bench.seconds
                )
            )
    return [
        f"### Drawn anew, zooms 14–16 of WebMercatorQuad, {len(places)} tiles in an order of chance",
        "",
        "| server | one after the other, each | tiles/s, 8 connections | its CPU each (without PostgreSQL's) |",
        "|---|---|---|---|",
        *rows,
    ]


def _cold_row(name: str, server: Running, paths: Sequence[str], seconds: int) -> str:
    measure(server, paths[::-1], 2, _CONNECTIONS)
    alone, many = (measure(server, paths, seconds, n, _GZIP) for n in (1, _CONNECTIONS))
    failed = f" ({many.failed} failed)" if many.failed else ""
    return f"| {name} | {1000 / alone.per_second:.2f} ms | {many.per_second:.0f}{failed} | {many.cpu:.2f} ms |"


def _degrees(bench: Bench, at: NDArray[np.float64]) -> list[str]:
    """The same boxes in degrees: our CGCS2000Quad and tipg's WorldCRS84Quad have the same numbers."""
    grid = standard_sets()["CGCS2000Quad"]
    places = addresses(grid, at, (14,), 4000)
    found = []
    with citymap(bench.url, bench.folder, **_COLD) as ours:
        measure(ours, [_path("CGCS2000Quad", p) for p in places[::-1]], 2, _CONNECTIONS)
        found.append(
            (
                "CityMap, CGCS2000Quad",
                measure(ours, [_path("CGCS2000Quad", p) for p in places], bench.seconds, _CONNECTIONS),
            )
        )
    with _peer("tipg", lambda: tipg(bench.url, bench.folder)) as server:
        paths = [f"/collections/{PEERS}.buildings/tiles/WorldCRS84Quad/{z}/{x}/{y}" for z, y, x in places]
        found.append(("tipg, WorldCRS84Quad", server and measure(server, paths, bench.seconds, _CONNECTIONS)))
    return [f"### In degrees, level 14, {len(places)} tiles", "",
            "| server | answers/s | CPU | answers/s of one core's CPU | p99 |", "|---|---|---|---|---|", *(_row(*each) for each in found)]  # fmt: skip


def freshness(bench: Bench, at: NDArray[np.float64], times: int = 200) -> list[str]:
    """Time from the commit of an edit by SQL until eight askers in a row, of whichever worker, get the new tile."""
    z, y, x = addresses(standard_sets()["WebMercatorQuad"], at, (15,), 1)[0]
    inside = f"geom && ST_Transform(ST_TileEnvelope({z}, {x}, {y}), 4490)"
    change = f"UPDATE city.buildings SET year_built = {{}} WHERE id = (SELECT min(id) FROM city.buildings WHERE {inside}) RETURNING id"
    took = []
    with citymap(bench.url, bench.folder) as ours:
        tile = ours.url + _path("WebMercatorQuad", (z, y, x))
        for n in range(times):
            before = entity_tag(tile)
            with bench.database.transaction() as conn:
                conn.exec_driver_sql(change.format(1800 + n % 70)).one()
            begun = now = time.perf_counter()
            shown = 0
            while shown < 8:
                asked = time.perf_counter()
                shown = shown + 1 if entity_tag(tile) != before else 0
                now = now if shown > 1 else asked
            took.append((now - begun) * 1000)
    return [
        "### After an edit",
        "",
        f"{times} edits by SQL, one after the other; from the commit until every asker gets the new tile, {WORKERS} workers: "
        f"median {np.median(took):.0f} ms, p99 {np.percentile(took, 99):.0f} ms (aim: 200 ms).",
    ]
