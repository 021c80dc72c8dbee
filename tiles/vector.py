"""Vector tiles straight from PostGIS by ST_AsMVT (Mapbox Vector Tile 2.1), in any tile matrix set.

Which features are in a tile is said by :mod:`layers.query`, as for pages and exports. Geometries are transformed by
SRID only, and not at all where the coordinates of the layer serve as the grid's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)

from layers.catalogue import Layer, Zooms
from layers.crs import coincident, epsg, meets, transformer
from layers.database import Reader
from layers.query import FeatureQuery, Statement, compiled, selection
from tiles.generalised.bands import Band, band_of, may_be_generalised
from tiles.generalised.drawing import POINT_COUNT, source, touched_cells
from tiles.matrix_sets import METRES_PER_DEGREE, Box, MatrixSet
from tiles.rendered import Rendered

#: The most layers in one tile.
MAX_LAYERS = 32
#: Pixels of a tile side in MVT coordinates, and how far geometry reaches over its edge.
EXTENT = 4096
BUFFER = 64
#: Features of one layer in one tile at most.
_MOST = 20_000
#: Cells [m] above which what is smaller than a pixel or two is not drawn: below zoom 14 of WebMercatorQuad.
_COARSE = 9.56
_MERCATOR = 3857
#: Side of the pixel that is a 256th of the world at the equator [m] (OGC 17-083r4, annex D.1).
_WORLD_PIXEL = 156543.03392804097
_ALWAYS = Zooms()
#: Latitude where the WebMercatorQuad square ends [degrees], and a little more.
_MERCATOR_END = 85.06
#: A box that nothing meets.
_NOWHERE = (9e15, 9e15, 9e15, 9e15)


@dataclass(frozen=True, slots=True)
class TileQuery:
    """What is drawn of each layer of a tile: layers and their queries, one by one."""

    layers: tuple[Layer, ...]
    queries: tuple[FeatureQuery, ...]

    @classmethod
    def whole(cls, *layers: Layer) -> "TileQuery":
        """Everything of these layers."""
        return cls(layers, (FeatureQuery(),) * len(layers))


def render_tile(reader: Reader, asked: TileQuery, grid: MatrixSet, z: int, y: int, x: int) -> Rendered:
    """The tile with one MVT layer per city layer, named by its id. Raises :class:`~tiles.matrix_sets.NoSuchTile`."""
    west, south, east, north = grid.box(z, y, x)
    values = {"west": west, "south": south, "east": east, "north": north}
    far = set()
    buffered = grid.box(z, y, x, BUFFER / EXTENT)
    for srid in {layer.srid for layer in asked.layers}:
        searched = _searched(grid, buffered, srid)
        if searched is None:
            far.add(srid)
            searched = buffered
        values |= {f"{side}_{srid}": value for side, value in zip(_SIDES, searched, strict=True)}
    cell = grid.cell_metres(z)
    zoom = _zoom(cell)
    values |= {"least_m": 2 * cell, "least_degrees": 2 * cell / METRES_PER_DEGREE}
    shapes = tuple(query.shape() for query in asked.queries)
    band, snapshot = band_of(cell), None
    small: dict[int, Mapping[str, Any]] = {}
    if band and any(map(may_be_generalised, asked.layers)):
        [(snapshot,)] = reader.fetch(_SNAPSHOT, {})  # from before what is told of touched cells
        small = _generalised(reader, asked, values, far)
        values |= {f"{name}_{n}": value for n, told in small.items() for name, value in told.items()}
    scale = Scale(cell > _COARSE, frozenset(far), band, frozenset(small), _told(asked.layers, zoom))
    statement = _kept(asked.layers, shapes, grid.srid, scale)
    for query in asked.queries:
        values |= query.values()
    [(later, body)] = reader.fetch(statement.sql, statement.bind(values))
    return Rendered(bytes(body), snapshot or later, passing=any(told["x"] for told in small.values()))


def _zoom(cell: float) -> int:
    """The zoom of WebMercatorQuad with such pixels [m at the equator]."""
    return round(math.log2(_WORLD_PIXEL / cell))


def _told(layers: tuple[Layer, ...], zoom: int) -> int | None:
    """The zoom where one of the layers is not drawn alike at all of them."""
    return zoom if any(layer.zooms != _ALWAYS for layer in layers) else None


def _generalised(
    reader: Reader, asked: TileQuery, values: Mapping[str, Any], far: set[int]
) -> dict[int, Mapping[str, Any]]:
    """Which layers are drawn from their pieces, by position, and which of their cells are not."""
    found = {}
    for n, (layer, query) in enumerate(zip(asked.layers, asked.queries, strict=True)):
        if query == FeatureQuery() and layer.srid not in far:
            west, south, east, north = (values[f"{side}_{layer.srid}"] for side in _SIDES)
            told = touched_cells(reader, layer, (west, south, east, north)) if west < 1e9 else None
            if told is not None:
                found[n] = told
    return found


_SNAPSHOT = "SELECT pg_current_snapshot()::text"
_SIDES = ("west", "south", "east", "north")
#: Longest filter [characters of JSON] whose statement is kept.
_KEPT_FILTER = 2000


def _searched(grid: MatrixSet, box: Box, srid: int) -> Box | None:
    """A box of the grid in another system, wherein its features lie; None where it cannot be transformed to that."""
    if coincident(grid.srid, srid):
        return box
    if srid == _MERCATOR and grid.geographic:
        box = (box[0], max(box[1], -_MERCATOR_END), box[2], min(box[3], _MERCATOR_END))
        if box[1] >= box[3]:
            return _NOWHERE
    elif not epsg(srid).geographic and not meets(grid.srid, box, srid):
        return None
    west, south, east, north = transformer(grid.srid, srid).transform_bounds(*box)
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:
        return None
    # Edges bend between the points that were transformed; what is found too much, ST_AsMVTGeom leaves out.
    bent = 0.0 if {grid.srid, srid} <= {_MERCATOR, 4326, 4490} else 0.01
    slack = bent * max(east - west, north - south) + 1e-9 * max(1.0, abs(east), abs(north))
    return west - slack, south - slack, east + slack, north + slack


@dataclass(frozen=True, slots=True)
class Scale:
    """How a tile is drawn: whether small things are left out, which storage CRSs its box has no place in, its band, and
    the positions of layers that are drawn from their pieces; the zoom, where a layer asks for it."""

    coarse: bool
    far: frozenset[int]
    band: Band | None
    generalised: frozenset[int]
    zoom: int | None


def _kept(layers: tuple[Layer, ...], shapes: tuple[FeatureQuery, ...], srid: int, scale: Scale) -> Statement:
    long = any(shape.filter and len(shape.filter.json) > _KEPT_FILTER for shape in shapes)
    return (_statement.__wrapped__ if long else _statement)(layers, shapes, srid, scale)


@lru_cache(maxsize=4096)
def _statement(layers: tuple[Layer, ...], shapes: tuple[FeatureQuery, ...], srid: int, scale: Scale) -> Statement:
    """One row: the snapshot, and the tile."""
    parts = [_layer(layer, shape, srid, scale, n) for n, (layer, shape) in enumerate(zip(layers, shapes, strict=True))]
    tile = parts[0]
    for part in parts[1:]:
        tile = tile.op("||")(part)
    return compiled(select(cast(func.pg_current_snapshot(), Text), tile))


def _layer(layer: Layer, shape: FeatureQuery, srid: int, scale: Scale, n: int) -> ColumnElement[bytes]:
    """One ST_AsMVT. The tile's box is given in the storage CRS, so the index on the column serves."""
    if scale.zoom is not None and not layer.zooms.show(scale.zoom):
        return literal_column("''::bytea")
    far, pieces = layer.srid in scale.far, n in scale.generalised and scale.band
    t, condition = (source(layer, pieces, n, f"_{layer.srid}"), true()) if pieces else selection(layer, shape)
    geometry = t.c.geom if coincident(layer.srid, srid) else func.ST_Transform(_within_reach(layer, t, srid), srid)
    # Its type must not be the column's, or GeoAlchemy would have it selected as EWKB.
    bounds = func.ST_MakeEnvelope(*_bound(*_SIDES))
    drawn = func.ST_AsMVTGeom(geometry, bounds, EXTENT, BUFFER, type_=Text)
    searched = func.ST_MakeEnvelope(*_bound(*(f"{side}_{layer.srid}" for side in _SIDES)), srid if far else layer.srid)
    met = (func.ST_Transform(t.c.geom, srid, type_=Text) if far else t.c.geom).op("&&", is_comparison=True)(searched)
    fields = [t.c[f.name] for f in layer.fields if _is_drawn(layer, shape, f.name)]
    if pieces and layer.geometry_type in ("Point", "MultiPoint"):
        fields.append(t.c[POINT_COUNT])
    detail = _large_enough(layer, t) if scale.coarse and not pieces else true()
    # No field can have the alias's name: a column would be meant before the whole row.
    shown = and_(met, detail, _begun(layer, t, scale.zoom), condition)
    rows = select(t.c.id, drawn.label("geom"), *fields).where(shown).limit(literal_column(str(_MOST)))
    alias = rows.subquery(f"F{n}")
    name = func.ST_AsMVT(literal_column(f'"F{n}"'), layer.id, EXTENT, "geom", "id")
    return func.coalesce(select(name).select_from(alias).scalar_subquery(), literal_column("''::bytea"))


def _bound(*names: str) -> list[ColumnElement[float]]:
    return [cast(bindparam(name), Double) for name in names]


def _is_drawn(layer: Layer, shape: FeatureQuery, name: str) -> bool:
    field = layer.field(name)
    assert field
    if shape.properties is not None:
        return name in shape.properties and field.type != "string-array"
    return field.type != "string-array" and field.role != "key"


def _within_reach(layer: Layer, t: FromClause, srid: int) -> ColumnElement[object]:
    """The geometry without what lies where the grid's projection has no finite coordinates: Mercator has no poles."""
    geometry: ColumnElement[object] = t.c.geom
    if srid != _MERCATOR or not epsg(layer.srid).geographic:
        return geometry
    end: ColumnElement[float] = literal_column(str(_MERCATOR_END))
    beyond = or_(func.ST_YMin(geometry) < -end, func.ST_YMax(geometry) > end)
    world: ColumnElement[object] = literal_column(
        f"ST_MakeEnvelope(-180, -{_MERCATOR_END}, 180, {_MERCATOR_END}, {layer.srid})"
    )
    return case((beyond, func.ST_ClipByBox2D(geometry, world, type_=t.c.geom.type)), else_=geometry)


def _begun(layer: Layer, t: FromClause, zoom: int | None) -> ColumnElement[bool]:
    """What is drawn at this zoom already."""
    later = layer.zooms.later_than(zoom) if zoom is not None else ()
    if layer.zooms.by is None or not later:
        return true()
    value = cast(t.c[layer.zooms.by], Text)
    return func.coalesce(and_(*(value != one for one in later)), true())


def _large_enough(layer: Layer, t: FromClause) -> ColumnElement[bool]:
    """Below street level, what is smaller than a pixel or two is not drawn."""
    if layer.geometry_type not in ("Polygon", "MultiPolygon"):
        return true()
    g = t.c.geom
    size = func.ST_XMax(g) - func.ST_XMin(g) + func.ST_YMax(g) - func.ST_YMin(g)
    least: ColumnElement[float] = bindparam("least_degrees" if epsg(layer.srid).geographic else "least_m")
    return and_(size > cast(least, Double))
