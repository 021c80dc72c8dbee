"""Tracks as moving points: MF-JSON (OGC 19-045r3 §7.2) in the resources of OGC API – Moving Features (22-003r3).

时空几何 temporal geometry, here the fixes of one hour without a long silence · 时空属性 temporal property. What is
written are the stored instants and places themselves, so reading them gives the track again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from tracking.analysis.plane import steps
from tracking.analysis.trips import runs
from tracking.tracks import Track

type Floats = NDArray[np.float64]
type Box = tuple[float, float, float, float]
type Query = Literal["distance", "velocity", "acceleration"]

#: Between fixes further from each other [s] nothing is said of where the device was.
GAP = 300.0
HOUR = 3600.0
CRS = {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
TRS = {"type": "Name", "properties": {"name": "urn:ogc:data:time:iso8601"}}
#: Name, code of its unit (UN/CEFACT Recommendation 20) and description of each property.
PROPERTIES = {
    "speed": ("KMH", "Speed as the device told it [km/h]"),
    "heading": ("DD", "Heading as the device told it [° from north]"),
    "mileage": ("KMT", "The vehicle's counter [km]"),
}
_UNITS: dict[str, str] = {"distance": "MTR", "velocity": "MTS", "acceleration": "MSK"}


@dataclass(frozen=True, slots=True)
class Moving:
    """One temporal geometry: its ``id`` among those of its feature, ``time`` [s], ``lon``, ``lat`` [°], (n,)."""

    id: str
    time: Floats
    lon: Floats
    lat: Floats

    def document(self) -> dict[str, Any]:
        """A TemporalPrimitiveGeometry (19-045r3 §7.2.2)."""
        return {
            "id": self.id,
            "type": "MovingPoint",
            "datetimes": instants(self.time),
            "coordinates": np.column_stack([self.lon, self.lat]),
            "interpolation": "Linear" if len(self.time) > 1 else "Discrete",
            "crs": CRS,
            "trs": TRS,
        }

    def at(self, wanted: Floats) -> "Moving | None":
        """Where it was at those of these instants that it covers (22-003r3 §8.6, leaf); None where it covers none."""
        inside = wanted[(wanted >= self.time[0]) & (wanted <= self.time[-1])]
        if not len(inside):
            return None
        return Moving(self.id, inside, np.interp(inside, self.time, self.lon), np.interp(inside, self.time, self.lat))

    def between(self, begin: float, end: float) -> "Moving | None":
        """What it did from ``begin`` to ``end`` [s], the ends in between its fixes (22-003r3 §8.6, subTrajectory)."""
        first, last = max(begin, float(self.time[0])), min(end, float(self.time[-1]))
        if first > last:
            return None
        inner = self.time[(self.time > first) & (self.time < last)]
        return self.at(np.unique(np.concatenate([[first], inner, [last]])))

    def meets(self, box: Box) -> bool:
        """Whether its way meets a box: west, south, east, north [°]."""
        places = np.column_stack([self.lon, self.lat])
        way = shapely.linestrings(places) if len(places) > 1 else shapely.points(places[0])
        return bool(shapely.intersects(way, shapely.box(*box)))

    def derived(self, query: Query) -> dict[str, Any]:
        """Way [m], velocity [m/s] or acceleration [m/s²] over time as a temporal property (22-003r3 §8.7).

        Between two fixes the velocity is one; the acceleration is what its next change takes, spread over that time.
        """
        metres, seconds = steps(self.lon, self.lat), np.diff(self.time)
        velocity = metres / seconds
        values = {
            "distance": np.concatenate([[0.0], np.cumsum(metres)]),
            "velocity": np.append(velocity, velocity[-1:]) if len(velocity) else np.zeros(1),
            "acceleration": np.append(np.diff(velocity, append=velocity[-1:]) / seconds, 0.0),
        }[query]
        interpolation = "Linear" if query == "distance" else "Step"
        return {
            "name": query,
            "type": "TReal",
            "form": _UNITS[query],
            "valueSequence": [values_of(self.time, values.round(6), interpolation)],
        }


def geometries(track: Track, by_hours: bool = True) -> Iterator[Moving]:
    """The track by hours (UTC) and silences longer than :data:`GAP`. Ids do not depend on what else is read.

    Not ``by_hours`` it is parted by silences only, as a feature that is about a few minutes is.
    """
    hours = np.floor(track.time / HOUR)
    if not by_hours:
        hours[:] = hours[:1]
    for rows in np.split(np.arange(len(track)), np.flatnonzero(np.diff(hours)) + 1) if len(track) else ():
        name = datetime.fromtimestamp(hours[rows[0]] * HOUR, UTC).strftime("%Y%m%dT%HZ")
        for number, run in enumerate(runs(track.time[rows], GAP), start=1):
            own = rows[run.first : run.last + 1]
            yield Moving(name if number == 1 else f"{name}-{number}", track.time[own], track.lon[own], track.lat[own])


def hour_of(identity: str) -> float:
    """When the hour of a geometry of this id begins (Unix time [s]). Raises :class:`ValueError`."""
    return datetime.strptime(identity.partition("-")[0], "%Y%m%dT%HZ").replace(tzinfo=UTC).timestamp()


def instants(time: Floats) -> list[str]:
    """Unix times [s] as date-times to the microsecond, as they are stored."""
    micro = np.rint(time * 1e6).astype("datetime64[us]")
    return [f"{text.removesuffix('.000000')}Z" for text in np.datetime_as_string(micro).tolist()]


def values_of(time: Floats, values: Floats, interpolation: str) -> dict[str, Any]:
    """A TemporalPrimitiveValue."""
    return {"datetimes": instants(time), "values": values, "interpolation": interpolation}


def told(track: Track, name: str) -> dict[str, Any]:
    """What a property was, where the device told it."""
    values: Floats = getattr(track, name)
    rows = ~np.isnan(values)
    return values_of(track.time[rows], values[rows], "Discrete")


def described(name: str) -> dict[str, Any]:
    """A temporal property without its values."""
    unit, description = PROPERTIES[name]
    return {"name": name, "type": "TReal", "form": unit, "description": description}
