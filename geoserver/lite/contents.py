"""What ``/lite`` shows beside the map: what was searched for, and the features that lie in view."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from geoserver.lite.view import View
from layers.catalogue import Layer
from layers.features import count, read_page
from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import LAYERS, Point
from layers.query import Box, FeatureQuery

if TYPE_CHECKING:
    from geoserver.city import City

#: Rows of the list, and answers of the search.
ROWS, ANSWERS = 20, 12
_COORDINATES = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,2}(?:\.\d+)?)\s*")
#: Levels at which a found place and a listed feature are shown.
_CLOSE = 17


@dataclass(frozen=True, slots=True)
class Found:
    """A place: its name, the layer and id of its feature (None for coordinates), and the view that shows it."""

    name: str
    where: str
    layer: str | None
    id: int | None
    view: View


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a layer in view, how many there are, and the first row of the next page."""

    layer: Layer
    rows: tuple[Found, ...]
    matched: int
    following: int | None


def search(city: "City", words: str, near: View) -> list[Found]:
    """Coordinates, or names and addresses that the words may mean, the likeliest first."""
    if spot := _COORDINATES.fullmatch(words):
        lon, lat = float(spot[1]), float(spot[2])
        if abs(lon) <= 180 and abs(lat) <= 85:
            return [Found(f"{lon:g}, {lat:g}", "", None, None, View(lon, lat, _CLOSE))]
    searched = [city.layers[name] for name in LAYERS if name in city.layers]
    with city.transaction(*searched) as conn:
        answers = geocode(conn, city.layers, words, ANSWERS, near=Point(near.lon, near.lat))
    return [
        Found(
            one.name or f"{one.layer} {one.id}", " · ".join(area.name for area in one.areas), one.layer, one.id,
            View(one.point.lon, one.point.lat, _CLOSE),
        )
        for one in answers
    ]  # fmt: skip


def listing(city: "City", layer: Layer, view: View, first: int) -> Listing:
    """The features of a layer that meet what the view shows, by id, from the row ``first`` on."""
    query = FeatureQuery(limit=ROWS, offset=first, box=Box(*view.box(), srid=4326))
    with city.reading(layer) as reader:
        page = read_page(reader, layer, query)
        matched = count(reader, layer, query)
    rows = tuple(_row(layer, orjson.loads(text), view) for text in page.features)
    following = first + ROWS if first + ROWS < matched else None
    return Listing(layer, rows, matched, following)


def _row(layer: Layer, feature: dict[str, Any], view: View) -> Found:
    values = feature["properties"]
    name = str(values.get(layer.title_field) or "") if layer.title_field else ""
    points = list(_points((feature.get("geometry") or {}).get("coordinates", [])))
    middle = _middle(points) if points else (view.lon, view.lat)
    key = next((str(values[f.name]) for f in layer.fields if f.role == "key" and values.get(f.name)), "")
    return Found(name or key, key if name else "", layer.id, feature["id"], View(*middle, max(view.zoom, _CLOSE)))


def _points(coordinates: Any) -> Sequence[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], int | float):
        return [(coordinates[0], coordinates[1])]
    return [point for part in coordinates for point in _points(part)]


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The middle of their box."""
    lons, lats = zip(*points, strict=True)
    return (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
