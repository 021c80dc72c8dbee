"""EDR answers: CoverageJSON (OGC 21-069r2), GeoJSON and CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from geoserver.edr.sampling import Points
from layers.catalogue import Field
from layers.crs import Crs
from layers.raster.encoding import coverage_json, parameter_of
from layers.raster.mosaic import Raster

type Answer = Points | Raster


def written(answer: Answer, crs: Crs, bands: Mapping[str, Field], format_: str) -> bytes:
    """The answer in that format."""
    if format_ == "CoverageJSON":
        return (
            coverage_json(answer, crs, dict(bands)) if isinstance(answer, Raster) else _points_json(answer, crs, bands)
        )
    return (_geojson if format_ == "GeoJSON" else _csv)(answer, crs)


def _points_json(points: Points, crs: Crs, bands: Mapping[str, Field]) -> bytes:
    """A Point, or many of them as one MultiPoint: without a time for each, a line is no Trajectory of CoverageJSON."""
    places = points.places.tolist()
    kind = "GeographicCRS" if crs.geographic else "ProjectedCRS"
    order = ["y", "x"] if crs.axis_swapped else ["x", "y"]
    references: list[dict[str, Any]] = [{"coordinates": order, "system": {"type": kind, "id": crs.uri}}]
    axes: dict[str, Any]
    one = len(places) == 1
    if one:
        axes = {"x": {"values": [places[0][0]]}, "y": {"values": [places[0][1]]}}
        if points.seen is not None:
            axes["t"] = {"values": [points.seen.isoformat().replace("+00:00", "Z")]}
            references.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}})
    else:
        axes = {"composite": {"dataType": "tuple", "coordinates": ["x", "y"], "values": places}}
    ranges = {}
    for n, name in enumerate(points.bands):
        values = {"type": "NdArray", "dataType": "float", "values": _plain(points.values[n])}
        ranges[name] = values if one else {**values, "axisNames": ["composite"], "shape": [len(places)]}
    domain = {"type": "Domain", "domainType": "Point" if one else "MultiPoint", "axes": axes, "referencing": references}
    parameters = {name: parameter_of(name, bands.get(name)) for name in points.bands}
    return orjson.dumps({"type": "Coverage", "domain": domain, "parameters": parameters, "ranges": ranges})


def _geojson(answer: Answer, crs: Crs) -> bytes:
    """A point for each value: of a grid, the centres of those pixels that have one; coordinates in ``crs``'s order."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [y, x] if crs.axis_swapped else [x, y]},
            "properties": dict(zip(answer.bands, values, strict=True)),
        }
        for x, y, values in _rows(answer)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features, "numberReturned": len(features)})


def _csv(answer: Answer, crs: Crs) -> bytes:
    """Columns x (to the east), y (to the north) and the bands; no value is left empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*(("lon", "lat") if crs.geographic else ("x", "y")), *answer.bands])
    writer.writerows([x, y, *values] for x, y, values in _rows(answer))
    return text.getvalue().encode()


def _rows(answer: Answer) -> Iterator[tuple[float, float, list[Any]]]:
    if isinstance(answer, Points):
        columns = [_plain(values) for values in answer.values]
        for n, (x, y) in enumerate(answer.places.tolist()):
            yield x, y, [column[n] for column in columns]
        return
    there = ~np.ma.getmaskarray(answer.values).all(axis=0)
    rows, across = np.nonzero(there)
    west, south, east, north = answer.grid.bounds
    x = west + (across + 0.5) * (east - west) / answer.grid.width
    y = north - (rows + 0.5) * (north - south) / answer.grid.height
    columns = [_plain(band[there]) for band in answer.values]
    for n, place in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        yield *place, [column[n] for column in columns]


def _plain(values: Any) -> list[Any]:
    """Numbers, None where there is no value."""
    hidden = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    plain: list[Any] = data.tolist()
    return [None if off else value for value, off in zip(plain, hidden.tolist(), strict=True)]
