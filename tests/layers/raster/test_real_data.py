"""Real rasters: SRTM, a Spanish DEM, Landsat, WorldCover, a 2 m surface model; values against GDAL's own programs."""

import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate
from sqlalchemy import Connection

from layers.database import Database
from layers.raster.images import find_images
from layers.raster.mosaic import Grid, read
from layers.raster.registry import load_coverage
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from tests.conftest import ROOT
from tests.layers.raster.conftest import REAL, Take, gdal, write_tif

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real rasters: {REAL} is absent")


def location_values(path: Path | str, points: np.ndarray) -> np.ndarray:
    asked = "\n".join(f"{x!r} {y!r}" for x, y in points.tolist())
    told = subprocess.run(
        ["gdallocationinfo", "-valonly", "-wgs84", path], input=asked, capture_output=True, text=True, check=True
    )
    return np.array([float(line) if line else np.nan for line in told.stdout.split("\n")[: len(points)]])


def test_srtm_in_its_zip_is_sampled_as_gdal_reads_it(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    image = take("dem", REAL / "srtm_N42E001.hgt.zip", vertical_datum="EGM96")
    assert (image.crs, image.width, image.dtype) == ("EPSG:4326", 1201, "int16")
    assert image.resolution == pytest.approx(92.6 * np.sqrt(np.cos(np.radians(42.5))), rel=0.01)
    points = np.random.default_rng(2).uniform((1.01, 42.01), (1.99, 42.99), (2000, 2))
    found = sample(conn, store, load_coverage(conn, "dem"), points, 4326, method="nearest")
    with zipfile.ZipFile(REAL / "srtm_N42E001.hgt.zip") as archive:
        archive.extractall(tmp_path)
    expected = location_values(tmp_path / "N42E001.hgt", points)
    expected[expected == -32768] = np.nan
    assert np.array_equal(found.values[:, 0].filled(np.nan), expected, equal_nan=True)
    assert found.values.max() > 2500  # the Pyrenees


def test_a_dem_on_the_european_datum_lands_where_gdalwarp_puts_it(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    source = REAL / "spain_dem25.tif"
    take("dem", source)
    [image] = find_images(conn, load_coverage(conn, "dem"))
    assert image.crs == "EPSG:23030" and image.nodata == -32768
    with rasterio.open(store.path(image.folder)) as cog, rasterio.open(source) as original:
        assert np.array_equal(cog.read(), original.read())
    grid = Grid((-5.76, 40.22, -5.64, 40.28), 4326, 600, 500)
    ours = read(conn, store, load_coverage(conn, "dem"), grid).values[0]
    theirs = tmp_path / "warped.tif"
    gdal(
        "gdalwarp", "-q", "-t_srs", "EPSG:4326", "-te", *grid.bounds, "-ts", 600, 500, "-r", "bilinear", source, theirs
    )
    with rasterio.open(theirs) as warped:
        expected = warped.read(1, masked=True)
    assert not ours.mask.any() and not expected.mask.any()
    # PROJ versions may choose operations between the datums that differ by metres: on slopes that is what is seen.
    assert np.abs(ours - expected).mean() < 2


def test_the_finest_of_two_surface_models_and_srtm_resolution_order(
    conn: Connection, store: RasterStore, take: Take
) -> None:
    take("dem", REAL / "alexandria_dtm_2m.tif", vertical_datum="NAVD88")
    [image] = find_images(conn, load_coverage(conn, "dem"))
    with rasterio.open(REAL / "alexandria_dtm_2m.tif") as file:
        expected, bounds = file.read(1, masked=True), file.bounds
    raster = read(conn, store, load_coverage(conn, "dem"), Grid(tuple(bounds), 26918, *expected.shape[::-1]))
    assert np.ma.allequal(raster.values[0], expected) and (raster.values.mask[0] == np.ma.getmaskarray(expected)).all()
    assert image.resolution == pytest.approx(2, rel=2e-3)


def test_two_dates_of_landsat_are_picked_by_time(conn: Connection, store: RasterStore, take: Take) -> None:
    for year in (2020, 1985):
        take(
            "imagery",
            REAL / f"landsat_pucallpa_{year}.tif",
            acquired=datetime(year, 7, 1, tzinfo=UTC),
            bands=("green", "red", "nir", "swir"),
        )
    with rasterio.open(REAL / "landsat_pucallpa_2020.tif") as file:
        bounds, new = tuple(file.bounds), file.read()
    with rasterio.open(REAL / "landsat_pucallpa_1985.tif") as file:
        old = file.read()
    grid, coverage = Grid(bounds, 4326, new.shape[2], new.shape[1]), load_coverage(conn, "imagery")
    then = read(conn, store, coverage, grid, time=(None, datetime(2000, 1, 1, tzinfo=UTC)))
    assert np.array_equal(then.values.filled(0), old)
    now = read(conn, store, coverage, grid)
    seen = (new != 0).any(axis=0)
    assert np.array_equal(now.values.filled(0), np.where(seen, new, old))
    assert np.array_equal(
        read(conn, store, coverage, grid, bands=("nir",)).values[0].filled(0), np.where(seen, new, old)[2]
    )


def test_sixteen_bit_landsat_keeps_its_values_and_gets_a_stretch(
    conn: Connection, store: RasterStore, take: Take
) -> None:
    source = REAL / "landsat8_224078_20200518_bgr.tif"
    take("imagery", source, acquired=datetime(2020, 5, 18, tzinfo=UTC), bands=("blue", "green", "red"))
    [image] = find_images(conn, load_coverage(conn, "imagery"))
    assert image.dtype == "uint16"
    with rasterio.open(source) as file, rasterio.open(store.path(image.folder)) as cog:
        values = file.read()
        assert np.array_equal(cog.read(), values)
    for band in range(3):
        assert image.stretch[band] == tuple(np.percentile(values[band], (2, 98)))
    for name in ("original", *image.copies):
        assert cog_validate(store.path(image.folder, name), strict=True, quiet=True)[0]


def test_worldcover_keeps_codes_and_colours(conn: Connection, store: RasterStore, take: Take, tmp_path: Path) -> None:
    """A part of the tile: all of it is 1.3 gigapixels of sea and forest, three minutes of work."""
    with rasterio.open(REAL / "worldcover_N00E006_2021.tif") as file:
        window = Window(6500, 32300, 2400, 2500)
        codes, where, palette = file.read(1, window=window), file.window_transform(window), file.colormap(1)
    assert len(np.unique(codes)) > 3
    part = write_tif(tmp_path / "part.tif", codes, where, crs="EPSG:4326", nodata=0)
    with rasterio.open(part, "r+") as file:
        file.write_colormap(1, palette)
    take("land-cover", part, acquired=datetime(2021, 1, 1, tzinfo=UTC))
    [image] = find_images(conn, load_coverage(conn, "land-cover"))
    with rasterio.open(store.path(image.folder)) as cog:
        assert np.array_equal(cog.read(1), codes)
        for level in range(len(cog.overviews(1))):
            with rasterio.open(store.path(image.folder), overview_level=level) as reduced:
                assert set(np.unique(reduced.read(1))) <= set(np.unique(codes))
    with rasterio.open(store.path(image.folder, "WebMercatorQuad")) as cog:
        assert set(np.unique(cog.read(1))) <= {*np.unique(codes), 0}
    points = np.column_stack(where @ np.random.default_rng(4).uniform((1, 1), (2399, 2499), (1500, 2)).T)
    found = sample(conn, store, load_coverage(conn, "land-cover"), points, 4326)
    assert np.array_equal(found.values[:, 0].filled(0), location_values(part, points))


def test_memory_stays_flat_with_a_large_image(database: Database, tmp_path: Path) -> None:
    """10 000 × 10 000 pixels of 16 bits are 200 MB, in strips; most of it is not in the file. A process of its own."""
    path = tmp_path / "large.tif"
    profile = dict(driver="GTiff", width=10000, height=10000, count=1, dtype="uint16", crs="EPSG:4547", sparse_ok=True,
                   transform=Affine(0.2, 0, 586400, 0, -0.2, 3364800), compress="deflate", blockysize=16)  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        noise = np.random.default_rng(1).integers(1, 4000, (1, 512, 10000), dtype="u2")
        file.write(noise, window=Window(0, 4096, 10000, 512))
    program = f"""
import resource, sys
from pathlib import Path
from layers.database import Database
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
database = Database({database.url!r}, pool_size=1)
with database.engine.connect() as conn:
    coverage = load_coverage(conn, "drg")
    import rasterio.vrt, layers.raster.facts
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [image] = import_images(conn, RasterStore(Path({str(tmp_path)!r}) / "rasters"), coverage, {str(path)!r}, ImageOptions(), lambda *_: None)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, image.stored_bytes)
    conn.rollback()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    grown = int(done.stdout.split()[0]) * 1024
    assert grown < 120 * 2**20, f"{grown / 2**20:.0f} MB"
