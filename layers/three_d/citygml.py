"""Reads buildings of CityGML 2.0 (OGC 12-019), and of 1.0, whose buildings are alike."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import defusedxml.ElementTree as safe_xml  # type: ignore[import-untyped]
import numpy as np
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_DEPTH, MAX_ELEMENTS
from layers.importing.source import ReadOptions, Source
from layers.three_d.attributes import plain
from layers.three_d.model import Floats, Solid, Surface
from layers.three_d.source import horizontal_crs, model_source

_KINDS = {"GroundSurface": "ground", "RoofSurface": "roof", "WallSurface": "wall"}
_TOLD = ("function", "usage", "class", "measuredHeight", "storeysAboveGround", "yearOfConstruction", "name")
#: How the German surveys name their CRSs (urn:adv:crs), and the EPSG code of their first zone less its number.
_ADV = ((re.compile(r"ETRS89_UTM(3[123])"), 25800), (re.compile(r"DE_DHDN_3GK([2345])"), 31464))


def open_citygml(path: Path, options: ReadOptions) -> Source:
    """The buildings of a CityGML file. Raises :class:`UnsafeFile` for entities, :class:`UnreadableFile` for faults."""
    named, count = _look(path)
    crs = horizontal_crs(named, options, path)
    return model_source(path, "citygml", crs, lambda: _buildings(path), count)


def _look(path: Path) -> tuple[str | None, int]:
    """The CRS that the file names, and how many buildings it has."""
    named, count = None, 0
    for event, element in _events(path):
        told = element.get("srsName") if event == "start" else None
        if told and named is None:
            named = _crs_text(told)
        if event == "end" and _local(element) == "Building":
            count += 1
            element.clear()
    return named, count


def _crs_text(told: str) -> str | None:
    for pattern, zero in _ADV:
        if german := pattern.search(told):
            return f"EPSG:{zero + int(german[1])}"
    code = re.search(r"EPSG\D+(?:\d[\d.]*[/:])?(\d+)", told, re.I)
    return f"EPSG:{code[1]}" if code else None


def _buildings(path: Path) -> Iterator[Solid]:
    number = 0
    for event, element in _events(path):
        if event != "end" or _local(element) != "Building":
            continue
        number += 1
        surfaces = list(_surfaces(element, path))
        if surfaces:
            id = _attribute(element, "id") or f"building-{number}"
            yield Solid(id, tuple(surfaces), plain(_told(element)), _lod(element))
        element.clear()


def _events(path: Path) -> Iterator[tuple[str, Element]]:
    depth = count = 0
    try:
        for event, element in safe_xml.iterparse(str(path), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            count += event == "start"
            if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                raise UnsafeFile("CityGML 嵌套过深或过大", "the CityGML is nested too deep or too large")
            yield event, element
    except DefusedXmlException as error:
        raise UnsafeFile("CityGML 含有 DTD 或实体定义", "the CityGML has a DTD or entities") from error
    except safe_xml.ParseError as error:
        raise UnreadableFile(f"CityGML 有语法错误：{error}", f"the CityGML is not well-formed: {error}") from error


def _surfaces(building: Element, path: Path) -> Iterator[Surface]:
    """Each polygon once, of the finest level of detail: solids refer to those of the bounding surfaces."""
    lod = _lod(building)
    for holder, kind in _holders(building, ""):
        if lod and holder.tag.rpartition("}")[2][:4] != f"lod{lod}":
            continue
        for polygon in _named(holder, "Polygon"):
            rings = tuple(_ring(ring, path) for ring in _named(polygon, "LinearRing"))
            if rings and len(rings[0]) >= 3:
                yield Surface(tuple(ring for ring in rings if len(ring) >= 3), kind)


def _holders(element: Element, kind: str) -> Iterator[tuple[Element, str]]:
    """The properties ``lodNSolid``, ``lodNMultiSurface`` … below an element, and of what kind of surface each is."""
    for child in element:
        name = _local(child)
        if re.fullmatch(r"lod\d\w*", name):
            yield child, kind
        else:
            yield from _holders(child, _KINDS.get(name, kind))


def _lod(building: Element) -> str:
    """The finest level in which the building's shell is drawn."""
    found = {
        _local(child)[3] for child, _ in _holders(building, "") if next(_named(child, "Polygon"), None) is not None
    }
    return max(found, default="")


def _ring(ring: Element, path: Path) -> Floats:
    texts = [e.text or "" for e in ring.iter() if _local(e) in ("posList", "pos", "coordinates")]
    try:
        values = np.array(" ".join(texts).replace(",", " ").split(), float)
    except ValueError as error:
        raise UnreadableFile(f"{path.name} 的坐标不是数", f"{path.name} has coordinates that are no numbers") from error
    if len(values) % 3 or not np.isfinite(values).all():
        raise UnreadableFile(f"{path.name} 的坐标不是三维的", f"{path.name} has coordinates that are not three each")
    points = values.reshape(-1, 3)
    closed = len(points) > 1 and bool(np.all(points[0] == points[-1]))
    return points[:-1] if closed else points


def _told(building: Element) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for child in building:
        if _local(child) in _TOLD and child.text and child.text.strip():
            told.setdefault(_local(child), child.text.strip())
    street = [e.text for e in building.iter() if _local(e) in ("ThoroughfareName", "ThoroughfareNumber") and e.text]
    if street:
        told["address"] = " ".join(street[:2])
    return told


def _named(element: Element, name: str) -> Iterator[Element]:
    return (found for found in element.iter() if _local(found) == name)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attribute(element: Element, name: str) -> str | None:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)
