"""Changes planted in made-up images, on the real Landsat pair, and of WorldCover's classes."""

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Geod
from rasterio.windows import Window
from sqlalchemy import Connection

from layers.analysis.change import normalise
from layers.analysis.change_processes import ChangeAnswer, change_detection
from layers.analysis.errors import AnalysisError
from layers.crs import transformer
from layers.processing import CityCrs, Workspace
from layers.raster.store import RasterStore
from tests.layers.analysis.test_zonal import take
from tests.layers.terrain.grids import RASTERS
from tests.layers.terrain.test_processes import Job, ring

EZHOU = CityCrs(4547, frozenset({4547, 4490}))
X, Y = 586000.0, 3364000.0


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


def year(number: int) -> tuple[datetime, datetime]:
    return datetime(number, 1, 1, tzinfo=UTC), datetime(number, 12, 31, tzinfo=UTC)


def put(path: Path, values: Any, crs: str = "EPSG:4547", transform: Any = None, nodata: float | None = None) -> Path:
    bands, rows, columns = values.shape
    where = transform or Affine(10, 0, X, 0, -10, Y + 10 * rows)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=bands, dtype=values.dtype, crs=crs, transform=where,
        nodata=nodata,
    ) as out:  # fmt: skip
        out.write(values)
    return path


def ground(seed: int = 3) -> Any:
    """Three bands of a patchy ground, 120 × 120 pixels of 10 m."""
    rng = np.random.default_rng(seed)
    patches = np.kron(rng.uniform(40, 180, (3, 12, 12)), np.ones((1, 10, 10)))
    return patches + rng.normal(0, 1.5, patches.shape)


#: Planted: rows, columns, and by how much each band differs.
PLANTED = {
    "large": (slice(20, 40), slice(30, 60), (60, -40, 30)),
    "small": (slice(80, 86), slice(90, 96), (-50, 50, 40)),
    "tiny": (slice(100, 102), slice(10, 12), (70, 70, 70)),
}


def later(before: Any) -> Any:
    """The same ground in another light (gain 0.8, 1.1, 0.9; offset 12, -9, 5), with noise and what was planted."""
    rng = np.random.default_rng(9)
    after = before.copy()
    for rows, columns, by in PLANTED.values():
        after[:, rows, columns] += np.array(by)[:, None, None]
    gains, offsets = np.array([0.8, 1.1, 0.9])[:, None, None], np.array([12, -9, 5])[:, None, None]
    return after * gains + offsets + rng.normal(0, 0.8, after.shape)


def pair(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    before = ground()
    take(conn, store, put(tmp_path / "a.tif", before.astype("float32")), "imagery", datetime(2019, 6, 1, tzinfo=UTC))
    take(
        conn,
        store,
        put(tmp_path / "b.tif", later(before).astype("float32")),
        "imagery",
        datetime(2021, 6, 1, tzinfo=UTC),
    )


def test_the_light_is_found_in_spite_of_changes() -> None:
    before = ground()
    moved, fit = normalise(before, later(before))
    assert fit.gain == pytest.approx([1 / 0.8, 1 / 1.1, 1 / 0.9], rel=0.01)
    assert fit.offset == pytest.approx([-12 / 0.8, 9 / 1.1, -5 / 0.9], abs=1.5)
    rows, columns, by = PLANTED["large"]
    assert (moved - before)[:, rows, columns].mean(axis=(1, 2)) == pytest.approx(by, abs=2)
    with pytest.raises(AnalysisError, match="is uniform"):
        normalise(before, np.full(before.shape, 7.0))
    with pytest.raises(AnalysisError, match="only 0 pixels in common"):
        normalise(before, np.full(before.shape, np.nan))


def detect(conn: Connection, store: RasterStore, tmp_path: Path, **more: Any) -> ChangeAnswer:
    found = change_detection(conn, Job(), store, EZHOU, Workspace(tmp_path), year(2019), year(2021), **more)
    assert isinstance(found, ChangeAnswer)
    return found


def test_what_was_planted_is_found_and_what_is_too_small_is_not(
    conn: Connection, store: RasterStore, tmp_path: Path
) -> None:
    pair(conn, store, tmp_path)
    found = detect(conn, store, tmp_path, minimum_area=1000.0)
    flat = [
        shapely.transform(shapely.geometry.shape(f["geometry"]), transformer(4490, 4547).transform, interleaved=False)
        for f in found.patches.features
    ]
    order = sorted(range(len(flat)), key=lambda i: -flat[i].area)
    assert len(flat) == 2
    for i, name in zip(order, ("large", "small"), strict=True):
        rows, columns, _ = PLANTED[name]
        box = shapely.box(
            X + 10 * columns.start, Y + 1200 - 10 * rows.stop, X + 10 * columns.stop, Y + 1200 - 10 * rows.start
        )
        assert flat[i].intersection(box).area / flat[i].union(box).area > 0.85  # smoothing rounds the corners
        about = found.patches.features[i]["properties"]
        assert about["area"] == pytest.approx(flat[i].area, abs=1)
        assert about["confidence"] > 0.8
    assert found.judged_area == pytest.approx(1200 * 1200)
    assert found.threshold is not None and found.threshold >= 3
    every = detect(conn, store, tmp_path, minimum_area=0.0, smooth=False)
    assert len(every.patches.features) >= 3  # the tiny one, and lone pixels beyond the threshold


def test_index_tells_in_which_direction_and_an_area_bounds_what_is_judged(
    conn: Connection, store: RasterStore, tmp_path: Path
) -> None:
    pair(conn, store, tmp_path)
    names = detect(conn, store, tmp_path).fit
    found = detect(conn, store, tmp_path, method="index", bands=(names[0].band, names[1].band), minimum_area=2000.0)
    assert [
        f["properties"]["change"] > 0 for f in sorted(found.patches.features, key=lambda f: -f["properties"]["area"])
    ] == [True, False]
    west = detect(conn, store, tmp_path, area=ring(200, 700, 700, 1100), minimum_area=1000.0)
    assert len(west.patches.features) == 1
    assert west.judged_area == pytest.approx(500 * 400, rel=0.05)
    with pytest.raises(AnalysisError, match="an index is of two bands, not 3"):
        detect(conn, store, tmp_path, method="index")
    with pytest.raises(AnalysisError, match="input 'before': 'imagery' has no image of that time"):
        change_detection(conn, Job(), store, EZHOU, Workspace(tmp_path), year(1990), year(2021))
    with pytest.raises(AnalysisError, match="are no classes"):
        detect(conn, store, tmp_path, method="classes")


def slow_changes(before: Any, after: Any, known: Any, threshold: float, least: int) -> tuple[Any, list[set[Any]]]:
    """The same method written plainly: polyfit, statistics by pandas, patches by a queue."""
    one, two = before[:, known], after[:, known]
    keep = np.ones(one.shape[1], bool)
    for _ in range(5):
        lines = [np.polyfit(b[keep], a[keep], 1) for a, b in zip(one, two, strict=True)]
        left = np.array([a - np.polyval(line, b) for line, a, b in zip(lines, one, two, strict=True)])
        spread = [1.4826 * pd.Series(row[keep]).sub(np.median(row[keep])).abs().median() for row in left]
        far = np.sqrt(((left / np.array(spread)[:, None]) ** 2).sum(axis=0))
        keep = far <= np.quantile(far, 0.7)
    lit = np.array([np.polyval(line, band) for line, band in zip(lines, after, strict=True)])
    score = np.zeros(known.shape)
    for a, b in zip(before, lit, strict=True):
        change = (b - a)[known]
        centre = np.median(change)
        score[known] += ((change - centre) / (1.4826 * np.median(np.abs(change - centre)))) ** 2
    hit = (np.sqrt(score / len(before)) >= threshold) & known
    seen, patches = np.zeros(hit.shape, bool), []
    for start in zip(*np.nonzero(hit), strict=True):
        if seen[start]:
            continue
        patch, queue = set(), deque([start])
        seen[start] = True
        while queue:
            row, column = queue.popleft()
            patch.add((row, column))
            for r in range(max(row - 1, 0), min(row + 2, hit.shape[0])):
                for c in range(max(column - 1, 0), min(column + 2, hit.shape[1])):
                    if hit[r, c] and not seen[r, c]:
                        seen[r, c] = True
                        queue.append((r, c))
        if len(patch) >= least:
            patches.append(patch)
    return np.array(lines), patches


def test_landsat_pair_is_as_a_plain_reckoning_finds_it(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    """35 years of forest and river near Pucallpa, Peru."""
    if not RASTERS.is_dir():
        pytest.skip("../shared/data/04_raster is absent")
    peru = CityCrs(32718, frozenset({32718, 4490}))
    for when in (1985, 2020):
        take(conn, store, RASTERS / f"landsat_pucallpa_{when}.tif", "imagery", datetime(when, 7, 1, tzinfo=UTC))
    found = change_detection(
        conn, Job(), store, peru, Workspace(tmp_path), year(1985), year(2020), minimum_area=300_000.0, threshold=4.0,
        smooth=False,
    )  # fmt: skip
    assert isinstance(found, ChangeAnswer)
    dates = []
    for when in (1985, 2020):
        with rasterio.open(RASTERS / f"landsat_pucallpa_{when}.tif") as file:
            dates.append((file.read().astype(float), file.read_masks().all(axis=0)))
    known = dates[0][1] & dates[1][1]
    cell = found.judged_area / known.sum()
    lines, patches = slow_changes(dates[0][0], dates[1][0], known, 4.0, int(np.ceil(300_000 / cell)))
    assert np.array([[f.gain, f.offset] for f in found.fit]) == pytest.approx(lines, rel=1e-4, abs=1e-3)
    assert len(patches) > 10
    assert sorted(f["properties"]["pixels"] for f in found.patches.features) == sorted(map(len, patches))
    geod = Geod(ellps="GRS80")
    for feature in found.patches.features[:20]:
        true_area = abs(geod.geometry_area_perimeter(shapely.geometry.shape(feature["geometry"]))[0])
        assert feature["properties"]["area"] == pytest.approx(true_area, rel=0.003)  # UTM's scale


def test_worldcover_years_are_a_table_of_classes(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    if not RASTERS.is_dir():
        pytest.skip("../shared/data/04_raster is absent")
    window, years = Window(6700, 32500, 500, 400), []
    for when in (2020, 2021):
        with rasterio.open(RASTERS / f"worldcover_N00E006_{when}.tif") as file:
            codes = file.read(1, window=window)
            part = put(tmp_path / f"{when}.tif", codes[None], "EPSG:4326", file.window_transform(window), 0)
        years.append(codes)
        take(conn, store, part, "land-cover", datetime(when, 7, 1, tzinfo=UTC))
    utm = CityCrs(32632, frozenset({32632, 4490}))
    found = change_detection(
        conn, Job(), store, utm, Workspace(tmp_path), year(2020), year(2021), "land-cover", minimum_area=2000.0
    )
    assert isinstance(found, ChangeAnswer)
    known = (years[0] != 0) & (years[1] != 0)
    table = pd.crosstab(years[0][known], years[1][known]).stack()
    cell = found.judged_area / known.sum()
    expected = {(str(a), str(b)): n for (a, b), n in table.items() if a != b and n}
    assert {(t.from_class, t.to_class): round(t.area / cell) for t in found.transitions} == expected
    assert len(expected) > 3
    assert found.changed_area == pytest.approx(sum(expected.values()) * cell, rel=1e-6)
    for feature in found.patches.features:
        about = feature["properties"]
        assert about["area"] >= 2000 and about["area"] == pytest.approx(about["pixels"] * cell, rel=1e-3)
        inside = shapely.geometry.shape(feature["geometry"]).representative_point()
        assert 0 <= about["confidence"] <= 1
        column, row = ~Affine(1 / 12000, 0, 6 + 6700 / 12000, 0, -1 / 12000, 3 - 32500 / 12000) @ (inside.x, inside.y)
        assert (str(years[0][int(row), int(column)]), str(years[1][int(row), int(column)])) == (
            about["from"],
            about["to"],
        )
