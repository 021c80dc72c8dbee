"""Vector tiles straight from PostGIS by ST_AsMVT (Mapbox Vector Tile 2.1), in WebMercatorQuad."""

from functools import lru_cache

from layers.catalogue import DATA_SCHEMA, Layer
from layers.crs import epsg, meets
from layers.database import Reader
from layers.tables import quoted

#: Deepest zoom level served, and the most layers in one tile.
MAX_ZOOM = 22
MAX_LAYERS = 32
_MERCATOR = 3857
#: Half the side of the WebMercatorQuad square [m].
_HALF = 20_037_508.342789244
#: Pixels of a tile side in MVT coordinates, and how far geometry reaches over its edge.
_EXTENT = 4096
_BUFFER = 64
#: Features of one layer in one tile at most.
_MOST = 20_000


class NoSuchTile(LookupError):
    """The tile address lies outside the tile matrix set."""


def read_tile(reader: Reader, layers: tuple[Layer, ...], z: int, y: int, x: int) -> bytes:
    """The tile with one MVT layer per city layer, named by its id. Raises :class:`NoSuchTile`."""
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise NoSuchTile(f"there is no tile {z}/{y}/{x} (z/y/x) in WebMercatorQuad up to level {MAX_ZOOM}")
    far = tuple(_is_far(layer, z, y, x) for layer in layers)
    [(tile,)] = reader.fetch(_statement(layers, far, z), {"z": z, "x": x, "y": y})
    return bytes(tile)


@lru_cache(maxsize=4096)
def _statement(layers: tuple[Layer, ...], far: tuple[bool, ...], z: int) -> str:
    parts = [_layer_sql(layer, each, z) for layer, each in zip(layers, far, strict=True)]
    return f"SELECT {' || '.join(parts)}"


def _is_far(layer: Layer, z: int, y: int, x: int) -> bool:
    """Whether the tile reaches too far to be transformed to the layer's storage CRS."""
    if layer.srid == _MERCATOR or epsg(layer.srid).geographic:
        return False
    side = 2 * _HALF / 2**z
    west, north = x * side - _HALF, _HALF - y * side
    return not meets(_MERCATOR, (west, north - side, west + side, north), layer.srid)


def _layer_sql(layer: Layer, far: bool, z: int) -> str:
    """One ST_AsMVT. The tile's envelope is transformed to the storage CRS, so the index on the column serves."""
    table = quoted(DATA_SCHEMA, layer.table)
    envelope = f"ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => {_BUFFER / _EXTENT})"
    # Beyond the antimeridian the margin would come back on the other side of the world.
    searched = f"ST_Transform(ST_Intersection({envelope}, ST_TileEnvelope(0, 0, 0)), {layer.srid})"
    found = f"ST_Transform(t.geom, {_MERCATOR}) && {envelope}" if far else f"t.geom && {searched}"
    bounds = "ST_TileEnvelope(%(z)s, %(x)s, %(y)s)"
    drawn = f"ST_AsMVTGeom(ST_Transform(t.geom, {_MERCATOR}), {bounds}, {_EXTENT}, {_BUFFER})"
    fields = "".join(f", {quoted('t', f.name)}" for f in layer.fields if f.type != "string-array" and f.role != "key")
    name = layer.id.replace("'", "''").replace("%", "%%")
    return (
        # No field can have the alias's name: a column would be meant before the whole row.
        f"coalesce((SELECT ST_AsMVT(\"F\", '{name}', {_EXTENT}, 'geom', 'id') FROM ("
        f"SELECT t.id, {drawn} AS geom{fields} FROM {table} AS t WHERE {found}{_detail(layer, z)}"
        f" LIMIT {_MOST}) AS \"F\"), ''::bytea)"
    )


def _detail(layer: Layer, z: int) -> str:
    """Below street level, what is smaller than a pixel or two is not drawn."""
    if z >= 14 or layer.geometry_type not in ("Polygon", "MultiPolygon"):
        return ""
    pixel = 360.0 / 2**z / 256 if epsg(layer.srid).geographic else 40_075_016.7 / 2**z / 256
    return f" AND ST_XMax(t.geom) - ST_XMin(t.geom) + ST_YMax(t.geom) - ST_YMin(t.geom) > {2 * pixel!r}"

