"""Real elevation grids, or rough ground made up in their place, as the analyses and as GDAL read them."""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from layers.terrain.elevation import Elevation

RASTERS = Path(__file__).parents[4] / "shared" / "data" / "04_raster"
FILES = ("spain_dem25", "alexandria_dtm_2m")
#: For what is so on that ground only.
on_real_ground = pytest.mark.skipif(not RASTERS.is_dir(), reason=f"no real elevations: {RASTERS} is absent")


def rough(rows: int, columns: int, least: float, greatest: float, seed: int) -> np.ndarray:
    """Heights between two bounds [m] whose spectrum falls with frequency as that of real ground does."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.exp(2j * np.pi * rng.random((rows, columns))) / frequency**2.2
    ground = np.fft.ifft2(spectrum).real
    return least + (ground - ground.min()) / np.ptp(ground) * (greatest - least)


def made_up() -> tuple[str, str, str]:
    """Stand-ins of the three real grids, of their sizes, places and bounds of height; one has a hole."""
    folder = Path(tempfile.mkdtemp(prefix="citymap-ground-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    degrees = rough(1201, 1201, 349, 3100, 1)
    degrees[300:380, 700:790] = np.nan
    whole = np.round(degrees)
    spain, plain = rough(410, 601, 514, 2410, 2), rough(259, 283, 7, 22, 3)
    return (
        str(write(folder / "N42E001.tif", whole, Affine(1 / 1200, 0, 1 - 1 / 2400, 0, -1 / 1200, 43 + 1 / 2400), 4326)),
        str(write(folder / "spain.tif", spain, Affine(25, 0, 262846.525725, 0, -25, 4464275), 23030)),
        str(write(folder / "alexandria.tif", plain, Affine(2, 0, 321498, 0, -2, 4298018), 26918)),
    )


def read(path: str | Path) -> Elevation:
    with rasterio.open(path) as source:
        heights = source.read(1, masked=True).astype("float64").filled(np.nan)
        return Elevation(heights, source.transform, source.crs.to_epsg())


def write(path: Path, heights: np.ndarray, transform: Affine, srid: int | None, nodata: float = -32768) -> Path:
    rows, columns = heights.shape
    profile = dict(driver="GTiff", width=columns, height=rows, count=1, dtype="float32", nodata=nodata)
    with rasterio.open(path, "w", **profile, transform=transform, crs=f"EPSG:{srid}" if srid else None) as target:
        target.write(np.where(np.isnan(heights), nodata, heights).astype("float32"), 1)
    return path


def gdal(tmp_path: Path, program: str, *arguments: str) -> np.ndarray:
    """What a GDAL program writes as its last argument's raster, NaN where nodata."""
    target = tmp_path / f"{program}.tif"
    target.unlink(missing_ok=True)
    command = [program, *arguments, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with rasterio.open(target) as source:
        return source.read(1, masked=True).astype("float64").filled(np.nan)


def flat(height: float, rows: int = 100, columns: int = 100, cell: float = 1.0, srid: int = 4547) -> Elevation:
    """A level plain whose south-west corner is (500000, 3360000)."""
    return Elevation(np.full((rows, columns), height), Affine(cell, 0, 500000, 0, -cell, 3360000 + rows * cell), srid)


#: SRTM of the Pyrenees in degrees with holes, a mountain of Spain at 25 m, and a plain at 2 m.
SRTM, SPAIN, ALEXANDRIA = (
    (f"/vsizip/{RASTERS}/srtm_N42E001.hgt.zip/N42E001.hgt", *(str(RASTERS / f"{name}.tif") for name in FILES))
    if RASTERS.is_dir()
    else made_up()
)
