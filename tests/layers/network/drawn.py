"""Small networks drawn in a test: points on a grid of 0.001° near Ezhou."""

from collections.abc import Sequence
from typing import Any

import shapely

from layers.network.edges import edges_of
from layers.network.graph import Network
from layers.network.turns import Restriction

Spot = tuple[float, float]


def lonlat(x: float, y: float) -> Spot:
    return 114.9 + x / 1000, 30.4 + y / 1000


def road(*spots: Spot, **attributes: Any) -> dict[str, Any]:
    """A road through spots of the grid; attributes are the layer's fields (``kind`` for ``class``)."""
    return {"line": shapely.LineString([lonlat(*spot) for spot in spots]), **attributes}


def network(*roads: dict[str, Any], turns: Sequence[tuple[str, str, str, Spot]] = ()) -> Network:
    """The network of these roads; the ``source_id`` of the first is ``r1`` where none is given."""
    rows = [
        (
            number,
            shapely.to_wkb(road["line"]),
            road.get("name"),
            road.get("name_en"),
            road.get("kind", "residential"),
            road.get("oneway"),
            road.get("maxspeed"),
            road.get("source_id", f"r{number}"),
        )
        for number, road in enumerate(roads, start=1)
    ]
    restrictions = [Restriction(kind, came, goes, *lonlat(*spot)) for kind, came, goes, spot in turns]
    return Network(edges_of(rows), restrictions)


def metres(*spots: Spot) -> float:
    """Geodesic length of a line through spots [m], by pyproj on GRS 80."""
    import pyproj

    return float(pyproj.Geod(ellps="GRS80").line_length(*zip(*(lonlat(*spot) for spot in spots), strict=True)))
