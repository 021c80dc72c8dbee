"""What else is in the parcel or beside it: land use, buildings, pipelines, cameras, roads, ownership, ground."""

from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound
from layers.terrain.errors import TerrainError
from planning.check.answers import Access, BuildingsInside, Crossed, Ground, Holding, UsePart
from planning.check.queries import ask, near
from planning.check.subject import Subject

#: Cells of the ground that are looked at, at most.
_CELLS = 250_000


def land_use_of(conn: Connection, layer: Layer, subject: Subject) -> tuple[UsePart, ...]:
    """Present land use by class, the largest first."""
    rows = ask(conn, "land_use", subject, 0, {"near": near(layer, ("code", "kind"), subject.as_of is not None)})
    kept = [row for row in rows if row.area > subject.tolerance.area]
    return tuple(UsePart(r.code, r.kind, round(r.area, 2), round(r.area / subject.area, 6)) for r in kept)


def buildings_in(conn: Connection, layer: Layer, subject: Subject, per_person: float) -> BuildingsInside:
    """Buildings and the people in their homes, by a floor area per person [m²]."""
    parts = {"near": near(layer, ("use", "floors", "height"), subject.as_of is not None)}
    [row] = ask(conn, "buildings", subject, 0, parts, sliver=subject.tolerance.area)
    areas = round(row.footprint, 2), round(row.floor_area, 2)
    return BuildingsInside(row.count, row.cut, *areas, round(row.homes / per_person), per_person)


def crossed(conn: Connection, layer: Layer, subject: Subject) -> tuple[Crossed, ...]:
    """Lines of a layer within the parcel by kind; of a layer of points, how many."""
    as_of = subject.as_of is not None
    if layer.geometry_type.endswith("Point"):
        [row] = ask(conn, "points_inside", subject, 0, {"near": near(layer, (), as_of)})
        return (Crossed(layer.id, None, row.count, 0.0),) if row.count else ()
    rows = ask(conn, "lines_crossed", subject, 0, {"near": near(layer, ("kind",), as_of)})
    return tuple(Crossed(layer.id, row.kind, row.count, round(row.length, 2)) for row in rows)


def access_to(conn: Connection, layer: Layer, subject: Subject, reach: float) -> tuple[Access, ...]:
    """Roads whose centre lines come within ``reach`` [m], the nearest first."""
    parts = {"near": near(layer, ("name", "class"), subject.as_of is not None)}
    rows = ask(conn, "roads", subject, reach, parts, access=reach)
    return tuple(
        Access(r.name, r._mapping["class"], round(r.distance, 2), round(r.length, 2), r.crosses) for r in rows[:100]
    )


def holdings_in(conn: Connection, layer: Layer, subject: Subject) -> tuple[Holding, ...]:
    """Features of a layer of ownership, the largest part first."""
    title = layer.title_field or layer.key_field
    names = (title,) if title else ()
    rows_sql = near(layer, names, subject.as_of is not None)
    named = f"SELECT q.*, {f'q.{title}' if title else 'NULL'}::text AS title FROM ({rows_sql}) AS q"
    rows = ask(conn, "areas", subject, 0, {"near": named})
    kept = [row for row in rows if row.area > subject.tolerance.area]
    return tuple(Holding(r.id, r.title, round(r.area, 2), round(r.area / subject.area, 6)) for r in kept)


def ground_of(conn: Connection, store: RasterStore, layer_id: str, subject: Subject) -> Ground | Text:
    """Heights and slopes within the parcel, or why they are not known."""
    from layers.terrain.relief import slope
    from layers.terrain.sources import read_elevation

    west, south, east, north = subject.shape.bounds
    bounds = (west - 60, south - 60, east + 60, north + 60)  # neighbours of the outermost cells
    try:
        load_coverage(conn, layer_id)
        ground = read_elevation(conn, store, layer_id, bounds, subject.zone.srid, max_cells=_CELLS)
    except (TerrainError, LayerNotFound) as error:
        return Text(f"没有高程（{layer_id}），不能给出坡度", f"no elevation: {error}")
    x, y = np.meshgrid(ground.eastings(), ground.northings())
    inside: Any = shapely.contains_xy(subject.shape, x, y) & np.isfinite(ground.heights)
    if not inside.any():
        return Text("红线比高程格网还小，不能给出坡度", "the parcel is smaller than a cell of the elevation")
    heights, slopes = ground.heights[inside], slope(ground)[inside]
    return Ground(
        round(float(heights.min()), 2),
        round(float(heights.max()), 2),
        round(float(heights.mean()), 2),
        round(float(slopes.mean()), 2),
        round(float(slopes.max()), 2),
        ground.transform.a,
    )
