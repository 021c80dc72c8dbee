"""Describes tilesets of pictures, in OGC 17-083r4's JSON and as TileJSON 3.0."""

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from layers.catalogue import Layer
from layers.database import Reader
from layers.query import compiled
from layers.tables import feature_table
from tiles.matrix_sets import MatrixSet
from tiles.raster.look import FORMATS
from tiles.tilesets import extent, item, limits, link, scheme

type Json = dict[str, Any]
#: Levels beyond that of the finest image at which tiles are still asked for.
_BEYOND = 1


def finest_resolution(reader: Reader, layer: Layer) -> float | None:
    """Of the images of a coverage [m on the ground]; None where there is none."""
    statement = compiled(select(func.min(feature_table(layer).c.resolution)))
    [(found,)] = reader.fetch(statement.sql, statement.bind({}))
    return None if found is None else float(found)


def deepest_level(grid: MatrixSet, layer: Layer, resolution: float | None) -> int:
    """The level whose pixels are as fine as the finest image, and one more; at most the grid's last."""
    if resolution is None or layer.extent is None:
        return min(18, len(grid.levels) - 1)
    # Mercator's pixels, and degrees, are shorter on the ground the farther from the equator.
    latitude = max(abs(layer.extent[1]), abs(layer.extent[3]))
    shrink = math.cos(math.radians(min(latitude, 85.0))) if grid.srid == 3857 else 1.0
    for z in range(len(grid.levels)):
        if grid.cell_metres(z) * shrink <= resolution * 1.05:
            return min(z + _BEYOND, len(grid.levels) - 1)
    return len(grid.levels) - 1


def picture_tileset(
    here: str, url: str, grid: MatrixSet, layers: Iterable[Layer], title: str, deepest: int, query: str = ""
) -> Json:
    """One tileset of pictures (data type ``map``)."""
    shown = tuple(layers)
    bounds = extent(shown)
    document: Json = {"title": title, **about(grid)}
    if bounds:
        corners = {"lowerLeft": list(bounds[:2]), "upperRight": list(bounds[2:])}
        crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        document |= {"boundingBox": {**corners, "crs": crs}, **picture_limits(grid, shown, deepest)}
    address = f"{here}/{grid.id}"
    document["links"] = [link("self", "application/json", address + query), scheme(url, grid), *items(address, query)]
    return document


def items(address: str, query: str = "") -> list[Json]:
    """The links to the pictures below an address, one for each format."""
    more = "&" if query else "?"
    return [item(media_type, address, f"{query}{more}f={name}") for name, media_type in FORMATS.items()]


def picture_tile_json(
    here: str, grid: MatrixSet, layers: Iterable[Layer], title: str, deepest: int, query: str = "", **more: Any
) -> Json:
    """The tileset for clients of TileJSON 3.0."""
    shown = tuple(layers)
    bounds = extent(shown)
    return {
        "tilejson": "3.0.0",
        "name": title,
        "attribution": ", ".join(dict.fromkeys(layer.licence for layer in shown if layer.licence)),
        "scheme": "xyz",
        "tiles": [f"{here}/{grid.id}/{{z}}/{{y}}/{{x}}{query}"],
        "tileSize": 256,
        "minzoom": 0,
        "maxzoom": deepest,
        **({"bounds": list(bounds)} if bounds else {}),
        **more,
    }


def picture_limits(grid: MatrixSet, layers: Iterable[Layer], deepest: int) -> Json:
    """The tiles of each level that the layers meet, as a document has them; nothing of empty layers."""
    bounds = extent(layers)
    if bounds is None:
        return {}
    return {"tileMatrixSetLimits": [li for li in limits(grid, bounds) if int(li["tileMatrix"]) <= deepest]}


def about(grid: MatrixSet) -> Json:
    """What a tileset of pictures says of itself in a list."""
    named = {"tileMatrixSetURI": grid.document["uri"]} if "uri" in grid.document else {}
    return {"dataType": "map", "crs": grid.document["crs"], "tileMatrixSetId": grid.id, **named}
