"""Tracks on the plane in which the city measures."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.analysis.answers import geojson_of
from layers.analysis.features import Features
from layers.crs import transformer
from tracking.analysis.answers import Collection, collection, feature
from tracking.analysis.reading import AnalysisRefused
from tracking.analysis.sweeping import Swept, missed_parts
from tracking.analysis.trips import runs
from tracking.tracks import Track

type Floats = NDArray[np.float64]

#: Missed pieces that are told, and fields of a feature that say which it is.
_MOST_MISSED = 10_000
_TOLD = ("name", "code", "class", "key")


def in_plane(track: Track, srid: int) -> Floats:
    """The fixes in EPSG ``srid``, (n, 2). Raises :class:`AnalysisRefused` where that CRS does not reach."""
    if not len(track):
        return np.zeros((0, 2))
    xy = np.column_stack(transformer(4490, srid).transform(track.lon, track.lat))
    if not np.isfinite(xy).all():
        raise AnalysisRefused(f"the track lies where EPSG:{srid}, in which this city measures, does not reach")
    return xy


def track_lines(tracks: Iterable[Track], srid: int, gap: float) -> Iterator[Floats]:
    """Each part of the tracks without a silence longer than ``gap`` [s], in EPSG ``srid``, (k, 2)."""
    for track in tracks:
        xy = in_plane(track, srid)
        for run in runs(track.time, gap) if len(track) else ():
            yield xy[run.first : run.last + 1]


def missed_features(of: Features, found: list[Swept], least: float) -> Collection:
    """The pieces that were left out as GeoJSON, with the feature that each is of."""
    told = []
    for number, part in missed_parts(found, least)[:_MOST_MISSED]:
        about: dict[str, Any] = {name: of.properties[number].get(name) for name in _TOLD}
        measured = (
            {"length": round(part.length, 2)} if part.geom_type == "LineString" else {"area": round(part.area, 2)}
        )
        about = {name: value for name, value in about.items() if isinstance(value, str | int | float)}
        told.append(feature(geojson_of(part, of.srid), of=of.ids[number], **about, **measured))
    return collection(told)
