"""Zonal statistics side by side with exactextract run straight on the file, and with masking zone by zone.

``python -m benchmarks --only zonal``. What CityMap adds to exactextract is the mosaic: images found in PostGIS, laid
on one grid, read once for all zones. CPU seconds of this process, which others on the machine do not lengthen.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from exactextract import exact_extract
from rasterio.features import geometry_mask
from sqlalchemy import Connection, text

from benchmarks.bench import Bench
from benchmarks.terrain import hills
from layers.analysis.features import LayerFeatures, load_features
from layers.analysis.zonal import frame_of, zonal_statistics
from layers.crs import transformer
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore

_SRID, _CELL, _STATISTICS = 4547, 5.0, ("mean", "min", "max", "stdev")


def piece(bench: Bench, side: int = 4000) -> list[str]:
    """The figures as lines of a page. The database is left as it was."""
    with TemporaryDirectory(prefix="citymap-zonal-") as folder, bench.database.engine.connect() as conn:
        transaction = conn.begin()
        try:
            return _measured(conn, Path(folder), side, bench.rounds)
        finally:
            transaction.rollback()


def _measured(conn: Connection, folder: Path, side: int, rounds: int) -> list[str]:
    rows = []
    path = _ground(conn, folder, side)
    store = RasterStore(folder / "store")
    import_images(
        conn, store, load_coverage(conn, "dem"), path, ImageOptions(acquired=datetime(2026, 1, 1, tzinfo=UTC)),
        lambda _share, _text: None,
    )  # fmt: skip
    conn.dispatch.commit(conn)  # the files appear; the rows are rolled back at the end
    coverage = load_coverage(conn, "dem")
    for name, source in (
        ("communities", LayerFeatures("admin-areas", "level = 'community'", _box(path))),
        ("buildings", LayerFeatures("buildings", None, _box(path, 0.1))),
    ):
        zones = load_features(conn, source, "zones", _SRID, ()).shapes
        inside = shapely.within(zones, shapely.box(*_bounds(path)))
        zones = zones[inside]
        features = [{"type": "Feature", "geometry": shapely.geometry.mapping(z), "properties": {}} for z in zones]
        box = transformer(_SRID, 4490).transform_bounds(*shapely.total_bounds(zones))
        frame = frame_of(conn, store, coverage, box, None, _SRID, None)

        def ours(zones: Any = zones, frame: Any = frame) -> list[float]:
            found = zonal_statistics(conn, store, coverage, zones, _SRID, frame, None, None, _STATISTICS)
            return [row["mean"] for row in found]

        def straight(features: Any = features) -> list[float]:
            return [row["properties"]["mean"] for row in exact_extract(str(path), features, list(_STATISTICS))]

        def masked(zones: Any = zones) -> list[float]:
            return _masked(path, zones)

        times, means = zip(*(_median(task, rounds) for task in (ours, straight, masked)), strict=True)
        apart = float(np.nanmax(np.abs(np.array(means[0]) - np.array(means[1]))))
        rows.append(
            f"| {len(zones)} {name} | {times[0]:.2f} | {times[1]:.2f} | {times[2]:.2f} | {times[1] / times[0]:.1f} | "
            f"{times[2] / times[0]:.1f} | {apart:.1e} |"
        )
    return [
        "## Zonal statistics",
        "",
        f"Mean, least, greatest and standard deviation of {side} × {side} heights at {_CELL:g} m in each zone; CPU seconds,"
        f" medians of {rounds}. The mask takes whole pixels by their middle, as rasterstats does, so its values are others.",
        "",
        "| zones | CityMap s | exactextract on the file s | masks by rasterio s | × exactextract | × masks | means differ [m] |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]


def _ground(conn: Connection, folder: Path, side: int) -> Path:
    """Hills below the middle of the city's buildings."""
    centre = text("SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Transform(ST_SetSRID(ST_Centroid(ST_Extent(geom)::geometry), 4490), 4547) AS c"
                  " FROM (SELECT geom FROM city.buildings LIMIT 20000) AS b) AS s")  # fmt: skip
    x, y = conn.execute(centre).one()
    half = side * _CELL / 2
    path = folder / "ground.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=f"EPSG:{_SRID}", tiled=True,
        transform=Affine(_CELL, 0, x - half, 0, -_CELL, y + half),
    ) as file:  # fmt: skip
        file.write(hills(side), 1)
    return path


def _bounds(path: Path) -> tuple[float, float, float, float]:
    with rasterio.open(path) as file:
        west, south, east, north = file.bounds
    return west, south, east, north


def _box(path: Path, share: float = 1.0) -> tuple[float, float, float, float]:
    """The middle ``share`` of the file's ground [°]."""
    west, south, east, north = _bounds(path)
    x, y, wide, high = (west + east) / 2, (south + north) / 2, (east - west) * share / 2, (north - south) * share / 2
    box: tuple[float, float, float, float] = transformer(_SRID, 4490).transform_bounds(
        x - wide, y - high, x + wide, y + high
    )
    return box


def _masked(path: Path, zones: Any) -> list[float]:
    """As rasterstats: a window and a mask of whole pixels for each zone."""
    means = []
    with rasterio.open(path) as file:
        for zone in zones:
            window = file.window(*zone.bounds).round_offsets().round_lengths(op="ceil")
            values = file.read(1, window=window)
            inside = ~geometry_mask([zone], values.shape, file.window_transform(window))
            some = values[inside]
            means.append(float(some.mean()) if some.size else float("nan"))
            _ = (some.min(initial=np.inf), some.max(initial=-np.inf), some.std() if some.size else 0)
    return means


def _median(task: Callable[[], list[float]], rounds: int) -> tuple[float, list[float]]:
    """CPU seconds of this process, and what the task gave."""
    seconds, answer = [], []
    for _ in range(rounds):
        begun = time.process_time()
        answer = task()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), answer
