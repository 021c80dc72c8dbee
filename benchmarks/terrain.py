"""Viewsheds side by side with ``gdal_viewshed``: the same grid, observers and rules, in one run.

``python -m benchmarks.terrain`` prints the figures. Seconds are of CPU, which others on the machine do not
lengthen. GDAL is a program of its own, so what starting it costs is measured too and taken off; reading the grid's file
counts for both.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from benchmarks.bench import Bench
from layers.terrain.elevation import Elevation
from layers.terrain.viewshed import UNKNOWN, viewshed

_SRID, _CELL, _REFRACTION = 4547, 10.0, 1 / 7


@dataclass(frozen=True)
class Compared:
    """CPU seconds (medians) for a grid of ``side`` cells, and the share of cells on which both agree."""

    side: int
    ours: float
    gdal: float
    starting: float
    agreement: float

    def row(self) -> str:
        net = self.gdal - self.starting
        return (
            f"| {self.side} × {self.side} | {self.ours:.3f} | {self.gdal:.3f} ({self.starting:.3f}) | {net / self.ours:.1f} "
            f"| {self.agreement:.2%} |"
        )


def hills(side: int, seed: int = 1) -> NDArray[np.float32]:
    """Ground of a city with hills: random waves whose height falls with the square of their frequency, 0 to 600 m."""
    rng = np.random.default_rng(seed)
    x, y = np.fft.fftfreq(side)[:, np.newaxis], np.fft.rfftfreq(side)
    frequency = np.maximum(np.hypot(x, y), 2 / side)
    waves = np.exp(2j * np.pi * rng.random(frequency.shape)) / frequency**2
    ground = np.fft.irfft2(waves, (side, side))
    return ((ground - ground.min()) / np.ptp(ground) * 600).astype(np.float32)


def compare(side: int, rounds: int, folder: Path) -> Compared:
    heights = hills(side)
    middle = side // 2
    beside = heights[middle - 1 : middle + 2, middle - 1 : middle + 2]
    beside[:] = np.maximum(beside, heights[middle, middle])  # GDAL 3.6 hides cells below the observer beside it
    path = folder / f"hills_{side}.tif"
    profile = dict(driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=f"EPSG:{_SRID}")
    transform = Affine(_CELL, 0, 500_000, 0, -_CELL, 3_400_000)
    with rasterio.open(path, "w", **profile, transform=transform) as file:
        file.write(heights, 1)
    x, y = transform @ (middle + 0.5, middle + 0.5)
    small = folder / "small.tif"
    with rasterio.open(
        small,
        "w",
        **profile | dict(width=3, height=3),
        transform=transform @ Affine.translation(middle - 1, middle - 1),
    ) as file:
        file.write(heights[middle - 1 : middle + 2, middle - 1 : middle + 2], 1)
    radius = side * _CELL  # all cells
    answer: dict[str, Any] = {}

    def ours() -> None:
        with rasterio.open(path) as file:
            grid = Elevation(file.read(1).astype("float64"), file.transform, _SRID)
        answer["ours"] = viewshed(grid, x, y, 20.0, 0.0, radius, _REFRACTION)

    target = folder / "seen.tif"
    marks = ["-vv", "1", "-iv", "0", "-ov", "255", "-oz", "20", "-md", str(radius), "-cc", str(1 - _REFRACTION)]

    def gdal() -> None:
        place = ["-ox", str(x), "-oy", str(y)]
        subprocess.run(["gdal_viewshed", "-q", *marks, *place, path, target], check=True)

    def start() -> None:
        place = ["-ox", str(x), "-oy", str(y)]
        subprocess.run(["gdal_viewshed", "-q", *marks, *place, small, folder / "nothing.tif"], check=True)

    figures = [_median(task, rounds) for task in (ours, gdal, start)]
    with rasterio.open(target) as file:
        theirs = file.read(1).astype(int)
    seen = answer["ours"]
    judged = (seen != UNKNOWN) & (theirs != 255)
    return Compared(side, *figures, agreement=float(np.mean(seen[judged] == theirs[judged])))


def _median(task: Callable[[], None], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = _cpu()
        task()
        seconds.append(_cpu() - begun)
    return statistics.median(seconds)


def _cpu() -> float:
    """CPU time [s] of this process and of the programs that it ran."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def report(rounds: int = 5, sides: tuple[int, ...] = (500, 1000, 2000)) -> list[str]:
    """The figures as lines of a page."""
    with TemporaryDirectory(prefix="citymap-terrain-") as folder:
        compared = [compare(side, rounds, Path(folder)) for side in sides]
    version = subprocess.run(["gdalinfo", "--version"], capture_output=True, text=True, check=True).stdout.split(",")[0]
    return [
        "## Viewshed",
        "",
        f"CPU seconds for a viewshed of all cells from the middle, file read, medians of {rounds}; peer {version}. In brackets"
        " what starting the peer's program costs, which the ratio leaves out.",
        "",
        "| cells | CityMap s | gdal_viewshed s (start) | × gdal_viewshed | cells alike |",
        "|---|---|---|---|---|",
        *(one.row() for one in compared),
    ]


def piece(_bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page; nothing where GDAL's programs are missing."""
    if shutil.which("gdal_viewshed") is None:
        print("left out: gdal_viewshed is missing (apt-get install gdal-bin)", file=sys.stderr)
        return []
    return report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    if shutil.which("gdal_viewshed") is None:
        sys.exit("gdal_viewshed is missing: apt-get install gdal-bin")
    print("\n".join(report(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
