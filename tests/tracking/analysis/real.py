"""Real tracks: of cars and buses in Aracaju, of a bus in Liverpool, and walks and rides as GPX."""

import csv
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[4] / "shared/data"
TRACKS, GPX = DATA / "03_trajectories", DATA / "09_test_vectors/gpx"


#: Columns of the device and the time of each file, and the EPSG code of its UTM zone.
_COLUMNS = {
    "gotrack_trackspoints.csv": ("track_id", "time", 32724),
    "liverpool_bus_route14.csv": ("vehicle_id", "timestamp", 32630),
}


@dataclass(frozen=True)
class RealTrack:
    """Fixes (n,) sorted by time, one per instant; the EPSG code of their UTM zone; and all ``rows`` of time and place."""

    name: str
    time: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    utm: int
    rows: frozenset[tuple[float, float, float]]


def real_tracks(most: int = 1000) -> Iterator[RealTrack]:
    """The longest ones of Aracaju, and those of Liverpool."""
    yield from real_tracks_of("gotrack_trackspoints.csv")[:most]
    yield from real_tracks_of("liverpool_bus_route14.csv")[: max(most // 3, 1)]


def real_tracks_of(name: str) -> list[RealTrack]:
    """Those of one file; the longest of Aracaju first."""
    by, time, utm = _COLUMNS[name]
    tracks = [_track(track, rows, utm) for track, rows in _grouped(TRACKS / name, by, time).items() if len(rows) > 1]
    return sorted(tracks, key=lambda track: -len(track.rows)) if by == "track_id" else tracks


def gpx_track(name: str) -> RealTrack:
    """The fixes with time of a GPX file."""
    rows = []
    for point in ET.parse(GPX / name).iter():
        time = next((child.text for child in point if child.tag.endswith("}time")), None)
        if point.tag.endswith("}trkpt") and time:
            at = datetime.fromisoformat(time.strip()).timestamp()
            rows.append((at, float(point.attrib["lon"]), float(point.attrib["lat"])))
    return _track(name, rows, 32600 + int((rows[0][1] + 180) // 6) + 1)


def _grouped(path: Path, by: str, time: str) -> dict[str, list[tuple[float, float, float]]]:
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row[time]).replace(tzinfo=UTC).timestamp()
            found[row[by]].append((at, float(row["longitude"]), float(row["latitude"])))
    return found


def _track(name: str, rows: list[tuple[float, float, float]], utm: int) -> RealTrack:
    table = np.array(sorted(rows))
    table = table[np.diff(table[:, 0], prepend=-np.inf) > 0]
    return RealTrack(name, *table.T, utm, frozenset(rows))
