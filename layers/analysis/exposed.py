"""Reads what lies in the ground that a hazard reaches, and counts it."""

from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from layers.analysis.counted import ExposedBuildings, ExposedFacilities, ExposedPeople, Neighbour
from layers.analysis.exposure import Buildings, buildings_in, people_in
from layers.analysis.features import Features, LayerFeatures, load_features
from layers.catalogue import Text
from layers.crs import transformer
from layers.registry import find_layer

#: Most facilities of a layer that are listed.
_LISTED = 1000
_METHOD = Text(
    "社区人口按住宅建筑面积（占地×层数）分摊，取范围内的份额",
    "The people of each community spread over the floor area of its dwellings (footprint × floors), the share inside",
)


def exposed_people(conn: Connection, srid: int, zone: Any, communities: str, buildings: str | None) -> ExposedPeople:
    """An estimate of the people in a zone."""
    of_level = "level = 'community'" if find_layer(conn, communities).field("level") else None
    areas = _near(conn, srid, zone, communities, of_level, ("population",))
    areas = areas.take(np.flatnonzero(shapely.intersects(zone, areas.shapes)))
    ground = shapely.union_all(areas.shapes) if len(areas) else zone
    homes = _nothing(srid)
    if buildings is not None:
        dwellings = "use = 'residential'" if find_layer(conn, buildings).field("use") else None
        homes = _near(conn, srid, ground, buildings, dwellings, ("floors", "height"))
    found = people_in(zone, areas, homes)
    return ExposedPeople(round(found.people), found.communities, found.by_ground, _METHOD)


def exposed_buildings(conn: Connection, srid: int, zone: Any, buildings: str) -> ExposedBuildings:
    """The buildings that a zone touches."""
    found: Buildings = buildings_in(zone, _near(conn, srid, zone, buildings, None, ("use", "floors", "height")))
    return ExposedBuildings(found.count, round(found.floor_area, 1), dict(found.by_use))


def exposed_facilities(conn: Connection, srid: int, zone: Any, source: Any, layer: str) -> ExposedFacilities:
    """The features of a layer that a zone touches, nearest to the hazard first."""
    near = _near(conn, srid, zone, layer, None, None)
    found = near.take(np.flatnonzero(shapely.intersects(zone, near.shapes)))
    distance = shapely.distance(found.shapes, source)
    categories: dict[str, int] = {}
    for about in found.properties:
        name = str(about.get("category") or about.get("kind") or "other")
        categories[name] = categories.get(name, 0) + 1
    order = np.argsort(distance, kind="stable")[:_LISTED]
    places = shapely.get_coordinates(shapely.point_on_surface(found.shapes[order]))
    lon, lat = transformer(srid, 4490).transform(*places.T) if len(order) else ((), ())
    listed = tuple(
        Neighbour(found.ids[i], round(float(distance[i]), 2), None, round(x, 8), round(y, 8), found.properties[i])
        for i, x, y in zip(order.tolist(), lon, lat, strict=True)
    )
    return ExposedFacilities(layer, len(found), dict(sorted(categories.items())), listed)


def _near(
    conn: Connection, srid: int, ground: Any, layer: str, filter: str | None, properties: tuple[str, ...] | None
) -> Features:
    """The features of a layer in the box around some ground."""
    west, south, east, north = transformer(srid, 4490).transform_bounds(*ground.bounds)
    box = (max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0))
    return load_features(conn, LayerFeatures(layer, filter, box), layer, srid, properties)


def _nothing(srid: int) -> Features:
    return Features([], np.empty(0, dtype=object), [], srid)
