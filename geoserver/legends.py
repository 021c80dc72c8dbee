"""What the colours of a collection mean: ``/collections/{collection}/legend``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request

from geoserver.features import find_layer
from geoserver.parameters import query_values
from geoserver.raster_parameters import look_parameters
from geoserver.raster_tiles import sources_of, store_of
from geoserver.reply import Reply
from geoserver.web.legend import legend_of
from geoserver.web.palette import LIGHT
from layers.base_layers import BASE_LAYERS
from layers.catalogue import Layer
from tiles.raster.look import Look

if TYPE_CHECKING:
    from geoserver.city import City

_PARAMETERS = ("lang", "properties", "expression", "rescale", "colormap")
_BASE = {layer.id for layer in BASE_LAYERS}


def get_legend(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """Entries ``label``, ``color``, ``shape``, and of a colour map ``value``, from low to high; its colours are linear
    between them (``shape`` is ``ramp``)."""
    layer = find_layer(city, collection)
    values = query_values(request, _PARAMETERS)
    language = city.language(request)
    entries = legend_entries(city, layer, look_parameters(values) if layer.kind == "coverage" else Look(), language)
    return Reply(orjson.dumps({"collection": layer.id, "entries": entries}), headers={"Content-Language": language})


def legend_entries(city: "City", layer: Layer, look: Look, language: str) -> list[dict[str, Any]]:
    """What the colours of a layer mean; ``look`` is that of a coverage."""
    if layer.kind == "coverage":
        return _of_coverage(city, layer, look, language)
    thematic = sorted((la for la in city.layers.values() if la.id not in _BASE), key=lambda la: (la.order, la.id))
    return legend_of(layer, LIGHT, language, thematic.index(layer) if layer in thematic else 0)


def _of_coverage(city: "City", layer: Layer, look: Look, language: str) -> list[dict[str, Any]]:
    from layers.raster.mosaic import Grid
    from tiles.raster.drawing import class_palette, colour_map_of
    from tiles.raster.sources import find

    read_from = sources_of(city, layer)
    with city.reading(*read_from) as reader:
        found = find(reader, read_from, Grid(layer.extent or (-180, -90, 180, 90), 4490, 1, 1), None, None)
    if found.shown.nature == "classes":
        domain = (found.shown.bands[0].domain if found.shown.bands else None) or {}
        painted = class_palette(store_of(city), found, [int(code) for code in domain])
        return [{"label": text[language], "value": int(code), "color": painted[int(code)], "shape": "fill"}
                for code, text in domain.items()]  # fmt: skip
    made = colour_map_of(found, look)
    if made is None:  # colours as they are
        return []
    colours, over = made
    unit = f" {colours.unit}" if colours.unit and over is None else ""
    return [
        {"label": f"{value:g}{unit}", "value": value, "color": colour, "shape": "ramp"}
        for value, colour in colours.legend(over)
    ]


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (("/collections/{collection}/legend", get_legend),)
