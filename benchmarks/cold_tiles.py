"""Cold vector tiles of the whole city: how large and how slow the worst of every zoom is.

Every tile that holds something is drawn once, as a server does it that has none in its cache: of each layer that the map
shows to everybody by itself, of the sources of the map's style, and of all layers in one tile. Below street level layers
are drawn from their generalised pieces, which are worked out first. CPU is what the database's process and ours used,
which other work on the machine hardly lengthens.

``python -m benchmarks.cold_tiles URL`` prints it of any city that is there.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from benchmarks.bench import Bench
from geoserver.database_roles import role_url
from geoserver.web.style import city_style
from layers.access import APP_ROLE
from layers.catalogue import CGCS2000, Layer
from layers.crs import transformer
from layers.database import Database, Reader
from layers.registry import load_layers
from layers.tables import quoted
from tiles.cache.tile import Tile
from tiles.generalised.keeping import bring_up
from tiles.matrix_sets import MatrixSet, standard_sets
from tiles.vector import MAX_LAYERS, TileQuery, render_tile

#: What the issue of tiles asks for: bytes as a client decodes them, and milliseconds.
LARGEST, SLOWEST = 500_000, 100.0
DEEPEST = 16
#: Tiles of one zoom that are drawn at most: half of them the fullest, the others spread over the rest.
MOST = 200
_GRID = standard_sets()["WebMercatorQuad"]
_SRIDS = (4326, 4490, 4547, 3857, 4526)


@dataclass(frozen=True)
class Drawn:
    """One tile: bytes, and wall clock and CPU [ms]."""

    place: tuple[int, int, int]
    plain: int
    packed: int
    wall: float
    database: float
    ours: float

    @property
    def cpu(self) -> float:
        return self.database + self.ours


@dataclass(frozen=True)
class Asked:
    """A kind of tile: its name, its layers, and the zooms it is asked for at."""

    name: str
    layers: tuple[Layer, ...]
    zooms: range

    def row(self, drawn: Sequence[Drawn]) -> str:
        large, packed = max(drawn, key=lambda d: d.plain), max(drawn, key=lambda d: d.packed)
        slow, wall = max(drawn, key=lambda d: d.cpu), max(drawn, key=lambda d: d.wall)
        over = sum(d.plain > LARGEST for d in drawn), sum(d.cpu > SLOWEST for d in drawn)
        return (
            f"| {self.name} | {len(drawn)} | {large.plain / 1000:.0f} KB ({_at(large)}) | {packed.packed / 1000:.0f} KB "
            f"| {slow.cpu:.0f} ms = {slow.database:.0f} + {slow.ours:.0f} ({_at(slow)}) | {wall.wall:.0f} ms "
            f"| {np.median([d.cpu for d in drawn]):.1f} ms | {over[0]}, {over[1]} |"
        )


def _at(drawn: Drawn) -> str:
    return "/".join(map(str, drawn.place))


def middles(database: Database, layer: Layer) -> NDArray[np.float64]:
    """Longitude and latitude [degrees] of the middle of every feature's box."""
    statement = f"""
        SELECT (ST_XMin(b) + ST_XMax(b)) / 2, (ST_YMin(b) + ST_YMax(b)) / 2
        FROM (SELECT ST_Transform(ST_Envelope(geom), 4490) AS b FROM {quoted("city", layer.table)} WHERE NOT ST_IsEmpty(geom)) AS t"""
    with database.transaction() as conn:
        return np.array(conn.execute(text(statement)).all(), float).reshape(-1, 2)


def fullest(grid: MatrixSet, at: NDArray[np.float64], z: int) -> list[tuple[int, int]]:
    """Row and column of the tiles of a level that hold something, the fullest first."""
    level = grid.levels[z]
    x, y = at.T if grid.geographic else transformer(CGCS2000, grid.srid).transform(*at.T)
    placed = np.stack([np.floor((level.north - y) / level.height), np.floor((x - level.west) / level.width)], axis=1)
    tiles, count = np.unique(placed, axis=0, return_counts=True)
    return [(int(row), int(column)) for row, column in tiles[np.argsort(-count, kind="stable")]]


def chosen(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that are drawn of them."""
    if len(found) <= MOST:
        return found
    rest = found[MOST // 2 :]
    return found[: MOST // 2] + rest[:: -(-len(rest) // (MOST // 2))]


def kinds(layers: Iterable[Layer]) -> Iterator[Asked]:
    """What is measured: each layer, each source of the map that brings several, and everything at once."""
    shown = {layer.id: layer for layer in layers if layer.kind == "vector" and layer.visibility == "public"}
    whole = range(DEEPEST + 1)
    for layer in shown.values():
        yield Asked(layer.id, (layer,), whole)
    for name, source in city_style(shown, "")["sources"].items():
        names = source["tiles"][0].partition("collections=")[2]
        if "," in names:
            members = tuple(shown[one] for one in names.split(","))
            yield Asked(f"the map's source “{name}”", members, range(source["minzoom"], DEEPEST + 1))
    yield Asked("all of them in one tile", tuple(shown.values())[:MAX_LAYERS], whole)


def draw(reader: Reader, pid: int, layers: tuple[Layer, ...], place: tuple[int, int, int]) -> Drawn:
    """The tile drawn and packed, once."""
    begun, database, ours = time.perf_counter(), _on_cpu(pid), time.thread_time()
    rendered = render_tile(reader, TileQuery.whole(*layers), _GRID, *place)
    tile = Tile.finish(rendered)
    used = (time.perf_counter() - begun) * 1000, (_on_cpu(pid) - database) * 1000, (time.thread_time() - ours) * 1000
    return Drawn(place, len(rendered.body), len(tile.packed), *used)


def _on_cpu(pid: int) -> float:
    """CPU time [s] of a process (/proc/PID/schedstat, nanoseconds)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def report(url: str, owner: Database) -> list[str]:
    """The figures as lines of a page."""
    begun = time.perf_counter()
    bring_up(owner)
    lasted = time.perf_counter() - begun
    with owner.transaction() as conn:
        asked = [kind for kind in kinds(load_layers(conn).values())]
    at = {layer.id: middles(owner, layer) for layer in {each for kind in asked for each in kind.layers}}
    lines = []
    reading = Database(role_url(url, APP_ROLE), pool_size=1, warm_srids=_SRIDS)
    for kind in asked:
        here = np.concatenate([at[layer.id] for layer in kind.layers])
        if not len(here):
            continue
        with reading.reading() as reader:
            [(pid,)] = reader.fetch("SELECT pg_backend_pid()", {})
            drawn = [
                draw(reader, pid, kind.layers, (z, *place))
                for z in kind.zooms
                for place in chosen(fullest(_GRID, here, z))
            ]
            drawn = [_again(reader, pid, kind.layers, one) for one in drawn]
        lines.append(kind.row(drawn))
        print(lines[-1], flush=True)
    reading.close()
    return [
        "## Cold vector tiles",
        "",
        f"Tiles of WebMercatorQuad, zooms 0–{DEEPEST}: all that hold something, and of a zoom that has more than {MOST} the {MOST // 2} fullest "
        f"and as many of the others. No tile comes from a cache; pieces of generalised layers stand (what was missing of them took {lasted:.0f} s to work out). "
        f"What took more than {SLOWEST / 2:.0f} ms was drawn twice more, and the least counts. Aims: {LARGEST // 1000} KB, {SLOWEST:.0f} ms.",
        "",
        "| tile of | drawn | largest (z/y/x) | packed | slowest by CPU = PostgreSQL + ours | by the clock | median CPU | over the aims: size, CPU |",
        "|---|---|---|---|---|---|---|---|",
        *lines,
    ]


def _again(reader: Reader, pid: int, layers: tuple[Layer, ...], first: Drawn) -> Drawn:
    if first.wall < SLOWEST / 2:
        return first
    return min([first, *(draw(reader, pid, layers, first.place) for _ in range(2))], key=lambda d: d.cpu)


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    return report(bench.url, bench.database)


def main() -> None:
    """Over a database that is there: its owner's address."""
    owner = Database(sys.argv[1], pool_size=2, statement_timeout=3600)
    print("\n".join(report(sys.argv[1], owner)))
    owner.close()


if __name__ == "__main__":
    main()
