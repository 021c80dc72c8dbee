"""Raster tiles side by side with TiTiler: the same images, tiles and formats, each tile drawn anew.

A range that differs with each request (by less than a level of brightness) keeps both from answering from a cache; of
terrain more tiles are asked for than a burst can answer. The images are delivered in EPSG:4547, and our import copies
them onto the grid of the tiles, and in EPSG:3857 on that grid.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.warp import Resampling, reproject

from benchmarks.bench import Bench
from benchmarks.load import Measured, measure
from benchmarks.peers import WORKERS, citymap
from benchmarks.processes import Running, free_port, running
from benchmarks.terrain import hills
from layers.catalogue import Field, Text
from layers.crs import transformer
from layers.database import Database
from layers.raster.coverage import coverage
from layers.raster.grids import aligned_grid
from layers.raster.images import find_images
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import create_coverage, load_coverage
from layers.raster.store import RasterStore
from layers.registry import load_layers
from tiles.matrix_sets import standard_sets

TITILER = ("titiler.core", "uvicorn[standard]")
_APP = """
from fastapi import FastAPI
from titiler.core.errors import DEFAULT_STATUS_CODES, add_exception_handlers
from titiler.core.factory import TilerFactory
app = FastAPI()
app.include_router(TilerFactory().router)
add_exception_handlers(app, DEFAULT_STATUS_CODES)
"""
#: What TiTiler's documentation advises for COGs.
_GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": "200", "VSI_CACHE": "TRUE"}
_WEST, _NORTH, _CELL = 580_000.0, 3_370_000.0, 0.5
_CONNECTIONS = 4


@dataclass(frozen=True)
class Case:
    """A question: the collection it is asked of, what follows the address at either, and at least how much faster."""

    title: str
    collection: str
    level: int
    ours: str
    theirs: str
    at_least: float


CASES = (
    Case("imagery delivered in EPSG:4547, JPEG", "bench-4547", 18, "?f=jpeg&rescale=0,{n}", ".jpg?rescale=0,{n}", 20),
    Case("imagery delivered in EPSG:3857, JPEG", "bench-3857", 18, "?f=jpeg&rescale=0,{n}", ".jpg?rescale=0,{n}", 3),
    Case("Terrain-RGB of a DEM in EPSG:4547", "bench-dem", 20, "terrain-rgb", ".png?algorithm=terrainrgb", 10),
)


def make_images(folder: Path, side: int) -> dict[str, Path]:
    """Three files: a photograph-like image in EPSG:4547, the same on the grid of the tiles, and heights of 5 m."""
    ground = hills(2048)
    noise = np.random.default_rng(2).integers(0, 60, (3, side, side), dtype="u1")
    tone = np.kron(ground / 600 * 190, np.ones((side // 2048, side // 2048))).astype("u1")
    paths = {name: folder / f"{name}.tif" for name in ("bench-4547", "bench-3857", "bench-dem")}
    place = Affine(_CELL, 0, _WEST, 0, -_CELL, _NORTH)
    _write(paths["bench-4547"], noise + tone, place, 4547)
    bounds = transformer(4547, 3857).transform_bounds(_WEST, _NORTH - side * _CELL, _WEST + side * _CELL, _NORTH)
    grid = aligned_grid("WebMercatorQuad", bounds, 0.58)
    assert grid
    with rasterio.open(paths["bench-4547"]) as source:
        warped = np.zeros((3, grid.height, grid.width), "u1")
        reproject(rasterio.band(source, [1, 2, 3]), warped, dst_transform=grid.transform, dst_crs="EPSG:3857",
                  resampling=Resampling.bilinear)  # fmt: skip
    _write(paths["bench-3857"], warped, grid.transform, 3857)
    _write(paths["bench-dem"], ground[None], Affine(2, 0, _WEST, 0, -2, _NORTH), 4547)
    return paths


def _write(path: Path, values: np.ndarray, place: Affine, srid: int) -> None:
    profile = dict(driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2], dtype=values.dtype)
    with rasterio.open(path, "w", **profile, crs=f"EPSG:{srid}", transform=place, tiled=True) as file:
        file.write(values)


def import_all(database: Database, store: RasterStore, paths: dict[str, Path]) -> dict[str, Path]:
    """The images as coverages of their own; answers with the COGs that the store keeps of them, for the peer."""
    kept = {}
    for name, path in paths.items():
        with database.transaction(actor="bench") as conn:
            if name not in load_layers(conn):
                dem = name == "bench-dem"
                bands = (Field("elevation", "number", Text("高程", "Elevation"), "m"),) if dem else ()
                create_coverage(conn, coverage(name, Text(name, name), Text("", ""), "elevation" if dem else "imagery", bands))
            into = load_coverage(conn, name)
            if not find_images(conn, into):
                import_images(conn, store, into, path, ImageOptions(), lambda *_: None)
        with database.transaction() as conn:
            [image] = find_images(conn, load_coverage(conn, name))
            kept[name] = store.path(image.folder)
    return kept


@contextmanager
def titiler(folder: Path) -> Iterator[Running]:
    """TiTiler in an environment of its own."""
    python = folder / "titiler" / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", folder / "titiler", "--python", sys.executable], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, *TITILER], check=True)
    (folder / "titiler_app.py").write_text(_APP)
    port = free_port()
    command = [str(python), "-m", "uvicorn", "titiler_app:app", "--app-dir", str(folder), "--port", str(port),
               "--log-level", "warning", "--workers", WORKERS]  # fmt: skip
    with running("titiler", command, port, "/openapi.json", _GDAL, folder / "titiler.log") as server:
        yield server


def addresses(case: Case, files: dict[str, Path], side: int) -> tuple[list[str], list[str]]:
    """The same tiles at both, each with a range of its own."""
    grid = standard_sets()["WebMercatorQuad"]
    inner = side * _CELL * 0.2
    box = (_WEST + inner, _NORTH - side * _CELL + inner, _WEST + side * _CELL - inner, _NORTH - inner)
    met = grid.covering(transformer(4547, 3857).transform_bounds(*box), case.level)
    assert met
    tiles = [(x, y) for x in range(met[0], met[2] + 1) for y in range(met[1], met[3] + 1)]
    ours, theirs = [], []
    for n in range(20_000):
        x, y = tiles[n % len(tiles)]
        told = f"{255 + n * 1e-5:.5f}"
        base = f"/collections/{case.collection}"
        if case.ours.startswith("?"):
            ours.append(f"{base}/tiles/WebMercatorQuad/{case.level}/{y}/{x}{case.ours.format(n=told)}")
        else:
            ours.append(f"{base}/terrain/{case.ours}/WebMercatorQuad/{case.level}/{y}/{x}")
        place = f"/tiles/WebMercatorQuad/{case.level}/{x}/{y}{case.theirs.format(n=told)}"
        theirs.append(f"{place}&url={files[case.collection]}")
    return ours, theirs


def report(url: str, database: Database, folder: Path, seconds: int, side: int = 8192) -> list[str]:
    """The figures as lines of a page."""
    folder.mkdir(parents=True, exist_ok=True)
    store = RasterStore(folder / "rasters")
    files = import_all(database, store, make_images(folder, side))
    more = {"CITYMAP__RASTERS__DIRECTORY": str(store.directory), "CITYMAP__TILES__DISK_MB": "0",
            "CITYMAP__TILES__CACHE_MB": "16", "CITYMAP__TILES__DIRECTORY": str(folder / "tiles")}  # fmt: skip
    lines = []
    with citymap(url, folder, **more) as ours, titiler(folder) as theirs:
        for case in CASES:
            here, there = addresses(case, files, side)
            for server, paths in ((ours, here), (theirs, there)):
                measure(server, paths[::-1], 2, _CONNECTIONS)  # opens files, loads libraries
            found = [measure(server, paths, seconds, _CONNECTIONS) for server, paths in ((ours, here), (theirs, there))]
            lines.append(_row(case, *found))
    return [
        "## Raster tiles",
        "",
        f"Tiles of 256 pixels, each drawn anew, {_CONNECTIONS} connections, {WORKERS} workers each; TiTiler reads the COG that our store"
        " keeps of the image in its own CRS. CPU is the server's for one tile.",
        "",
        "| question | CityMap tiles/s (CPU) | TiTiler tiles/s (CPU) | × by CPU | aim |",
        "|---|---|---|---|---|",
        *lines,
    ]


def _row(case: Case, ours: Measured, theirs: Measured) -> str:
    told = " | ".join(f"{one.per_second:.0f} ({one.cpu:.1f} ms{', ' + str(one.failed) + ' failed' if one.failed else ''})" for one in (ours, theirs))
    return f"| {case.title} | {told} | {theirs.cpu / ours.cpu:.1f} | {case.at_least:g} |"


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page; nothing where TiTiler cannot be had."""
    try:
        return report(bench.url, bench.database, bench.folder / "raster_tiles", bench.seconds)
    except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
        print(f"left out: raster_tiles: {str(error)[-600:]}", file=sys.stderr)
        return []
