"""What is there: features near a point of a map, and the values of coverages under it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from geoserver.errors import NotAcceptable
from geoserver.raster_tiles import sources_of, store_of
from geoserver.reply import Reply
from layers.catalogue import Layer
from layers.crs import CRS84
from layers.features import read_page
from layers.query import Box, FeatureQuery
from layers.raster.images import Interval
from tiles.matrix_sets import Box as Bounds

if TYPE_CHECKING:
    from geoserver.city import City

#: How far from the point a feature may be [pixels], and how many features are told at most.
REACH = 4
MOST = 50
FORMATS = ("application/json", "application/geo+json", "text/plain")


def feature_info(
    city: "City", layers: Sequence[Layer], point: Bounds, srid: int, format_: str, count: int, time: Interval | None
) -> Reply:
    """``point`` is the pixel's box (west, south, east, north) in EPSG ``srid``. Raises :class:`NotAcceptable`."""
    if format_ not in FORMATS:
        raise NotAcceptable(f"INFO_FORMAT {format_[:60]!r} is not offered; choose one of {', '.join(FORMATS)}")
    found: list[dict[str, Any]] = []
    for layer in reversed(layers):
        found += (
            _values(city, layer, point, srid, time) if layer.kind == "coverage" else _near(city, layer, point, srid)
        )
    found = found[: max(1, min(count, MOST))]
    if format_ == "text/plain":
        return Reply("\n\n".join(map(_as_text, found)).encode(), "text/plain; charset=UTF-8")
    return Reply(orjson.dumps({"type": "FeatureCollection", "features": found}), format_)


def _near(city: "City", layer: Layer, point: Bounds, srid: int) -> list[dict[str, Any]]:
    west, south, east, north = point
    across, down = (east - west) * REACH, (north - south) * REACH
    box = Box(west - across, south - down, east + across, north + down, srid)
    with city.reading(layer) as reader:
        page = read_page(reader, layer, FeatureQuery(limit=MOST, box=box, crs=CRS84))
    return [{**orjson.loads(feature), "layer": layer.id} for feature in page.features]


def _values(city: "City", layer: Layer, point: Bounds, srid: int, time: Interval | None) -> list[dict[str, Any]]:
    from layers.raster.mosaic import Grid, compose
    from layers.terrain.derived import derived
    from tiles.raster.drawing import heights
    from tiles.raster.sources import find

    read_from, store, grid = sources_of(city, layer), store_of(city), Grid(point, srid, 1, 1)
    with city.reading(*read_from) as reader:
        found = find(reader, read_from, grid, time, None)
    if found.relief:
        values = derived(found.relief, grid, lambda wider: heights(store, found, wider))[None]
        names: Sequence[str] = (found.relief,)
    else:
        raster = compose(store, found.source, found.images, grid)
        values, names = raster.values, raster.bands
    told = {name: values[n, 0, 0].item() for n, name in enumerate(names) if values[n, 0, 0] is not _masked()}
    return [{"type": "Feature", "layer": layer.id, "geometry": None, "properties": told}] if told else []


def _masked() -> Any:
    from numpy.ma import masked

    return masked


def _as_text(feature: dict[str, Any]) -> str:
    lines = (f"{name}: {value}" for name, value in (feature["properties"] or {}).items() if value is not None)
    return "\n".join([f"[{feature['layer']}]", *lines])
