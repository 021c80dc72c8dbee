"""A record in ISO 19139, the XML of ISO 19115: by pygeometa, from its Metadata Control File model."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from layers.exchange.records.model import Party
from layers.exchange.records.record import Record, stamp
from layers.exchange.records.themes import UNCHECKED

MEDIA_TYPE = "application/xml"
_GEOMETRIES = {"Point": "point", "LineString": "curve", "Polygon": "surface"}
_TOPIC_OF_NONE = "location"
_SYSTEM = "gmd:referenceSystemInfo//gmd:code/gco:CharacterString"


def iso19139(record: Record, url: str, formats: Sequence[tuple[str, str, str]]) -> bytes:
    """The XML. ``formats`` are title, media type and address of the layer's distributions."""
    from pygeometa.schemas.iso19139 import ISO19139OutputSchema  # half a second, and few ask for it

    text: str = ISO19139OutputSchema().write(control_file(record, url, formats))
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    # It takes the storage CRS for that of the box, and writes boxes in EPSG:4326 only.
    for code in root.iterfind(_SYSTEM, root.nsmap):
        code.text = f"urn:ogc:def:crs:EPSG::{record.layer.srid}"
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def control_file(record: Record, url: str, formats: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """The record as a Metadata Control File (pygeometa's model), texts in Chinese and English."""
    layer, said = record.layer, record.metadata
    west, south, east, north = layer.extent or (-180.0, -90.0, 180.0, 90.0)
    extents: dict[str, Any] = {"spatial": [{"bbox": [west, south, east, north], "crs": 4326}]}
    if record.begin:
        extents["temporal"] = [{"begin": _date(record.begin), "end": _date(record.end) or "now"}]
    return {
        "mcf": {"version": "1.0"},
        "metadata": {
            "identifier": layer.id,
            "language": "zh",
            "language_alternate": "en",
            "charset": "utf8",
            "hierarchylevel": record.type,
            "dataseturi": f"{url}/collections/{layer.id}",
            "dates": {"creation": stamp(record.updated)[:10]},
        },
        "spatial": {
            "datatype": "grid" if layer.kind == "coverage" else "vector", "geomtype": _geometry(layer.geometry_type)
        },
        "identification": {
            "title": {"zh": layer.title.zh, "en": layer.title.en},
            "abstract": {"zh": layer.description.zh or layer.title.zh, "en": layer.description.en or layer.title.en},
            "dates": {"creation": stamp(record.created)[:10], "revision": stamp(record.updated)[:10]},
            "keywords": _keywords(record),
            "topiccategory": list(record.topics or (_TOPIC_OF_NONE,)),
            "extents": extents,
            "language": said.languages[0] if said.languages else "zh-CN",
            "fees": "None",
            "accessconstraints": "otherRestrictions",
            "rights": {"zh": said.rights.zh or record.licence, "en": said.rights.en or record.licence},
            "url": f"{url}/collections/{layer.id}",
            "status": "onGoing",
            "maintenancefrequency": said.frequency or "unknown",
        },
        "contact": _contacts(record, url),
        "distribution": {
            str(n): {"url": href, "type": "WWW:LINK", "rel": "item", "name": {"zh": name, "en": name},
                     "description": {"zh": media_type, "en": media_type}, "function": "download"}
            for n, (name, media_type, href) in enumerate(formats)
        },
        "dataquality": {
            "scope": {"level": "dataset"},
            "lineage": {"statement": {"zh": said.lineage.zh or layer.source, "en": said.lineage.en or layer.source}},
        },
    }  # fmt: skip


def _keywords(record: Record) -> dict[str, Any]:
    # It pairs the languages by position, and drops what has no counterpart.
    pairs = list(zip_longest(record.keywords("zh"), record.keywords("en"))) or [(record.id, record.id)]
    said = {"zh": [zh or en for zh, en in pairs], "en": [en or zh for zh, en in pairs]}
    found: dict[str, Any] = {"default": {"keywords": said, "keywords_type": "theme"}}
    if record.classification:
        codes = list(record.classification)
        zh, en = ("", "") if record.class_is_checked else (f"（{UNCHECKED.zh}）", f" ({UNCHECKED.en})")
        name = {"zh": f"GB/T 13923 基础地理信息要素分类与代码{zh}", "en": f"GB/T 13923{en}"}
        vocabulary = {"name": name, "url": "https://std.samr.gov.cn"}
        found["gb13923"] = {
            "keywords": {"zh": codes, "en": codes}, "keywords_type": "theme", "vocabulary": vocabulary
        }  # fmt: skip
    return found


def _contacts(record: Record, url: str) -> dict[str, Any]:
    """By role; who answers for the metadata is the first of them."""
    found: dict[str, Any] = {party.role: _contact(party, url) for party in record.parties}
    first = next(iter(found.values()))
    return {"pointOfContact": first, "custodian": first, **found}


def _contact(party: Party, url: str) -> dict[str, Any]:
    name = party.organization
    return {
        "organization": name, "individualname": party.name or name, "positionname": party.position or name,
        "phone": escape(party.phone), "email": party.email, "url": party.url or url, "fax": "", "address": "",
        "city": "",        "administrativearea": "", "postalcode": "", "country": "中国",
    }  # fmt: skip


def _geometry(kind: str) -> str:
    return _GEOMETRIES.get(kind.removeprefix("Multi"), "complex")


def _date(moment: Any) -> str | None:
    return None if moment is None else str(moment)[:10]
