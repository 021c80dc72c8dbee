"""Reads CityJSON 1.0, 1.1 and 2.0 (OGC 20-072r5): a building per first-level object, with the parts it has."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.importing.source import ReadOptions, Source
from layers.three_d.attributes import plain
from layers.three_d.model import Floats, Solid, Surface
from layers.three_d.source import horizontal_crs, model_source

#: Bytes of a file, which is read whole.
MAX_CITY_MODEL = 1 * 2**30
_KINDS = {"GroundSurface": "ground", "RoofSurface": "roof", "WallSurface": "wall"}
#: How deep the surfaces of each type of geometry lie in its boundaries.
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}


def open_cityjson(path: Path, options: ReadOptions) -> Source:
    """The buildings of a CityJSON file. Raises :class:`UnreadableFile` for one that contradicts the standard."""
    document = _document(path)
    objects: Mapping[str, Any] = document["CityObjects"]
    vertices = _vertices(document, path)
    with _sound(path, "metadata"):
        named = _crs_text(document)
        roots = [name for name, found in objects.items() if found.get("type") == "Building"]
    crs = horizontal_crs(named, options, path)

    def read() -> Iterator[Solid]:
        for name in roots:
            with _sound(path, name):
                lod, surfaces = _surfaces(name, objects, vertices)
                told = plain(_attributes(objects[name]))
            if surfaces:
                yield Solid(name, tuple(surfaces), told, lod)

    return model_source(path, "cityjson", crs, read, len(roots))


@contextmanager
def _sound(path: Path, name: str) -> Iterator[None]:
    """What is not of the types that the standard gives it, or not there, is the file's fault."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UnreadableFile(
            f"{path.name} 中 {name[:80]} 有误：{error}", f"{name[:80]!r} of {path.name} is unsound: {error}"
        ) from error


def _document(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_CITY_MODEL:
        raise UnsafeFile(f"{path.name} 超过 {MAX_CITY_MODEL} 字节", f"{path.name} exceeds {MAX_CITY_MODEL} bytes")
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(f"{path.name} 不是 JSON：{error}", f"{path.name} is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") != "CityJSON":
        raise UnreadableFile(f"{path.name} 不是 CityJSON", f"{path.name} is no CityJSON")
    version = str(document.get("version"))
    if version not in ("1.0", "1.1", "2.0") or not isinstance(document.get("CityObjects"), dict):
        raise UnreadableFile(
            f"{path.name} 的版本 {version} 不支持", f"version {version[:20]} of {path.name} is unknown"
        )
    return document


def _vertices(document: Mapping[str, Any], path: Path) -> Floats:
    try:
        found = np.array(document.get("vertices", []), float).reshape(-1, 3)
        if "transform" in document:
            scale, moved = (np.array(document["transform"][name], float).reshape(3) for name in ("scale", "translate"))
            found = found * scale + moved
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableFile(f"{path.name} 的顶点有误：{error}", f"vertices of {path.name}: {error}") from error
    if not np.isfinite(found).all():
        raise UnreadableFile(f"{path.name} 的顶点不是数", f"vertices of {path.name} are no numbers")
    return found


def _crs_text(document: Mapping[str, Any]) -> str | None:
    """``EPSG:7415`` of ``urn:ogc:def:crs:EPSG::7415`` or ``https://www.opengis.net/def/crs/EPSG/0/7415``."""
    told = str(document.get("metadata", {}).get("referenceSystem") or "")
    code = re.search(r"EPSG\D+(?:\d[\d.]*[/:])?(\d+)$", told)
    return f"EPSG:{code[1]}" if code else None


def _attributes(found: Mapping[str, Any]) -> Mapping[str, Any]:
    told: Any = found.get("attributes") or {}
    address = found.get("address")
    if isinstance(address, list) and address and isinstance(address[0], dict):
        street = " ".join(
            str(v) for k, v in address[0].items() if k.lower() in ("thoroughfarename", "thoroughfarenumber")
        )
        told = {**told, "address": street or None}
    return told if isinstance(told, dict) else {}


def _surfaces(name: str, objects: Mapping[str, Any], vertices: Floats, depth: int = 0) -> tuple[str, list[Surface]]:
    """The surfaces of a building's finest geometry, and those of its parts."""
    if depth > 3:
        raise ValueError(f"parts of parts of {name!r} go on too deep")
    found = objects[name]
    geometries = [g for g in found.get("geometry") or [] if g.get("type") in _DEPTH and g.get("boundaries")]
    best = max(geometries, key=lambda g: float(g.get("lod") or 0), default=None)
    lod = str(best.get("lod") or "") if best else ""
    surfaces = list(_faces(best, vertices)) if best else []
    for child in found.get("children") or ():
        if objects[child].get("type") == "BuildingPart":
            finer, more = _surfaces(child, objects, vertices, depth + 1)
            lod, surfaces = max(lod, finer), surfaces + more
    return lod, surfaces


def _faces(geometry: Mapping[str, Any], vertices: Floats) -> Iterator[Surface]:
    semantics = geometry.get("semantics") or {}
    kinds = [_KINDS.get(s.get("type"), "") for s in semantics.get("surfaces", ())]
    yield from _walk(geometry["boundaries"], semantics.get("values"), _DEPTH[geometry["type"]], kinds, vertices)


def _walk(boundaries: Any, values: Any, depth: int, kinds: list[str], vertices: Floats) -> Iterator[Surface]:
    for number, boundary in enumerate(boundaries):
        value = values[number] if isinstance(values, list) and number < len(values) else None
        if depth:
            yield from _walk(boundary, value, depth - 1, kinds, vertices)
            continue
        rings = tuple(_ring(np.array(ring, np.intp), vertices) for ring in boundary)
        if len(rings[0]) >= 3:
            yield Surface(rings, kinds[value] if isinstance(value, int) and 0 <= value < len(kinds) else "")


def _ring(numbers: NDArray[np.intp], vertices: Floats) -> Floats:
    if numbers.ndim != 1 or (len(numbers) and (numbers.min() < 0 or numbers.max() >= len(vertices))):
        raise IndexError("a ring names a vertex that is not there")
    return vertices[numbers]
