"""Makes the documents and tiles of 3D Tiles from the layer as it is now."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from layers.catalogue import Layer
from layers.database import Reader
from tiles.rendered import Rendered
from tiles.three_d.colours import AS_PROPOSED, colours
from tiles.three_d.geodesy import Floats, Place
from tiles.three_d.glb import empty_glb, write_glb
from tiles.three_d.levels import Address
from tiles.three_d.reading import Buildings, buildings_in, roots_of, shown_fields, snapshot, tiles_in
from tiles.three_d.shells import raise_shells
from tiles.three_d.solids import joined, raise_solids
from tiles.three_d.subtree import write_subtree
from tiles.three_d.tileset import root_tileset, tileset, together

#: Gives the mean and the least height of the ground [m] below footprints of which the layer does not know it yet.
type Ground = Callable[[NDArray[Any]], tuple[Floats, Floats]]

_JSON, _SUBTREE, _GLB = "application/json", "application/octet-stream", "model/gltf-binary"
#: A solid has at least this height [m]: a wall without one would have no face.
_LEAST = 0.1


def render_tileset(reader: Reader, layer: Layer, *, explicit: bool) -> Rendered:
    """``tileset.json``."""
    now = snapshot(reader)
    return Rendered(orjson.dumps(tileset(roots_of(reader, layer), explicit=explicit)), now, _JSON)


def render_together(reader: Reader, layers: Mapping[str, Layer]) -> Rendered:
    """``tileset.json`` over the tilesets of several layers, by the address of each."""
    now = snapshot(reader)
    parts = {address: tileset(roots_of(reader, layer), explicit=False) for address, layer in layers.items()}
    return Rendered(orjson.dumps(together(parts)), now, _JSON)


def render_root(reader: Reader, layer: Layer, root: Address) -> Rendered:
    """The explicit tileset of one root."""
    now = snapshot(reader)
    return Rendered(orjson.dumps(root_tileset(tiles_in(reader, layer, root), root)), now, _JSON)


def render_subtree(reader: Reader, layer: Layer, root: Address) -> Rendered:
    """The availability of the implicit tree of one root."""
    now = snapshot(reader)
    return Rendered(write_subtree(tiles_in(reader, layer, root), root), now, _SUBTREE)


def render_tile(reader: Reader, layer: Layer, tile: Address, ground: Ground) -> Rendered:
    """The GLB of a tile; of one in which nothing is left, an empty scene."""
    now = snapshot(reader)
    found = buildings_in(reader, layer, tile)
    return Rendered(_glb(layer, tile, found, ground) if len(found) else empty_glb(), now, _GLB)


def _glb(layer: Layer, tile: Address, found: Buildings, ground: Ground) -> bytes:
    below, lowest = found.ground.copy(), found.lowest.copy()
    unknown = np.isnan(below)
    if unknown.any():
        below[unknown], lowest[unknown] = ground(found.shapes[unknown])
        below, lowest = np.nan_to_num(below), np.nan_to_num(lowest)
    bases = np.where(found.bottoms > 0, below + found.bottoms, lowest)
    tops = np.maximum(below + found.heights, bases + _LEAST)
    west, south, east, north = tile.box
    place = Place((west + east) / 2, (south + north) / 2, float(np.round(lowest.min())))
    blocks = shapely.is_missing(found.shells)
    drawn = np.flatnonzero(~blocks)
    mesh = raise_solids(np.where(blocks, found.shapes, np.array(None, object)), bases, tops, place)
    mesh = joined(mesh, raise_shells(found.shells[drawn], drawn, below[drawn], lowest[drawn], place))
    uses = [row.get("use") for row in found.rows]
    painted = colours(uses, mesh.owners, mesh.roofs, proposed=AS_PROPOSED in layer.keywords)
    return write_glb(mesh, painted, shown_fields(layer), found.rows, place)
