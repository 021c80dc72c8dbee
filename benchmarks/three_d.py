"""3D tiles of buildings side by side with ``py3dtiles export``: the same buildings to tiles on one core, in one run.

CityMap reads them from PostGIS and writes GLB with normals, colours and every attribute; py3dtiles is handed solids that
are made already, as WKB, and writes b3dm with normals and ids: what PostGIS costs is in our time only. py3dtiles is
fetched from PyPI into a folder of its own.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text

from benchmarks.bench import Bench
from benchmarks.load import entity_tag
from benchmarks.peers import WORKERS, citymap
from layers.catalogue import Layer
from layers.crs import transformer
from layers.database import Database
from layers.registry import load_layers
from tiles.three_d.levels import Address
from tiles.three_d.reading import roots_of, tiles_in
from tiles.three_d.render import render_root, render_subtree, render_tile, render_tileset

PEER = "py3dtiles==12.1.1"
#: Buildings that are made into tiles.
MOST = 20_000
_EXPORT = """
import json, pickle, sys, time
import numpy as np
from pathlib import Path
from py3dtiles.export import wkbs_to_tileset
wkbs = pickle.loads(Path(sys.argv[1]).read_bytes())
begun = time.perf_counter()
wkbs_to_tileset(wkbs, [str(n) for n in range(len(wkbs))], np.identity(4, dtype=np.float32).flatten("F"), Path(sys.argv[2]))
seconds = time.perf_counter() - begun
files = list(Path(sys.argv[2]).rglob("*.b3dm"))
print(json.dumps([seconds, len(files), sum(f.stat().st_size for f in files)]), file=sys.stderr)
"""


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    with bench.database.transaction() as conn:
        layer = load_layers(conn)["buildings-3d"]
    roots = list(_chosen(bench.database, layer))
    ours = min(_tiles(bench.database, layer, roots) for _ in range(bench.rounds))
    documents = _documents(bench.database, layer, roots[0])
    lines = [
        "## 3D tiles",
        "",
        f"The same {ours[2]} buildings to tiles, one core, wall-clock of the best of {bench.rounds} runs; peer {PEER}.",
        "",
        "| | s | tiles | tiles/s | buildings/s | MB |",
        "|---|---|---|---|---|---|",
        _row("CityMap, from PostGIS, with attributes", ours[0], ours[1], ours[2], ours[3]),
    ]
    peer = _peer(bench, layer, roots)
    if peer:
        lines.append(_row("py3dtiles, from solids made before", peer[0], peer[1], ours[2], peer[2]))
        lines += ["", f"× py3dtiles in buildings/s: {peer[0] / ours[0]:.1f}"]
    answered, whole = edited(bench, layer, roots[0])
    lines += [
        "",
        f"An edited building in its new tile over HTTP, {WORKERS} workers, {len(whole)} edits: {np.median(answered):.0f} ms after the edit was answered "
        f"(the slowest {max(answered):.0f} ms), {np.median(whole):.0f} ms after it was sent (the slowest {max(whole):.0f} ms).",
        "",
        "Documents, cold: " + "; ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in documents) + ".",
    ]
    return lines


def _row(name: str, seconds: float, tiles: int, buildings: int, size: int) -> str:
    return (
        f"| {name} | {seconds:.2f} | {tiles} | {tiles / seconds:.0f} | {buildings / seconds:.0f} | {size / 1e6:.1f} |"
    )


def _chosen(database: Database, layer: Layer) -> Iterator[Address]:
    """The fullest cells, up to so many buildings."""
    with database.reading() as reader:
        found = sorted(roots_of(reader, layer).items(), key=lambda item: -item[1].count)
    total = 0
    for root, extent in found:
        if total and total + extent.count > MOST:
            return
        total += extent.count
        yield root


def _no_ground(shapes: Any) -> tuple[Any, Any]:
    return np.zeros(len(shapes)), np.zeros(len(shapes))


def _tiles(database: Database, layer: Layer, roots: list[Address]) -> tuple[float, int, int, int]:
    begun = time.perf_counter()
    count = buildings = size = 0
    with database.reading() as reader:
        for root in roots:
            for tile, extent in tiles_in(reader, layer, root).items():
                size += len(render_tile(reader, layer, tile, _no_ground).body)
                count, buildings = count + 1, buildings + extent.count
    return time.perf_counter() - begun, count, buildings, size


def _documents(database: Database, layer: Layer, root: Address) -> list[tuple[str, float]]:
    found = []
    with database.reading() as reader:
        for name, render in (
            ("tileset.json of the whole city", lambda: render_tileset(reader, layer, explicit=False)),
            ("subtree of the fullest cell", lambda: render_subtree(reader, layer, root)),
            ("its explicit tileset", lambda: render_root(reader, layer, root)),
        ):
            begun = time.perf_counter()
            render()
            found.append((name, time.perf_counter() - begun))
    return found


def edited(bench: Bench, layer: Layer, root: Address, times: int = 20) -> tuple[list[float], list[float]]:
    """Milliseconds from the answer to an edit of a height, and from its sending, to the whole new tile that shows it.

    The building is the largest of the cell, and its tile is the one that its first edit changes.
    """
    west, south, east, north = root.box
    box = f"ST_MakeEnvelope({west}, {south}, {east}, {north}, 4490)"
    statement = (
        f"SELECT id, height FROM city.buildings WHERE geom @ {box} AND height > 0 ORDER BY ST_Area(geom) DESC LIMIT 1"
    )
    with bench.database.transaction() as conn:
        building, height = conn.exec_driver_sql(statement).one()
    with bench.database.reading() as reader:
        places = [tile.place(root) for tile in tiles_in(reader, layer, root)]
    with citymap(bench.url, bench.folder, CITYMAP__ACCESS__ANONYMOUS_EDIT="true") as server:
        here = f"{server.url}/collections/{layer.id}/3dtiles/{root.row}/{root.column}"
        tags = {f"{here}/{z}/{x}/{y}.glb": "" for z, x, y in places}
        tags = {tile: entity_tag(tile) for tile in tags}
        _set_height(server.url, building, 50.0)
        tile = _changed(tags)
        answered, whole = [], []
        for n in range(times):
            before, sent = entity_tag(tile), time.perf_counter()
            _set_height(server.url, building, 51.0 + n)
            done = time.perf_counter()
            while entity_tag(tile) == before:
                pass
            now = time.perf_counter()
            answered.append((now - done) * 1000)
            whole.append((now - sent) * 1000)
        _set_height(server.url, building, float(height))
    return answered, whole


def _changed(tags: dict[str, str]) -> str:
    """The tile whose tag is no longer that. Raises RuntimeError when none has changed in 20 s."""
    until = time.perf_counter() + 20
    while time.perf_counter() < until:
        for tile, tag in tags.items():
            if entity_tag(tile) != tag:
                return tile
    raise RuntimeError("no tile shows the edited building")


def _set_height(server: str, building: int, height: float) -> None:
    request = urllib.request.Request(
        f"{server}/collections/buildings/items/{building}", method="PATCH", data=json.dumps({"properties": {"height": height}}).encode(),
        headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def _peer(bench: Bench, layer: Layer, roots: list[Address]) -> tuple[float, int, int] | None:
    """Seconds, tiles and bytes of py3dtiles; None where it cannot be had."""
    import pickle

    home = bench.folder / "py3dtiles"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run(["uv", "venv", "-q", home, "--python", sys.executable], check=True)
            subprocess.run(["uv", "pip", "install", "-q", "--python", python, PEER], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"left out: py3dtiles cannot be had ({error})", file=sys.stderr)
        return None
    solids = bench.folder / "solids.pickle"
    solids.write_bytes(pickle.dumps(list(_solids(bench.database, roots))))
    (bench.folder / "b3dm").mkdir(exist_ok=True)
    made = subprocess.run(
        [python, "-c", _EXPORT, solids, bench.folder / "b3dm"], capture_output=True, text=True, check=True
    )
    seconds, tiles, size = json.loads(made.stderr.strip().splitlines()[-1])
    return float(seconds), int(tiles), int(size)


def _solids(database: Database, roots: list[Address]) -> Iterator[bytes]:
    """Walls and roofs as WKB, in metres around the first building, y upwards as py3dtiles wants it."""
    forward = transformer(4490, 4547)
    first = None
    with database.transaction() as conn:
        for root in roots:
            west, south, east, north = root.box
            rows = conn.execute(
                text("SELECT ST_AsBinary(geom), height FROM city.buildings_3d WHERE height > 0"
                     " AND ST_XMin(geom) + ST_XMax(geom) BETWEEN 2 * :w AND 2 * :e"
                     " AND ST_YMin(geom) + ST_YMax(geom) BETWEEN 2 * :s AND 2 * :n"
                     " AND geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)"),
                {"w": west, "s": south, "e": east, "n": north},
            )  # fmt: skip
            for wkb, height in rows:
                shape = shapely.transform(shapely.from_wkb(bytes(wkb)), forward.transform, interleaved=False)
                first = first or shape.bounds[:2]
                yield _solid(shapely.transform(shape, lambda p, at=first: p - at), float(height))


def _solid(shape: Any, height: float) -> bytes:
    faces = []
    for part in shape.geoms:
        rings = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
        faces.append(shapely.Polygon(_up(rings[0], height), [_up(ring, height) for ring in rings[1:]]))
        for ring in rings:
            for a, b in zip(ring[:-1], ring[1:], strict=True):
                faces.append(shapely.Polygon([(*a, 0.0), (*b, 0.0), (*b, height), (*a, height)]))
    turned = shapely.transform(shapely.MultiPolygon(faces), lambda p: p[:, [0, 2, 1]] * [1, 1, -1], include_z=True)
    found: bytes = shapely.to_wkb(turned, output_dimension=3, flavor="iso")
    return found


def _up(ring: Any, height: float) -> Any:
    return np.column_stack([ring, np.full(len(ring), height)])


def main() -> None:
    """Over a database that is there: ``python -m benchmarks.three_d URL``."""
    url = sys.argv[1]
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "/tmp/citymap-three-d")
    folder.mkdir(parents=True, exist_ok=True)
    print("\n".join(piece(Bench(url, Database(url, pool_size=2), folder, 2, 1))))


if __name__ == "__main__":
    main()
