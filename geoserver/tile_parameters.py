"""Reads what a tile request asks for: which tile of which grid, of which layers, filtered how."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from geoserver.errors import ParameterError
from geoserver.parameters import filter_parameters, only
from layers.catalogue import Layer
from layers.query import FeatureQuery
from tiles.matrix_sets import MatrixSet, NoSuchTile
from tiles.vector import MAX_LAYERS, TileQuery

if TYPE_CHECKING:
    from geoserver.city import City

#: Parameters of a vector tile.
TILE_PARAMETERS = ("f", "filter", "filter-lang", "filter-crs", "datetime", "as-of", "properties")


def find_grid(city: "City", tms: str) -> MatrixSet:
    """The tile matrix set of that id. Raises :class:`NoSuchTile`."""
    grid = city.grids.get(tms)
    if grid is None:
        raise NoSuchTile(f"tile matrix set {tms[:40]!r} is not offered here; {', '.join(city.grids)} are")
    return grid


def tile_address(z: str, y: str, x: str) -> tuple[int, int, int]:
    """Level, row and column. Raises :class:`NoSuchTile`."""
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (z, y, x)):
        raise NoSuchTile("a tile address is three whole numbers: z/y/x")
    return int(z), int(y), int(x)


def collection_names(value: str | None) -> list[str]:
    """The parameter ``collections``."""
    names = list(dict.fromkeys((value or "").split(",")))
    if not value or len(names) > MAX_LAYERS:
        raise ParameterError("collections", f"names 1 to {MAX_LAYERS} collections, separated by commas")
    return names


def tile_query(city: "City", layers: tuple[Layer, ...], values: Mapping[str, str]) -> TileQuery:
    """What the parameters of a tile ask of its layers: of each the same, as far as it has the fields.

    A field in ``properties`` must be one of some layer, one in ``filter`` of every layer.
    """
    only(dict(values), (*TILE_PARAMETERS, "collections"))
    if not values.keys() - {"f", "collections"}:
        return TileQuery.whole(*layers)
    wanted = values.get("properties")
    names = None if wanted is None else {name.strip() for name in wanted.split(",") if name.strip()}
    for name in names or ():
        if not any(layer.field(name) for layer in layers):
            raise ParameterError("properties", f"{name[:80]!r} is not a field of {', '.join(la.id for la in layers)}")
    return TileQuery(layers, tuple(_query(city, layer, values, names) for layer in layers))


def _query(city: "City", layer: Layer, values: Mapping[str, str], names: set[str] | None) -> FeatureQuery:
    query = filter_parameters(layer, dict(values), city.offered_for(layer), city.settings.crs.projected)
    shown = None if names is None else tuple(f.name for f in layer.fields if f.name in names)
    return FeatureQuery(time=query.time, as_of=query.as_of, filter=query.filter, properties=shown)
