"""A mosaic against a slow plain one, pixel by pixel, and against gdalwarp where pixels are resampled."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from sqlalchemy import Connection, text

from layers.raster.images import find_images
from layers.raster.mosaic import Grid, NoSuchBand, OutOfReach, RasterTooLarge, read
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, gdal, write_tif

WEST, NORTH, PIXEL = 586400.0, 3364800.0, 2.0
YEARS = (2019, 2021, 2020, 2022)


def at(column: int, row: int, pixel: float = PIXEL) -> Affine:
    return Affine(pixel, 0, WEST + column * PIXEL, 0, -pixel, NORTH - row * PIXEL)


def area(column: int, row: int, width: int, height: int, srid: int = 4547) -> Grid:
    west, north = WEST + column * PIXEL, NORTH - row * PIXEL
    return Grid((west, north - height * PIXEL, west + width * PIXEL, north), srid, width, height)


def scattered(take: Take, tmp_path: Path) -> list[tuple[int, int, int, int, Any]]:
    """Four images of the same pixel grid with holes: (priority, year, column, row, masked values)."""
    random = np.random.default_rng(7)
    made = []
    for n, year in enumerate(YEARS):
        values = random.integers(1, 200, (2, 60, 70), dtype="u1") + np.uint8(n)
        values[:, random.random((60, 70)) < 0.3] = 0
        column, row, priority = (int(v) for v in (random.integers(0, 60), random.integers(0, 60), n == 0))
        path = write_tif(tmp_path / f"{year}.tif", values, at(column, row), nodata=0, names=("a", "b"))
        take("imagery", path, acquired=datetime(year, 6, 1, tzinfo=UTC), priority=priority)
        made.append((priority, year, column, row, values))
    return made


def plain_mosaic(images: list[Any], column: int, row: int, width: int, height: int) -> Any:
    """Every pixel looked up in every image, the highest priority and then the newest first."""
    result = np.zeros((2, height, width), "u1")
    for y in range(height):
        for x in range(width):
            for _, _, left, top, values in sorted(images, key=lambda i: (-i[0], -i[1])):
                i, j = row + y - top, column + x - left
                if 0 <= i < values.shape[1] and 0 <= j < values.shape[2] and values[:, i, j].any():
                    result[:, y, x] = values[:, i, j]
                    break
    return result


def test_the_mosaic_equals_a_slow_plain_one(conn: Connection, store: RasterStore, take: Take, tmp_path: Path) -> None:
    images = scattered(take, tmp_path)
    coverage = load_coverage(conn, "imagery")
    raster = read(conn, store, coverage, area(-5, -5, 150, 150), resampling="nearest")
    expected = plain_mosaic(images, -5, -5, 150, 150)
    assert np.array_equal(raster.values.filled(0), expected)
    assert (expected > 0).mean() > 0.3 and {i.acquired.year for i in raster.images if i.acquired} == set(YEARS)
    assert raster.images[0].priority == 1
    # Bilinear on the pixels' own grid changes nothing either.
    assert np.array_equal(read(conn, store, coverage, area(-5, -5, 150, 150)).values.filled(0), expected)


def test_time_picks_images_and_as_of_the_state_of_the_store(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    images = scattered(take, tmp_path)
    coverage = load_coverage(conn, "imagery")
    until = (None, datetime(2020, 12, 31, tzinfo=UTC))
    raster = read(conn, store, coverage, area(-5, -5, 150, 150), time=until)
    assert np.array_equal(raster.values.filled(0), plain_mosaic([i for i in images if i[1] <= 2020], -5, -5, 150, 150))
    assert read(
        conn, store, coverage, area(-5, -5, 150, 150), time=(datetime(2023, 1, 1, tzinfo=UTC), None)
    ).values.mask.all()
    # The transaction's own clock stands still, so the present is moved into the past by hand.
    conn.execute(text("ALTER TABLE city.imagery DISABLE TRIGGER next_revision"))
    conn.execute(text("UPDATE city.imagery SET valid_from = now() - interval '2 hours'"))
    conn.execute(text("ALTER TABLE city.imagery ENABLE TRIGGER next_revision"))
    conn.execute(text("DELETE FROM history.imagery"))
    conn.execute(text("DELETE FROM city.imagery WHERE acquired < '2021-01-01'"))
    before = conn.execute(text("SELECT now() - interval '1 hour'")).scalar_one()
    now = read(conn, store, coverage, area(-5, -5, 150, 150))
    then = read(conn, store, coverage, area(-5, -5, 150, 150), as_of=before)
    assert np.array_equal(now.values.filled(0), plain_mosaic([i for i in images if i[1] >= 2021], -5, -5, 150, 150))
    assert np.array_equal(then.values.filled(0), plain_mosaic(images, -5, -5, 150, 150))


def test_an_interval_of_acquisition_is_met_by_any_moment_in_it(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    path = write_tif(tmp_path / "in.tif", np.ones((9, 9), "u1"), at(0, 0))
    take("imagery", path, acquired=datetime(2024, 3, 1, tzinfo=UTC), acquired_until=datetime(2024, 5, 1, tzinfo=UTC))
    take("imagery", write_tif(tmp_path / "undated.tif", np.full((9, 9), 7, "u1"), at(0, 0)))
    coverage = load_coverage(conn, "imagery")

    def found(begin: str | None, end: str | None) -> int:
        time = tuple(datetime.fromisoformat(t + "T00:00Z") if t else None for t in (begin, end))
        return len(find_images(conn, coverage, time=time))  # type: ignore[arg-type]

    assert found("2024-04-01", "2024-04-02") == found("2024-05-01", None) == found(None, "2024-03-01") == 1
    assert found("2024-05-02", None) == found(None, "2024-02-29") == 0
    assert [i.name for i in find_images(conn, coverage)] == ["in", "undated"]


def test_elevation_takes_the_finest_and_fills_its_gaps_from_coarser_ones(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    coarse = np.full((30, 30), 100, "i2")
    fine = np.full((40, 40), 7.5, "f4")
    fine[10:20, 10:20] = np.nan
    take(
        "dem",
        write_tif(tmp_path / "coarse.tif", coarse, at(0, 0, 8)),
        acquired=datetime(2024, 1, 1, tzinfo=UTC),
        vertical_datum="1985",
    )
    take(
        "dem",
        write_tif(tmp_path / "fine.tif", fine, at(20, 20), nodata=float("nan")),
        acquired=datetime(2001, 1, 1, tzinfo=UTC),
    )
    raster = read(conn, store, load_coverage(conn, "dem"), area(0, 0, 140, 140), resampling="nearest")
    expected = np.full((140, 140), np.nan)
    expected[:120, :120] = 100
    expected[20:60, 20:60] = np.where(np.isnan(fine), 100, fine)
    assert np.array_equal(raster.values.filled(np.nan)[0], expected, equal_nan=True)
    assert raster.values.dtype == "float32" and raster.bands == ("elevation",)
    assert [(i.name, i.vertical_datum) for i in raster.images] == [("fine", None), ("coarse", "1985")]


@pytest.mark.parametrize("srid", [3857, 4490, 4548])
def test_resampled_reads_equal_gdalwarp(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path, srid: int
) -> None:
    rows, columns = np.mgrid[0:400, 0:400]
    smooth = (1000 + 300 * np.sin(columns / 60) + 200 * np.cos(rows / 45)).astype("float32")
    source = write_tif(tmp_path / "in.tif", smooth, at(0, 0), nodata=-9999)
    take("dem", source)
    info = gdal("gdalwarp", "-q", "-t_srs", f"EPSG:{srid}", source, tmp_path / "place.tif") or "placed"
    with rasterio.open(tmp_path / "place.tif") as placed:
        west, south, east, north = placed.bounds
    bounds = (west + (east - west) * 0.1, south, east, north - (north - south) * 0.2)
    for width, height in ((300, 200), (90, 70)):
        ours = read(conn, store, load_coverage(conn, "dem"), Grid(bounds, srid, width, height)).values[0]
        theirs = tmp_path / f"{srid}-{width}.tif"
        gdal(
            "gdalwarp",
            "-q",
            "-t_srs",
            f"EPSG:{srid}",
            "-te",
            *bounds,
            "-ts",
            width,
            height,
            "-r",
            "bilinear",
            source,
            theirs,
        )
        with rasterio.open(theirs) as warped:
            expected = warped.read(1, masked=True)
        both = ~np.ma.getmaskarray(ours) & ~np.ma.getmaskarray(expected)
        assert both.mean() > 0.8, info
        assert (np.ma.getmaskarray(ours) == np.ma.getmaskarray(expected)).mean() > 0.98
        # Where pixels are left out (the second size) ours come from an overview, theirs from all pixels.
        assert np.abs(ours - expected)[both].max() < (2 if width == 300 else 12)
        assert np.abs(ours - expected)[both].mean() < (0.3 if width == 300 else 1)


def test_aligned_reads_take_the_copy_and_agree_with_the_original(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, columns = np.mgrid[0:400, 0:400]
    smooth = (128 + 60 * np.sin(columns / 40) + 40 * np.cos(rows / 50)).astype("u1")
    take(
        "imagery",
        write_tif(tmp_path / "in.tif", np.stack([smooth] * 3), at(0, 0)),
        acquired=datetime(2024, 1, 1, tzinfo=UTC),
    )
    opened: list[str] = []
    original = RasterStore.path
    monkeypatch.setattr(
        RasterStore, "path", lambda self, folder, copy="original": opened.append(copy) or original(self, folder, copy)
    )
    for srid, name in ((3857, "WebMercatorQuad"), (4490, "CGCS2000Quad"), (4326, "CGCS2000Quad"), (4547, "original")):
        box = find_box(conn, srid)
        fast, slow = (
            read(conn, store, load_coverage(conn, "imagery"), Grid(box, srid, 256, 256), aligned=aligned)
            for aligned in (True, False)
        )
        assert opened[-2:] == [name, "original"]
        both = ~np.ma.getmaskarray(fast.values) & ~np.ma.getmaskarray(slow.values)
        assert both.mean() > 0.9
        assert np.abs(fast.values.astype(int) - slow.values.astype(int))[both].max() <= 6


def find_box(conn: Connection, srid: int) -> tuple[float, float, float, float]:
    row = conn.execute(
        text(
            "SELECT ST_XMin(g), ST_YMin(g), ST_XMax(g), ST_YMax(g) FROM (SELECT ST_Extent(ST_Transform(geom, :srid)) AS g FROM city.imagery) AS t"
        ),
        {"srid": srid},
    ).one()
    return tuple(row)  # type: ignore[return-value]


def test_bands_are_picked_by_name_and_images_without_them_left_out(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    take(
        "imagery",
        write_tif(
            tmp_path / "rgbn.tif", np.arange(4, dtype="u2")[:, None, None] * np.ones((4, 9, 9), "u2") + 1, at(0, 0)
        ),
        bands=("red", "green", "blue", "nir"),
        acquired=datetime(2020, 1, 1, tzinfo=UTC),
    )
    take(
        "imagery",
        write_tif(tmp_path / "pan.tif", np.full((1, 9, 9), 77, "u1"), at(0, 0)),
        bands=("pan",),
        acquired=datetime(2024, 1, 1, tzinfo=UTC),
    )
    coverage = load_coverage(conn, "imagery")
    raster = read(conn, store, coverage, area(0, 0, 9, 9), bands=("nir", "red"))
    assert raster.bands == ("nir", "red") and raster.values.dtype == "uint16"
    assert (raster.values[0] == 4).all() and (raster.values[1] == 1).all()
    assert read(conn, store, coverage, area(0, 0, 9, 9)).bands == ("pan",)
    with pytest.raises(NoSuchBand, match="no band 'swir' there; it has blue, green, nir, pan, red"):
        read(conn, store, coverage, area(0, 0, 9, 9), bands=("swir",))


def test_reads_are_bounded_and_empty_places_are_masked(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    coverage = load_coverage(conn, "dem")
    assert read(conn, store, coverage, area(0, 0, 5, 5)).values.mask.all()
    with pytest.raises(RasterTooLarge, match="bound of one read"):
        area(0, 0, 9000, 9000)
    with pytest.raises(RasterTooLarge, match="too fine"):
        Grid.of_resolution((0, 0, 1e6, 1e6), 4547, 1e-6)
    with pytest.raises(OutOfReach, match="enclose nothing"):
        Grid((10, 0, 5, 5), 4490, 5, 5)
    with pytest.raises(OutOfReach, match="does not reach"):
        read(conn, store, coverage, Grid((-2e7, -2e7, 2e7, 2e7), 4547, 5, 5))
    take(
        "imagery",
        write_tif(tmp_path / "in.tif", np.ones((20, 9, 9), "u1"), at(0, 0)),
        acquired=datetime(2020, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(RasterTooLarge, match="20 bands"):
        read(conn, store, load_coverage(conn, "imagery"), area(0, 0, 3000, 3000))


def test_heights_in_whole_metres_do_not_become_terraces(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    ramp = np.tile(np.arange(40, dtype="i2"), (40, 1))
    take("dem", write_tif(tmp_path / "ramp.tif", ramp, at(0, 0)))
    coverage = load_coverage(conn, "dem")
    same = read(conn, store, coverage, area(0, 0, 40, 40)).values
    assert same.dtype == "float32" and np.array_equal(same[0], ramp)
    west, north = WEST + 10 * PIXEL, NORTH - 10 * PIXEL
    finer = read(conn, store, coverage, Grid((west, north - 20, west + 20, north), 4547, 40, 40)).values[0]
    steps = np.diff(finer[5])
    assert np.allclose(steps, 0.25, atol=1e-3)
