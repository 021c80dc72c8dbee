"""Decodes Mapbox Vector Tiles 2.1, as :mod:`tiles.vector` makes them."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {1: "Point", 2: "LineString", 3: "Polygon"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A feature: its kind, its fields, and its parts, each (vertex, 2) in the tile's units; a polygon's are rings."""

    kind: str
    fields: Mapping[str, Any]
    parts: tuple[NDArray[np.float64], ...]


def decode(tile: bytes) -> dict[str, list[Shape]]:
    """The features of each layer, by its name."""
    layers: dict[str, list[Shape]] = {}
    for number, body in _messages(tile):
        if number == 3:
            name, shapes = _layer(body)
            layers.setdefault(name, []).extend(shapes)
    return layers


def _layer(body: bytes) -> tuple[str, list[Shape]]:
    name, keys, values, features = "", [], [], []
    for number, value in _messages(body):
        if number == 1:
            name = value.decode()
        elif number == 2:
            features.append(value)
        elif number == 3:
            keys.append(value.decode())
        elif number == 4:
            values.append(_value(value))
    return name, [_feature(feature, keys, values) for feature in features]


def _feature(body: bytes, keys: list[str], values: list[Any]) -> Shape:
    tags: list[int] = []
    kind, geometry = 0, b""
    for number, value in _messages(body):
        if number == 2:
            tags = _varints(value).tolist()
        elif number == 3:
            kind = value
        elif number == 4:
            geometry = value
    fields = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    name = KINDS.get(kind, "Polygon")
    return Shape(name, fields, tuple(_parts(_varints(geometry), name)))


def _parts(commands: NDArray[np.int64], kind: str) -> Iterator[NDArray[np.float64]]:
    """MoveTo begins a part, LineTo goes on with it, ClosePath ends it (MVT 2.1 §4.3.3); a point is a part of one."""
    at, x, y = 0, 0, 0
    part: list[NDArray[np.int64]] = []
    while at < len(commands):
        command, count = int(commands[at]) & 7, int(commands[at]) >> 3
        at += 1
        if command == 7:
            continue
        steps = commands[at : at + 2 * count]
        at += 2 * count
        moved = ((steps >> 1) ^ -(steps & 1)).reshape(-1, 2).cumsum(axis=0) + (x, y)
        x, y = int(moved[-1, 0]), int(moved[-1, 1])
        if command == 1:
            if part:
                yield np.concatenate(part).astype(np.float64)
            part = [moved]
        else:
            part.append(moved)
    if part:
        whole = np.concatenate(part).astype(np.float64)
        yield from (whole[n : n + 1] for n in range(len(whole))) if kind == "Point" else (whole,)


def _varints(body: bytes) -> NDArray[np.int64]:
    """A packed field of varints (protobuf), all at once: groups of 7 bits, the lowest first."""
    if not body:
        return np.empty(0, np.int64)
    octets = np.frombuffer(body, np.uint8).astype(np.int64)
    ends = np.flatnonzero(octets < 128)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(octets)) - np.repeat(starts, ends - starts + 1)
    return np.add.reduceat((octets & 127) << (7 * place), starts)


def _messages(body: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values: whole numbers, bytes, or the bytes of a float."""
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(body, at)
            yield key >> 3, value
        else:
            size, at = _varint(body, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            yield key >> 3, body[at : at + size]
            at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = body[at]
        at += 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, at
        shift += 7


def _value(body: bytes) -> Any:
    for number, value in _messages(body):
        if number == 1:
            return value.decode()
        if number in (2, 3):
            return struct.unpack("<f" if number == 2 else "<d", value)[0]
        if number == 4:
            return value - (1 << 64) if value >> 63 else value
        if number == 5:
            return value
        if number == 6:
            return (value >> 1) ^ -(value & 1)
        if number == 7:
            return bool(value)
    return None
