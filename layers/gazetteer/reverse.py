"""From a point to where it lies: areas, grid cell, and the nearest addresses, places and points of interest."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from layers.catalogue import Layer
from layers.gazetteer import queries
from layers.gazetteer.model import LAYERS, NearFeature, Place, Point

#: Within this distance [m] of its point an address is where one stands; farther off, one is near it.
_AT_THE_DOOR = 30.0


def reverse_geocode(
    conn: Connection,
    layers: Mapping[str, Layer],
    point: Point,
    radius: float = 200.0,
    limit: int = 5,
    searched: Sequence[str] = LAYERS,
) -> Place:
    """Where a point lies, and at most ``limit`` features of each layer within ``radius`` [m], the nearest first.

    Distances are geodesic [m]. ``layers`` are those that the caller may see, by id.
    """
    names = [name for name in LAYERS if name in searched and name in layers]
    found = [feature for name in names for feature in queries.nearest(conn, layers[name], point, radius, limit)]
    order = {str(name): n for n, name in enumerate(LAYERS)}
    nearest = tuple(sorted(found, key=lambda f: (f.distance, order[f.layer], f.id)))
    areas, grid = queries.surroundings(conn, layers, [point])[0]
    return Place(point, "".join(area.name for area in areas) + _door(nearest), areas, grid, nearest)


def _door(nearest: Sequence[NearFeature]) -> str:
    """The nearest address, or else the nearest place; 附近 where it is a little way off."""
    by_layer = {name: next((f for f in nearest if f.layer == name and f.name), None) for name in LAYERS}
    shown = by_layer["addresses"] or by_layer["pois"] or by_layer["places"]
    if shown is None or shown.name is None:
        return ""
    return shown.name if shown.distance <= _AT_THE_DOOR else f"{shown.name}附近"
