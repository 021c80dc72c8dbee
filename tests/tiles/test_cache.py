"""The cache keeps what is good, drops what changed to the tile, and shares one render among all who ask."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tiles.cache.cache import TileCache
from tiles.cache.dirty import Dirty, RecentChanges
from tiles.cache.disk import DiskTiles
from tiles.cache.positions import Position
from tiles.cache.snapshot import Snapshot
from tiles.cache.tile import Tile, TileKey
from tiles.matrix_sets import standard_sets
from tiles.rendered import Rendered

SETS = standard_sets()
MERCATOR = SETS["WebMercatorQuad"]
HERE = (114.9, 30.4, 114.9, 30.4)


def key(
    layers: tuple[str, ...] = ("roads",),
    z: int = 14,
    x: int = 13421,
    y: int = 6738,
    variant: str = "v",
    scoped: bool = False,
) -> TileKey:
    return TileKey(layers, MERCATOR, z, y, x, variant, scoped)


def cache_over(folder: Path, memory: int = 10_000_000, disk: int = 10_000_000) -> TileCache:
    cache = TileCache(memory, DiskTiles(folder, disk, SETS))
    cache.apply([], time.monotonic())
    return cache


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TileCache]:
    yield cache_over(tmp_path)


def render(body: bytes = b"tile", snapshot: str = "100:100:") -> Rendered:
    return Rendered(body, snapshot)


def changed(cache: TileCache, *changes: Dirty) -> None:
    cache.apply(changes, time.monotonic())


def body(cache: TileCache, which: TileKey, fresh: bytes = b"fresh", snapshot: str = "900:900:") -> bytes:
    return cache.tile(which, lambda: render(fresh, snapshot))[0].body()


def test_snapshots_see_what_postgresql_says_they_see(conn: Connection) -> None:
    for written in ("100:105:101,103", "7:7:", "100:200:150"):
        ours = Snapshot.parse(written)
        assert str(ours) == written
        for transaction in range(1, 210):
            seen = conn.execute(
                text("SELECT pg_visible_in_snapshot(cast(:t AS text)::xid8, cast(:s AS pg_snapshot))"),
                {"t": str(transaction), "s": written},
            ).scalar()
            assert ours.sees(transaction) == seen, (written, transaction)


def test_a_tile_is_rendered_once_however_many_ask(cache: TileCache) -> None:
    renders = []

    def slow() -> Rendered:
        renders.append(1)
        time.sleep(0.1)
        return render()

    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda _: cache.tile(key(), slow)[0].body(), range(40)))
    assert set(found) == {b"tile"}
    assert len(renders) == 1


def _other_worker(folder: Path, count: Path) -> None:
    def slow() -> Rendered:
        with open(count, "a") as file:
            file.write("x")
        time.sleep(0.3)
        return render()

    cache_over(folder).tile(key(), slow)
    os._exit(0)


def test_workers_render_a_tile_once_between_them(tmp_path: Path) -> None:
    count = tmp_path / "count"
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            _other_worker(tmp_path / "store", count)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    assert count.read_text() == "x"


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_change_drops_the_tiles_that_it_touches_and_no_others(tmp_path: Path, where: str) -> None:
    cache = cache_over(tmp_path)
    touched = [
        key(),
        key(("roads", "water")),
        key(z=3, x=6, y=3),
        key(variant="other"),
        TileKey(("roads",), SETS["CGCS2000Quad"], 13, 2712, 13421, "v"),
    ]
    others = [
        key(x=13425),
        key(("water",)),
        key(z=3, x=5, y=3),
        TileKey(("roads",), SETS["CGCS2000Quad"], 13, 2713, 13425, "v"),
    ]
    for each in touched + others:
        assert body(cache, each, b"old", "100:100:") == b"old"
    if where == "disk":
        cache = TileCache(10_000_000, DiskTiles(tmp_path, 10_000_000, SETS))
    changed(cache, Dirty("roads", 500, HERE))
    assert {body(cache, each) for each in touched} == {b"fresh"}
    assert {body(cache, each) for each in others} == {b"old"}


def test_what_another_worker_wrote_before_a_change_that_this_one_knows_is_not_taken(tmp_path: Path) -> None:
    ours, theirs = cache_over(tmp_path), cache_over(tmp_path)
    changed(ours, Dirty("roads", 500, HERE))
    assert body(theirs, key(), b"old", "400:400:") == b"old"  # it has not read of the change yet
    assert body(ours, key()) == b"fresh"
    assert body(theirs, key()) == b"old"
    changed(theirs, Dirty("roads", 500, HERE))
    assert body(theirs, key(), b"newest") in (b"fresh", b"newest")


def test_a_render_that_a_change_overtook_is_answered_but_not_kept(cache: TileCache) -> None:
    def overtaken() -> Rendered:
        changed(cache, Dirty("roads", 500, HERE))
        return render(b"old", "400:600:500")

    assert cache.tile(key(), overtaken)[0].body() == b"old"
    assert body(cache, key()) == b"fresh"


def test_a_render_that_saw_the_change_is_kept(cache: TileCache) -> None:
    def during() -> Rendered:
        changed(cache, Dirty("roads", 500, HERE))
        return render(b"new", "400:600:450")

    assert cache.tile(key(), during)[0].body() == b"new"
    assert body(cache, key()) == b"new"


def test_nothing_is_given_or_kept_while_changes_cannot_be_read(tmp_path: Path) -> None:
    cache = cache_over(tmp_path)
    assert body(cache, key(), b"old") == b"old"
    cache.apply([], time.monotonic() - 5)
    assert not cache.current
    assert body(cache, key()) == b"fresh"
    assert body(cache, key(variant="w")) == b"fresh"
    cache.apply([], time.monotonic())
    assert body(cache, key()) == b"old"


def test_ground_that_changes_drops_what_was_read_with_rights(cache: TileCache) -> None:
    assert body(cache, key(scoped=True), b"old") == body(cache, key(), b"old") == b"old"
    changed(cache, Dirty("admin-areas", 950, (0.0, 0.0, 0.0, 0.0)))
    assert body(cache, key(scoped=True), b"fresh", "990:990:") == b"fresh"
    assert body(cache, key()) == b"old"


def test_a_burst_drops_a_layer_whole(tmp_path: Path) -> None:
    cache = cache_over(tmp_path)
    far = key(x=1)
    assert body(cache, far, b"old", "100:100:") == b"old"
    changed(cache, *(Dirty("roads", 500 + i, (114.0 + i * 1e-4, 30.4, 114.0 + i * 1e-4, 30.4)) for i in range(3000)))
    assert body(cache, far) == b"fresh"


def test_forgotten_changes_still_count_for_renders_under_way() -> None:
    changes = RecentChanges(most=10)
    changes.add([Dirty("roads", 500, HERE)])
    changes.add([Dirty("roads", 600 + i, (0.0, 0.0, 0.0, 0.0)) for i in range(50)])
    assert changes.outdates(key(), Snapshot.parse("450:450:"))
    assert not changes.outdates(key(("water",)), Snapshot.parse("450:450:"))
    assert not changes.outdates(key(), Snapshot.parse("640:640:"))


def test_memory_holds_its_bound_and_what_is_used(tmp_path: Path) -> None:
    cache = cache_over(tmp_path, memory=200_000, disk=0)
    rendered: list[int] = []

    def one(x: int) -> Rendered:
        rendered.append(x)
        return render(os.urandom(9000))

    for x in range(200):
        cache.tile(key(x=x), lambda x=x: one(x))
        cache.tile(key(x=0), lambda: one(0))
        assert cache._memory.size <= 200_000
    assert rendered.count(0) == 1


def test_the_disk_holds_its_bound(tmp_path: Path) -> None:
    disk = DiskTiles(tmp_path, 300_000, SETS)
    for x in range(200):
        disk.put(key(x=x), Tile.finish(Rendered(os.urandom(9000), "100:100:")))
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 350_000
    assert disk.get(key(x=199))


def test_a_damaged_file_is_not_served(tmp_path: Path) -> None:
    disk = DiskTiles(tmp_path, 300_000, SETS)
    disk.put(key(), Tile.finish(Rendered(b"whole" * 100, "100:100:")))
    [file] = [p for p in tmp_path.rglob("6738-*")]
    whole = file.read_bytes()
    for damaged in (whole[:-5], whole[:40], b"", whole[:-20] + b"x" * 20):
        file.write_bytes(damaged)
        assert disk.get(key()) is None
        assert not file.exists()


def test_the_next_worker_starts_from_where_others_were(tmp_path: Path) -> None:
    first = Position(tmp_path)
    assert first.left_behind() == [None]  # nobody knows what has happened to what is there
    first.write("100:100:")
    second = Position(tmp_path)
    assert second.left_behind() == ["100:100:"]
    second.settle()
    first.write("150:160:155")
    first.close()
    assert second.left_behind() == ["150:160:155"]
    second.settle()
    assert second.left_behind() == [None]


def test_one_worker_reads_while_others_write_and_change(tmp_path: Path) -> None:
    """A plain model: the newest committed number is in the tile. A tile with an older one after its change is stale."""
    caches = [cache_over(tmp_path) for _ in range(3)]
    numbers = {x: 0 for x in range(4)}
    clock = [1000]
    lock = threading.Lock()
    stale: list[tuple[int, int, int]] = []
    until = time.monotonic() + 4

    def read() -> Rendered:
        with lock:
            return render(repr(numbers).encode(), f"{clock[0]}:{clock[0]}:")

    def edit() -> None:
        while time.monotonic() < until:
            with lock:
                x = clock[0] % 4
                numbers[x] += 1
                transaction = clock[0]
                clock[0] += 1
            lon = (13421 + x + 0.5) / 2**14 * 360 - 180
            for cache in caches:
                cache.apply([Dirty("roads", transaction, (lon, 30.4, lon, 30.4))], time.monotonic())
            with lock:
                applied[x] = max(applied[x], numbers[x])
            time.sleep(0.002)

    applied = {x: 0 for x in range(4)}

    def look(n: int) -> None:
        while time.monotonic() < until:
            x = n % 4
            n += 1
            with lock:
                least = applied[x]
            found = eval(caches[n % 3].tile(key(x=13421 + x), read)[0].body())[x]
            if found < least:
                stale.append((x, found, least))

    threads = [threading.Thread(target=edit), *(threading.Thread(target=look, args=(n,)) for n in range(6))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not stale
    assert clock[0] > 1010
