"""Reads 3D Tiles as a client does, from the words of OGC 22-025r4, with nothing of the code under test."""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pygltflib

#: Gives the bytes at an address.
Get = Callable[[str], bytes]


@dataclass(frozen=True)
class TileFound:
    """A tile: the address of its content (None: it has none), its region, and how deep it lies below the root."""

    uri: str | None
    region: list[float]
    parents: tuple[list[float], ...]


def tiles_of(url: str, get: Get) -> Iterator[TileFound]:
    """Every tile of a tileset, those of its subtrees and of tilesets inside it too."""
    document = json.loads(get(url))
    assert document["asset"]["version"] == "1.1"
    yield from _tiles(document["root"], url, get, document.get("schema"), ())


def _tiles(tile: dict[str, Any], url: str, get: Get, schema: Any, parents: tuple[Any, ...]) -> Iterator[TileFound]:
    region = tile["boundingVolume"]["region"]
    if "implicitTiling" in tile:
        yield from _implicit(tile, url, get, schema, parents)
        return
    uri = urljoin(url, tile["content"]["uri"]) if "content" in tile else None
    if uri and uri.endswith(".json"):
        yield from _tiles(json.loads(get(uri))["root"], uri, get, None, (*parents, region))
        return
    yield TileFound(uri, region, parents)
    for child in tile.get("children", ()):
        yield from _tiles(child, url, get, schema, (*parents, region))


def _implicit(tile: dict[str, Any], url: str, get: Get, schema: Any, parents: Any) -> Iterator[TileFound]:
    how = tile["implicitTiling"]
    assert how["subdivisionScheme"] == "QUADTREE" and how["subtreeLevels"] == how["availableLevels"]
    assert schema["classes"]["tile"]["properties"]["boundingRegion"]["semantic"] == "TILE_BOUNDING_REGION"
    address = urljoin(url, how["subtrees"]["uri"].format(level=0, x=0, y=0))
    document, views = subtree(get(address))
    available = _bits(document["tileAvailability"], views)
    contents = _bits(document["contentAvailability"][0], views)
    table = document["propertyTables"][0]
    regions = np.frombuffer(views[table["properties"]["boundingRegion"]["values"]], "<f8").reshape(-1, 6).tolist()
    at, found = 0, {}
    for level in range(how["subtreeLevels"]):
        for index in range(4**level):
            number = (4**level - 1) // 3 + index
            x = sum((index >> (2 * bit) & 1) << bit for bit in range(level))
            y = sum((index >> (2 * bit + 1) & 1) << bit for bit in range(level))
            if not available(number):
                assert not contents(number)
                continue
            above = found[level - 1, x >> 1, y >> 1] if level else (*parents, tile["boundingVolume"]["region"])
            found[level, x, y] = (*above, regions[at])
            uri = tile["content"]["uri"].format(level=level, x=x, y=y) if contents(number) else None
            yield TileFound(uri and urljoin(url, uri), regions[at], above)
            at += 1
    assert at == table["count"] == len(regions)


def subtree(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The document and the buffer views of a binary subtree."""
    magic, version, text, binary = struct.unpack_from("<4sIQQ", data)
    assert magic == b"subt" and version == 1 and len(data) == 24 + text + binary
    document = json.loads(data[24 : 24 + text])
    chunk = data[24 + text :]
    views = [chunk[v["byteOffset"] : v["byteOffset"] + v["byteLength"]] for v in document["bufferViews"]]
    return document, views


def _bits(availability: dict[str, Any], views: list[bytes]) -> Callable[[int], bool]:
    if "constant" in availability:
        return lambda number: bool(availability["constant"])
    view = views[availability["bitstream"]]
    return lambda number: bool(view[number // 8] >> (number % 8) & 1)


@dataclass(frozen=True)
class Model:
    """What a GLB shows: vertices in EPSG:4978 [m], their features, triangles, colours, and the features' attributes."""

    positions: Any
    normals: Any
    features: Any
    triangles: Any
    colours: Any
    attributes: list[dict[str, Any]]
    json: dict[str, Any]


def model(data: bytes) -> Model | None:
    """A GLB read by pygltflib, placed as 3D Tiles says; None of an empty scene."""
    gltf = pygltflib.GLTF2().load_from_bytes(data)
    if not gltf.meshes:
        return None
    blob = gltf.binary_blob()
    primitive = gltf.meshes[0].primitives[0]
    matrix = np.array(gltf.nodes[0].matrix).reshape(4, 4).T
    local = _accessor(gltf, blob, primitive.attributes.POSITION).astype(float)
    placed = np.column_stack([local, np.ones(len(local))]) @ matrix.T
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # y upwards to z upwards, §6.7.1.6.3
    text = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + text])
    return Model(
        placed[:, :3] @ turn.T,
        _accessor(gltf, blob, primitive.attributes.NORMAL) @ matrix[:3, :3].T @ turn.T,
        _accessor(gltf, blob, primitive.attributes._FEATURE_ID_0).ravel().astype(int),
        _accessor(gltf, blob, primitive.indices).reshape(-1, 3),
        _accessor(gltf, blob, primitive.attributes.COLOR_0),
        _attributes(document, blob),
        document,
    )


def _accessor(gltf: Any, blob: bytes, number: int) -> Any:
    accessor = gltf.accessors[number]
    view = gltf.bufferViews[accessor.bufferView]
    kind = {5126: "<f4", 5121: "u1", 5123: "<u2", 5125: "<u4"}[accessor.componentType]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
    return np.frombuffer(blob, kind, accessor.count * width, view.byteOffset).reshape(accessor.count, width)


def _attributes(document: dict[str, Any], blob: bytes) -> list[dict[str, Any]]:
    metadata = document["extensions"]["EXT_structural_metadata"]
    table = metadata["propertyTables"][0]
    declared = metadata["schema"]["classes"][table["class"]]["properties"]
    rows: list[dict[str, Any]] = [{} for _ in range(table["count"])]
    views = document["bufferViews"]
    for name, place in table["properties"].items():
        view = views[place["values"]]
        data = blob[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        assert view["byteOffset"] % 8 == 0
        if declared[name]["type"] == "STRING":
            starts = views[place["stringOffsets"]]
            ends = np.frombuffer(blob, "<u4", table["count"] + 1, starts["byteOffset"])
            values = [data[a:b].decode() for a, b in zip(ends[:-1], ends[1:], strict=True)]
        else:
            values = np.frombuffer(data, "<f8").tolist()
        missing = declared[name].get("noData")
        for row, value in zip(rows, values, strict=True):
            row[name] = None if value == missing else value
    return rows
