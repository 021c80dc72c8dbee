"""What analyses answer: GeoJSON in degrees, or a file of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import shapely

from layers.analysis.errors import TooMuch
from layers.analysis.features import Objects
from layers.crs import transformer
from layers.processing import FileResult, Workspace

#: Most features and vertices of an answer that is no file.
MAX_FEATURES, MAX_VERTICES = 10_000, 500_000
#: Most features and vertices of a file.
MOST_FEATURES, MOST_VERTICES = 1_000_000, 50_000_000
#: Degrees are given to 1 cm.
_GRID = 1e-7
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class FeatureAnswer:
    """GeoJSON (RFC 7946): ``area`` [m²] and ``length`` [m] of features, measured in EPSG ``measured_in``."""

    type: Literal["FeatureCollection"]
    features: tuple[dict[str, Any], ...]
    count: int
    measured_in: str


def answered(
    shapes: Objects, properties: Sequence[dict[str, Any]], srid: int, workspace: Workspace | None, name: str
) -> FeatureAnswer | FileResult:
    """Features of EPSG ``srid``, with their area or length, as an answer; with a workspace as a file.

    Raises :class:`TooMuch`.
    """
    vertices = int(shapely.get_num_coordinates(shapes).sum())
    limits = (MAX_FEATURES, MAX_VERTICES) if workspace is None else (MOST_FEATURES, MOST_VERTICES)
    if len(shapes) > limits[0] or vertices > limits[1]:
        cure = "set 'file' and send Prefer: respond-async" if workspace is None else "ask for fewer features"
        raise TooMuch(f"the answer has {len(shapes)} features and {vertices} vertices, more than {limits}; {cure}")
    if workspace is None:
        return FeatureAnswer(
            "FeatureCollection", tuple(_features(shapes, properties, srid)), len(shapes), f"EPSG:{srid}"
        )
    path = Path(workspace) / f"{name}.geojson"
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for number, feature in enumerate(_features(shapes, properties, srid)):
            file.write((b",\n" if number else b"\n") + orjson.dumps(feature, default=str))
        file.write(b"\n]}\n")
    return FileResult(path, "application/geo+json", f"{name}.geojson")


def _features(shapes: Objects, properties: Sequence[dict[str, Any]], srid: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(shapes), _BATCH):
        some = shapes[start : start + _BATCH]
        told = properties[start : start + _BATCH]
        for shape, text, about in zip(some, np.atleast_1d(shapely.to_geojson(_degrees(some, srid))), told, strict=True):
            yield {"type": "Feature", "geometry": orjson.loads(text), "properties": {**about, **_measured(shape)}}


def geojson_of(shape: Any, srid: int) -> dict[str, Any]:
    """One shape of EPSG ``srid`` as GeoJSON in degrees."""
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(_degrees(shape, srid)))
    return found


def _degrees(shapes: Any, srid: int) -> Any:
    moved = shapely.transform(shapes, transformer(srid, 4490).transform, interleaved=False)
    return shapely.set_precision(moved, _GRID, mode="pointwise")


def _measured(shape: Any) -> dict[str, float]:
    dimension = shapely.get_dimensions(shape)
    return (
        {"area": round(shape.area, 3)}
        if dimension == 2
        else {"length": round(shape.length, 3)}
        if dimension == 1
        else {}
    )
