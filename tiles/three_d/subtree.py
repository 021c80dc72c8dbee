"""Availability of an implicit tree as a binary subtree (OGC 22-025r4 §9.4), with the exact bounds of every tile."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from tiles.three_d.levels import LEVELS, Address, morton
from tiles.three_d.reading import Extent

type Json = dict[str, Any]

#: The class of the metadata that a tile carries, in the schema of the tileset.
TILE_SCHEMA: Json = {
    "id": "citymap_tiles",
    "classes": {
        "tile": {
            "properties": {
                "boundingRegion": {
                    "type": "SCALAR",
                    "componentType": "FLOAT64",
                    "array": True,
                    "count": 6,
                    "required": True,
                    "semantic": "TILE_BOUNDING_REGION",
                }
            }
        }
    },
}
_NODES = (4**LEVELS - 1) // 3
#: Half a metre, so that nothing touches a tile's bounds; beside footprints as far as eaves may reach over them.
_SLACK, _EAVES = 0.5, 6.0


def region(extent: Extent) -> list[float]:
    """West, south, east, north [radians], least and greatest height [m] (§7.3.1)."""
    slack = _EAVES / 6_378_137.0
    west, south, east, north = (float(v) for v in np.radians([extent.west, extent.south, extent.east, extent.north]))
    return [west - slack, south - slack, east + slack, north + slack, extent.low - _SLACK, extent.high + _SLACK]


def with_above(tiles: Mapping[Address, Extent], root: Address) -> dict[Address, Extent]:
    """Every tile on the way from the root to one that has something, with all that is in and below it."""
    found: dict[Address, Extent] = {}
    for tile, extent in tiles.items():
        for z in range(root.z, tile.z + 1):
            above = tile.above(z)
            found[above] = found[above].with_(extent) if above in found else extent
    return found


def write_subtree(tiles: Mapping[Address, Extent], root: Address) -> bytes:
    """The subtree of a root that has the whole tree."""
    there = with_above(tiles, root)
    available, contents = np.zeros(_NODES, bool), np.zeros(_NODES, bool)
    regions: dict[int, list[float]] = {}
    for tile, extent in there.items():
        number = _number(tile, root)
        available[number] = True
        contents[number] = tile in tiles
        regions[number] = region(extent)
    bounds = np.array([regions[number] for number in sorted(regions)], "<f8").tobytes()
    views = [_bits(available), _bits(contents), bounds or bytes(8)]
    offsets = np.cumsum([0, *(len(view) for view in views)])
    count = int(available.sum())
    document: Json = {
        "buffers": [{"byteLength": int(offsets[-1])}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(at), "byteLength": length}
            for at, length in zip(offsets, ((_NODES + 7) // 8, (_NODES + 7) // 8, len(views[2])), strict=False)
        ],
        "tileAvailability": _availability(0, available),
        "contentAvailability": [_availability(1, contents)],
        "childSubtreeAvailability": {"constant": 0},
    }
    if count:
        document["propertyTables"] = [
            {"class": "tile", "count": count, "properties": {"boundingRegion": {"values": 2}}}
        ]
        document["tileMetadata"] = 0
    return _container(document, b"".join(views))


def _number(tile: Address, root: Address) -> int:
    """The bit of a tile: levels one after the other, each in Morton order."""
    level, x, y = tile.place(root)
    first: int = (4**level - 1) // 3
    return first + morton(x, y)


def _availability(view: int, bits: np.ndarray[Any, np.dtype[np.bool_]]) -> Json:
    count = int(bits.sum())
    if count in (0, len(bits)):
        return {"constant": int(count > 0), "availableCount": count}
    return {"bitstream": view, "availableCount": count}


def _bits(bits: np.ndarray[Any, np.dtype[np.bool_]]) -> bytes:
    """The first in the lowest bit of the first byte; padded to eight bytes."""
    packed = np.packbits(bits, bitorder="little").tobytes()
    return packed + bytes(-len(packed) % 8)


def _container(document: Json, binary: bytes) -> bytes:
    text = orjson.dumps(document)
    text += b" " * (-len(text) % 8)
    return struct.pack("<4sIQQ", b"subt", 1, len(text), len(binary)) + text + binary
