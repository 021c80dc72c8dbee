"""Surfaces that limit heights, from the layer control-zones, and the ground under a building."""

from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound, find_layer
from layers.terrain.errors import TerrainError
from layers.terrain.sources import read_elevation
from planning.check.pieces import Tolerance
from planning.check.queries import IN_FORCE, near
from planning.check.subject import Subject
from planning.indices.heights import Surface
from planning.plan.land_codes import LandCode
from planning.survey.zones import Zone

_NAMES = ("name", "kind", "limit_height", "limit_slope", "origin_lon", "origin_lat",
          "status", "approved_on", "superseded_on")  # fmt: skip


def surfaces_over(conn: Connection, footprints: list[Any], zone: Zone, on: date) -> list[Surface]:
    """The surfaces with a limit that meet the footprints' box, in the plane of the zone."""
    layer = find_layer(conn, "control-zones")
    subject = Subject(shapely.box(*shapely.union_all(footprints).bounds), zone, LandCode("", ""), on, Tolerance())
    west, south, east, north = subject.box(0)
    rows = conn.execute(
        text(
            f"SELECT n.*, ST_AsBinary(n.g) AS shape FROM ({near(layer, _NAMES, False)}) AS n"
            f" WHERE {IN_FORCE} AND n.limit_height IS NOT NULL ORDER BY n.id"
        ),
        {"srid": zone.srid, "west": west, "south": south, "east": east, "north": north, "on": on},
    ).all()
    to_plane = transformer(4490, zone.srid)
    found = []
    for row in rows:
        known = row.origin_lon is not None and row.origin_lat is not None
        origin = to_plane.transform(row.origin_lon, row.origin_lat) if known else None
        shape = shapely.from_wkb(bytes(row.shape))
        height, slope = float(row.limit_height), float(row.limit_slope or 0)
        found.append(Surface(row.name or "", row.kind or "", shape, height, slope, origin))
    return found


def ground_under(conn: Connection, store: RasterStore, dem: str, footprint: Any, zone: Zone) -> float | None:
    """The highest ground under a footprint [m above sea]; None where it is not known."""
    west, south, east, north = footprint.bounds
    try:
        ground = read_elevation(conn, store, dem, (west - 30, south - 30, east + 30, north + 30), zone.srid)
    except (TerrainError, LayerNotFound):
        return None
    heights = ground.at(*shapely.get_coordinates(shapely.segmentize(footprint, 5.0)).T)
    known = heights[np.isfinite(heights)]
    return float(known.max()) if known.size else None
