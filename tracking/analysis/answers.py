"""What the processes on tracks answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

#: Degrees are given to 1 cm.
DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """GeoJSON (RFC 7946 §3.1.4)."""

    type: Literal["LineString"]
    coordinates: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A device stood: from ``begin`` to ``end``, ``seconds`` [s], about ``lon``, ``lat`` [°], with so many fixes."""

    device: str
    name: str
    begin: datetime
    end: datetime
    seconds: float
    lon: float
    lat: float
    fixes: int


@dataclass(frozen=True, slots=True)
class Trip:
    """A device went: ``length`` [m] on the ellipsoid, speeds [km/h], ``most`` as its receiver told, and the line."""

    device: str
    name: str
    begin: datetime
    end: datetime
    seconds: float
    length: float
    mean: float
    most: float | None
    fixes: int
    geometry: Line | None


@dataclass(frozen=True, slots=True)
class Mileage:
    """Of a device and day (GMT+8): ``length`` [m] along its fixes, ``over_gaps`` of it over long silences, ``counter``
    [km] by the vehicle's own, ``moving`` [s]."""

    device: str
    name: str
    day: str
    length: float
    over_gaps: float
    counter: float | None
    moving: float
    fixes: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """A device at each instant: arrays as long as the times; null where it is not known."""

    device: str
    name: str
    lon: tuple[float | None, ...]
    lat: tuple[float | None, ...]
    speed: tuple[float | None, ...]
    heading: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """``times`` and where each device was then."""

    times: tuple[datetime, ...]
    devices: tuple[Replayed, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """GeoJSON (RFC 7946 §3.3), and how many features there are."""

    type: Literal["FeatureCollection"]
    features: tuple[dict[str, Any], ...]
    count: int


def instant(at: Any) -> datetime:
    """A Unix time [s] as a date-time, to the microsecond."""
    return datetime.fromtimestamp(round(float(at) * 1_000_000) / 1_000_000, UTC)


def line(lonlat: Floats) -> Line:
    """Places (n, 2) [°] as a line, none twice in a row."""
    places = lonlat.round(DECIMALS)
    changed = np.concatenate([[True], (np.diff(places, axis=0) != 0).any(axis=1)])
    points = [(lon, lat) for lon, lat in places[changed].tolist()]
    return Line("LineString", tuple(points if len(points) > 1 else points * 2))


def listed(values: Floats, decimals: int) -> tuple[float | None, ...]:
    """Numbers for JSON, which knows no NaN."""
    return tuple(None if value != value else value for value in values.round(decimals).tolist())


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(features: list[dict[str, Any]]) -> Collection:
    """Features as a collection."""
    return Collection("FeatureCollection", tuple(features), len(features))
