"""Which records are asked for, and in which order (OGC 20-004r1 §9 and §11)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from layers.exchange.records.record import Record

type Span = tuple[datetime | None, datetime | None]
#: What records are sorted by.
SORTABLES: Mapping[str, Callable[[Record, str], Any]] = {
    "id": lambda record, _: record.id,
    "title": lambda record, language: record.layer.title[language].casefold(),
    "type": lambda record, _: record.type,
    "created": lambda record, _: record.created,
    "updated": lambda record, _: record.updated,
}


@dataclass(frozen=True, slots=True)
class Search:
    """A checked search; None asks for all.

    ``words``: of each term all words must follow one another in one text, and any term will do. ``external`` are
    (scheme or None, value or None). ``box`` is west, south, east, north [°]; west > east crosses the antimeridian.
    ``time`` is of the layer's content, ``updated`` and ``created`` of the record.
    """

    words: tuple[tuple[str, ...], ...] = ()
    types: frozenset[str] | None = None
    ids: frozenset[str] | None = None
    external: tuple[tuple[str | None, str | None], ...] = ()
    box: tuple[float, float, float, float] | None = None
    time: Span | None = None
    updated: Span | None = None
    created: Span | None = None
    equals: tuple[tuple[str, str], ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()


def found(records: Iterable[Record], search: Search, language: str) -> list[Record]:
    """The records that a search asks for, in its order; ties by id."""
    kept = sorted((record for record in records if _meets(record, search, language)), key=lambda record: record.id)
    for name, descending in reversed(search.sort):
        key = SORTABLES[name]
        kept.sort(key=lambda record, key=key: key(record, language), reverse=descending)  # type: ignore[misc]
    return kept


def terms(q: str) -> tuple[tuple[str, ...], ...]:
    """The terms of ``q``: commas stand between alternatives, white space between words that follow one another."""
    return tuple(tuple(term.split()) for term in q.split(",") if term.strip())


def _meets(record: Record, search: Search, language: str) -> bool:
    return (
        (search.ids is None or record.id in search.ids)
        and (search.types is None or record.type in search.types)
        and (not search.words or _says(record.texts(), search.words))
        and (not search.external or _called(record, search.external))
        and (search.box is None or _reaches(record, search.box))
        and (search.time is None or _overlaps(_content_span(record), search.time))
        and (search.updated is None or _overlaps((record.updated, record.updated), search.updated))
        and (search.created is None or _overlaps((record.created, record.created), search.created))
        and all(_equal(record, name, value, language) for name, value in search.equals)
    )


def _says(texts: Sequence[str], words: Sequence[Sequence[str]]) -> bool:
    patterns = [re.compile(r"\s+".join(map(re.escape, term)), re.IGNORECASE) for term in words]
    return any(pattern.search(text) for pattern in patterns for text in texts)


def _called(record: Record, wanted: Sequence[tuple[str | None, str | None]]) -> bool:
    return any(
        (scheme is None or scheme == own_scheme) and (value is None or value == own_value)
        for own_scheme, own_value in record.external_ids
        for scheme, value in wanted
    )


def _reaches(record: Record, box: tuple[float, float, float, float]) -> bool:
    if record.layer.extent is None:
        return False
    west, south, east, north = record.layer.extent
    if north < box[1] or south > box[3]:
        return False
    if box[0] <= box[2]:
        return west <= box[2] and east >= box[0]
    return east >= box[0] or west <= box[2]


def _content_span(record: Record) -> Span:
    return _first(record.begin), _last(record.end)


def _first(moment: date | datetime | None) -> datetime | None:
    return moment if isinstance(moment, datetime) or moment is None else datetime.combine(moment, time.min, UTC)


def _last(moment: date | datetime | None) -> datetime | None:
    return moment if isinstance(moment, datetime) or moment is None else datetime.combine(moment, time.max, UTC)


def _overlaps(own: Span, wanted: Span) -> bool:
    """Also where nothing is known of the own time (OGC 17-069r4 §7.15.4: what has no time matches)."""
    begins_before_end = own[0] is None or wanted[1] is None or own[0] <= wanted[1]
    return begins_before_end and (own[1] is None or wanted[0] is None or own[1] >= wanted[0])


def _equal(record: Record, name: str, value: str, language: str) -> bool:
    layer = record.layer
    values: Mapping[str, tuple[str, ...]] = {
        "title": (layer.title[language],),
        "description": (layer.description[language],),
        "keywords": record.keywords(language),
        "topics": record.topics,
        "classification": record.classification,
    }
    return value in values[name]
