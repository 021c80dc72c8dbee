"""Writes GLB: the binary container of glTF 2.0 (ISO/IEC 12113) with the metadata extensions of 3D Tiles 1.1."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from layers.catalogue import Field
from tiles.three_d.attributes import CLASS, columns, schema, told_fields
from tiles.three_d.geodesy import Place
from tiles.three_d.solids import Mesh

type Json = dict[str, Any]

_FLOAT, _BYTE, _UINT, _USHORT = 5126, 5121, 5125, 5123
_VERTICES, _INDICES = 34962, 34963


class _Buffer:
    """The binary chunk as it grows, and its views; each begins at a multiple of eight bytes."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.views: list[Json] = []
        self.accessors: list[Json] = []
        self._size = 0

    def view(self, data: bytes, target: int | None = None) -> int:
        """Add bytes; returns the number of their view."""
        self.views.append({"buffer": 0, "byteOffset": self._size, "byteLength": len(data)})
        if target:
            self.views[-1]["target"] = target
        padding = -len(data) % 8
        self.chunks += [data, b"\0" * padding]
        self._size += len(data) + padding
        return len(self.views) - 1

    def accessor(self, values: NDArray[Any], kind: int, shape: str, target: int, **more: Any) -> int:
        """Add an array as an accessor; returns its number."""
        view = self.view(np.ascontiguousarray(values).tobytes(), target)
        self.accessors.append({"bufferView": view, "componentType": kind, "count": len(values), "type": shape, **more})
        return len(self.accessors) - 1

    @property
    def bytes(self) -> bytes:
        return b"".join(self.chunks)


def write_glb(
    mesh: Mesh, colours: NDArray[np.uint8], fields: Sequence[Field], rows: Sequence[dict[str, Any]], place: Place
) -> bytes:
    """One mesh whose features are ``rows``, with their attributes, standing at a place on the earth."""
    buffer = _Buffer()
    document: Json = {
        "asset": {"version": "2.0", "generator": "CityMap"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "extensionsUsed": ["EXT_mesh_features", "EXT_structural_metadata"],
        "nodes": [{"mesh": 0, "matrix": place.gltf_matrix()}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.9}, "name": "building"}],
        "meshes": [{"primitives": [_primitive(buffer, mesh, colours, len(rows))]}],
        "extensions": {"EXT_structural_metadata": _metadata(buffer, fields, rows)},
    }
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    return _container(document, buffer.bytes)


def empty_glb() -> bytes:
    """A scene with nothing in it."""
    return _container({"asset": {"version": "2.0", "generator": "CityMap"}, "scene": 0, "scenes": [{}]}, b"")


def _primitive(buffer: _Buffer, mesh: Mesh, colours: NDArray[np.uint8], features: int) -> Json:
    """Metres (east, up, −north), as the node's matrix takes them."""
    positions, normals = (a[:, [0, 2, 1]] * np.array([1, 1, -1], np.float32) for a in (mesh.positions, mesh.normals))
    reach = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    few = len(positions) < 65_535
    indices = mesh.indices.astype(np.uint16 if few else np.uint32)
    return {
        "attributes": {
            "POSITION": buffer.accessor(positions.astype("<f4"), _FLOAT, "VEC3", _VERTICES, **reach),
            "NORMAL": buffer.accessor(normals.astype("<f4"), _FLOAT, "VEC3", _VERTICES),
            "COLOR_0": buffer.accessor(colours, _BYTE, "VEC4", _VERTICES, normalized=True),
            "_FEATURE_ID_0": buffer.accessor(mesh.owners.astype("<f4"), _FLOAT, "SCALAR", _VERTICES),
        },
        "indices": buffer.accessor(indices, _USHORT if few else _UINT, "SCALAR", _INDICES),
        "material": 0,
        "mode": 4,
        "extensions": {
            "EXT_mesh_features": {"featureIds": [{"featureCount": features, "attribute": 0, "propertyTable": 0}]}
        },
    }


def _metadata(buffer: _Buffer, fields: Sequence[Field], rows: Sequence[dict[str, Any]]) -> Json:
    fields = told_fields(fields, rows)
    properties: Json = {}
    for name, (values, offsets) in columns(fields, rows).items():
        properties[name] = {"values": buffer.view(values)}
        if offsets is not None:
            properties[name] |= {"stringOffsets": buffer.view(offsets), "stringOffsetType": "UINT32"}
    return {
        "schema": schema(fields),
        "propertyTables": [{"class": CLASS, "count": len(rows), "properties": properties}],
    }


def _container(document: Json, binary: bytes) -> bytes:
    """Both chunks, the second at a multiple of eight bytes from the file's beginning, as metadata wants it."""
    if binary:
        document["buffers"] = [{"byteLength": len(binary)}]
    text = orjson.dumps(document)
    text += b" " * ((4 - len(text)) % 8)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
