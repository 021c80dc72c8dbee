"""What a map of some layers holds, for all that ask for one: OGC API Maps, WMTS and WMS."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request

from geoserver.features import find_layer
from geoserver.raster_tiles import sources_of, store_of
from layers.catalogue import Layer
from tiles.matrix_sets import MatrixSet
from tiles.raster.look import Format, Look
from tiles.rendered import Rendered
from tiles.vector import TileQuery

if TYPE_CHECKING:
    from geoserver.city import City
    from tiles.cache.tile import Tile
    from tiles.maps.frame import Frame
    from tiles.maps.rendering import Contents

#: The name of the map of everything that the map client shows at first.
CITY = "city"
#: Pixels of one map.
MOST_PIXELS = 4096 * 4096 // 2
MOST_SIDE = 4096

type Shown = tuple["Contents", tuple[Layer, ...]]


def map_layers(city: "City", names: Sequence[str]) -> tuple[Layer, ...]:
    """The layers of those names, ``city`` being those of the base map. Raises :class:`LayerNotFound`."""
    found: dict[str, Layer] = {}
    for name in names:
        for layer in base_layers(city) if name == CITY and CITY not in city.layers else (find_layer(city, name),):
            found[layer.id] = layer
    return tuple(found.values())


def base_layers(city: "City") -> list[Layer]:
    """The layers that the map client shows at first, as far as they may be seen."""
    listed = city.style("zh-CN")["metadata"]["citymap:layers"]
    return [city.layers[entry["id"]] for entry in listed if entry["visible"]]


def contents_of(
    city: "City", layers: Sequence[Layer], query: TileQuery | None, look: Look, language: str, background: str | None
) -> Shown:
    """The map of these layers, and all layers that it is read from; ``query`` narrows the vector ones."""
    from tiles.maps.rendering import Contents

    coverages = tuple(sources_of(city, layer) for layer in layers if layer.kind == "coverage")
    vectors = tuple(layer for layer in layers if layer.kind != "coverage")
    styles = styles_of(city.style(language), {layer.id for layer in vectors})
    features = (query or TileQuery.whole(*vectors)) if vectors else None
    read_from = dict.fromkeys([layer for group in coverages for layer in group] + list(vectors))
    return Contents(coverages, look, features, styles, background), tuple(read_from)


def styles_of(style: Mapping[str, Any], names: set[str]) -> tuple[Mapping[str, Any], ...]:
    """The style layers of these collections, in their order: those of ``/styles/city``."""
    drawn = ("fill", "line", "circle", "symbol")
    return tuple(part for part in style["layers"] if part.get("source-layer") in names and part["type"] in drawn)


def draw(city: "City", shown: Shown, frame: "Frame", format_: Format) -> Rendered:
    """The map as a file."""
    from tiles.maps.rendering import draw_map
    from tiles.raster.pictures import encode

    contents, read_from = shown
    with city.reading(*read_from) as reader:
        drawn = draw_map(reader, store_of(city), contents, frame)
    photographic = bool(contents.coverages) and contents.features is None
    body, media_type = encode(drawn.picture, format_, photographic=photographic)
    return Rendered(body, drawn.snapshot, media_type, drawn.passing)


def map_tile(
    city: "City", request: Request, shown: Shown, place: tuple[MatrixSet, int, int, int], size: int, format_: Format
) -> "Tile | Rendered":
    """A tile of a map from the cache, or drawn where it may not be kept."""
    from tiles.maps.frame import Frame

    contents, read_from = shown
    grid, z, y, x = place
    grid.level(z, y, x)
    frame = Frame(grid.box(z, y, x), grid.srid, size, size)
    parts = (contents.look, contents.features and contents.features.queries, contents.background, size, format_)
    digest = hashlib.blake2b(orjson.dumps(contents.styles), digest_size=12).hexdigest()

    def render() -> Rendered:
        return draw(city, shown, frame, format_)

    return city.kept(request, read_from, f"map {parts!r} {digest}", place, render) or render()
