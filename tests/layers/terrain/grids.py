"""Real elevation grids, as the analyses and as GDAL read them."""

import subprocess
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from layers.terrain.elevation import Elevation

RASTERS = Path(__file__).parents[4] / "shared" / "data" / "04_raster"
SRTM = f"/vsizip/{RASTERS}/srtm_N42E001.hgt.zip/N42E001.hgt"
SPAIN = str(RASTERS / "spain_dem25.tif")
ALEXANDRIA = str(RASTERS / "alexandria_dtm_2m.tif")


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
