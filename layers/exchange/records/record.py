"""One layer as a record: what both representations, GeoJSON (OGC 20-004r1 §7) and ISO 19139, are written from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from layers.catalogue import Layer, Text
from layers.exchange.records.model import Metadata, Party
from layers.exchange.records.themes import GB_13923, STANDARD, TOPICS, UNCHECKED, Classes, shipped

CORE = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core"
_LANGUAGES = {"zh": {"code": "zh-CN", "name": "中文"}, "en": {"code": "en-US", "name": "English"}}


@dataclass(frozen=True, slots=True)
class Record:
    """A layer with what is known of it. ``parties`` are those of the layer, else the city's own; ``classes`` the table
    of GB/T 13923 that the city goes by."""

    layer: Layer
    metadata: Metadata
    created: datetime
    updated: datetime
    begin: date | datetime | None
    end: date | datetime | None
    parties: tuple[Party, ...]
    licence: str
    type: str = "dataset"
    classes: Classes = field(default_factory=shipped)

    @property
    def id(self) -> str:
        """The layer's id."""
        return self.layer.id

    @property
    def topics(self) -> tuple[str, ...]:
        """ISO topic categories: the steward's, else those of the city's own layers."""
        standard = STANDARD.get(self.layer.id)
        return self.metadata.topics or ((standard[0],) if standard else ())

    @property
    def classification(self) -> tuple[str, ...]:
        """Codes of GB/T 13923, likewise."""
        standard = self.classes.layers.get(self.layer.id)
        return self.metadata.classification or ((standard,) if standard else ())

    @property
    def class_is_checked(self) -> bool:
        """Whether somebody answers for the codes: the steward who said them, or the city for its table."""
        return bool(self.metadata.classification) or self.classes.checked

    def keywords(self, language: str) -> tuple[str, ...]:
        """Keywords in a language; those of the catalogue are of neither."""
        own = self.metadata.keywords_en if language.startswith("en") else self.metadata.keywords_zh
        return tuple(dict.fromkeys((*own, *self.layer.keywords)))

    def texts(self) -> tuple[str, ...]:
        """All that a search by words looks in."""
        layer = self.layer
        texts = (layer.id, layer.title.zh, layer.title.en, layer.description.zh, layer.description.en)
        return (*texts, *self.keywords("zh"), *self.keywords("en"), *self.topics, *self.classification)

    @property
    def external_ids(self) -> tuple[tuple[str, str], ...]:
        """(scheme, value) of what others call the layer."""
        return tuple((one.scheme, one.value) for one in self.metadata.external_ids)


def geojson(record: Record, language: str, formats: Sequence[tuple[str, str]], links: Sequence[Any]) -> dict[str, Any]:
    """The record as GeoJSON. ``formats`` are names and media types of the layer's distributions."""
    layer, said = record.layer, record.metadata
    properties = {
        "created": stamp(record.created),
        "updated": stamp(record.updated),
        "type": record.type,
        "title": layer.title[language],
        "description": layer.description[language],
        "titles": both(layer.title),
        "descriptions": both(layer.description),
        "keywords": list(record.keywords(language)),
        "themes": _themes(record, language),
        "language": _LANGUAGES[language[:2]],
        "languages": list(_LANGUAGES.values()),
        "resourceLanguages": [{"code": code} for code in said.languages],
        "externalIds": [{"scheme": s, "value": v} if s else {"value": v} for s, v in record.external_ids],
        "formats": [{"name": name, "mediaType": media_type} for name, media_type in formats],
        "contacts": [_contact(party) for party in record.parties],
        "license": record.licence or "other",
        "rights": said.rights.en if language.startswith("en") else said.rights.zh,
        "lineage": (said.lineage.en if language.startswith("en") else said.lineage.zh) or layer.source,
        "maintenanceFrequency": said.frequency,
        "scaleDenominator": said.scale,
        "crs": f"http://www.opengis.net/def/crs/EPSG/0/{layer.srid}",
    }
    kept = ("title", "description", "type", "keywords")
    return {
        "id": record.id,
        "type": "Feature",
        "conformsTo": [CORE],
        "time": _time(record),
        "geometry": polygon(layer),
        "properties": {n: v for n, v in properties.items() if v not in (None, "", []) or n in kept},
        "links": list(links),
    }


def polygon(layer: Layer) -> dict[str, Any] | None:
    """The layer's extent; None where it is empty, or of rows that the reader may not see."""
    if layer.extent is None:
        return None
    west, south, east, north = layer.extent
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def both(text: Text) -> dict[str, str]:
    """A text in both languages."""
    return {"zh": text.zh, "en": text.en}


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(record: Record) -> dict[str, Any] | None:
    if record.begin is None and record.end is None:
        return None
    return {"interval": [_moment(record.begin), _moment(record.end)]}


def _moment(moment: date | datetime | None) -> str:
    if moment is None:
        return ".."
    return stamp(moment) if isinstance(moment, datetime) else moment.isoformat()


def _themes(record: Record, language: str) -> list[dict[str, Any]]:
    themes: list[dict[str, Any]] = []
    if record.topics:
        concepts = [{"id": topic, "url": f"{TOPICS}#MD_TopicCategoryCode_{topic}"} for topic in record.topics]
        themes.append({"scheme": TOPICS, "concepts": concepts})
    if record.classification:
        doubt = {} if record.class_is_checked else {"description": UNCHECKED[language]}
        codes = [{"id": code, "title": record.classes.name(code)[language], **doubt} for code in record.classification]
        themes.append({"scheme": GB_13923, "concepts": codes})
    for theme in record.metadata.themes:
        themes.append({"scheme": theme.scheme, "concepts": [{"id": concept} for concept in theme.concepts]})
    return themes


def _contact(party: Party) -> dict[str, Any]:
    found = {
        "name": party.name,
        "position": party.position,
        "organization": party.organization,
        "phones": [{"value": party.phone}] if party.phone else [],
        "emails": [{"value": party.email}] if party.email else [],
        "links": [{"rel": "about", "type": "text/html", "href": party.url}] if party.url else [],
        "roles": [party.role],
    }
    return {name: value for name, value in found.items() if value}
