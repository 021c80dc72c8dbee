"""Ways to understand a query: Chinese addresses run from the large to the small, without spaces between.

鄂州市鄂城区凤凰街道武昌大道12号3栋 = areas, road, number, unit. English ones run the other way: 12 Wuchang Avenue,
Echeng District. Which way is meant, what is found decides; so every plausible reading is looked up.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from layers.gazetteer.model import Area, Reading

#: Readings of one query that are looked up at most.
MAX_READINGS = 10
_CHINESE = re.compile(r"[\u3400-\u9fff〇]")
_LATIN = re.compile(r"[a-z0-9]+")
#: Endings of names of areas, which people leave out; longest first.
_ENDINGS = (
    *(
        "特别行政区",
        "街道办事处",
        "自治区",
        "自治州",
        "自治县",
        "居委会",
        "村委会",
        "开发区",
        "街道",
        "地区",
        "社区",
        "新区",
    ),
    *("省", "市", "区", "县", "旗", "镇", "乡", "村"),
)
_AREA = re.compile(
    r"[\u4e00-\u9fff]{2,8}?(?:特别行政区|自治[区州县]|街道办事处|街道|社区|省|市|(?<![小校园厂城景])区|县|镇|乡)"
)
#: Ends in 市 but is none: 超市, 集市 …
_NO_AREA = ("超市", "城市", "集市", "夜市", "门市", "花市", "菜市", "小区")
#: What is left of a name behind an area's short name is none of its own if it is shorter: 大道 of 鄂州大道.
_LEAST_REST = 3
_SEPARATORS = re.compile(r"[,，;；、|\n\t]+")
_LEADING_NUMBER = re.compile(r"\s*([0-9]{1,6}[A-Za-z]?)[\s,，]+(\D.*)", re.DOTALL)
#: How people shorten the names of institutions: 一中 for 第一中学.
_ORDINAL = "(?<!第)([一二三四五六七八九十]{1,3})"
_SHORT = (
    (re.compile(_ORDINAL + "中$"), r"第\1中学"),
    (re.compile(_ORDINAL + "小$"), r"第\1小学"),
    (re.compile(_ORDINAL + "医院?$"), r"第\1人民医院"),
    (re.compile(r"(?<!人民)(政府|法院|检察院)$"), r"人民\1"),
)
_WRITTEN_NUMBER = re.compile(r"[1-9][0-9]?(?=[\u4e00-\u9fff])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the query: its key, and the key taken apart as an address (see citymap.address_parts)."""

    key: str
    stem: str
    number: str | None
    unit: str | None


def pieces_of(query: str) -> list[str]:
    """The texts whose keys :func:`readings` needs: the whole, what follows a leading number, the number, the parts
    between commas."""
    leading = _LEADING_NUMBER.fullmatch(query)
    parts = [part for part in _SEPARATORS.split(query) if part.strip()]
    return [query, leading[2] if leading else "", leading[1] if leading else "", *(parts[:6] if len(parts) > 1 else ())]


def readings(pieces: Sequence[Piece], areas: Iterable[Area]) -> list[Reading]:
    """The readings of a query, the plainest first. ``areas`` are those whose names may stand in it."""
    known = _Areas(areas)
    found: dict[Reading, None] = {}
    for plain in _plain(pieces, known):
        for reading in (plain, *known.without_prefix(plain)):
            for variant in (reading, *_written_out(reading)):
                if variant.stem:
                    found.setdefault(variant)
    return list(found)[:MAX_READINGS]


def is_latin(stem: str) -> bool:
    """Whether a stem may be pinyin, initials or English."""
    return _LATIN.fullmatch(stem) is not None


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters."""
    return _CHINESE.search(text) is not None


def _plain(pieces: Sequence[Piece], known: "_Areas") -> Iterator[Reading]:
    whole, behind, number, *parts = pieces
    if whole.number:
        yield Reading(whole.stem, whole.number, whole.unit or None)
    yield Reading(whole.key)
    if behind.key:
        yield Reading(behind.key, number.key)
    if parts:
        yield from _between_commas(parts, known)


def _between_commas(parts: Sequence[Piece], known: "_Areas") -> Iterator[Reading]:
    """The parts that name areas, either way round, and the first of the others."""
    named = [known.named(part.key) for part in parts]
    ids = tuple(dict.fromkeys(area.id for areas in named for area in areas))
    others = [part for part, areas in zip(parts, named, strict=True) if not areas]
    if others and len(others) < len(parts):
        first = others[0]
        leading = re.fullmatch(r"([0-9]{1,6}[a-z]?)([a-z].*)", first.key)
        if leading:
            yield Reading(leading[2], leading[1], areas=ids)
        yield Reading(first.stem, first.number, first.unit or None, ids)


def _written_out(reading: Reading) -> Iterator[Reading]:
    """3环路 as 三环路, 3中 as 第三中学."""
    stem = _WRITTEN_NUMBER.sub(lambda match: _in_words(int(match[0])), reading.stem)
    stems = [stem, *(pattern.sub(full, stem) for pattern, full in _SHORT)]
    yield from (replace(reading, stem=other, short_for=True) for other in stems if other != reading.stem)


def _in_words(number: int) -> str:
    tens, ones = divmod(number, 10)
    digits = "零一二三四五六七八九"
    return (digits[tens] if tens > 1 else "") + ("十" if tens else "") + (digits[ones] if ones else "")


class _Areas:
    """The areas that a query may name, by their names with and without ending."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._full: dict[str, list[Area]] = {}
        self._short: dict[str, list[Area]] = {}
        for area in areas:
            for name in filter(None, area.name.split("\n")):
                self._full.setdefault(name, []).append(area)
                short = _without_ending(name)
                if len(short) >= 2 and short != name:
                    self._short.setdefault(short, []).append(area)

    def named(self, key: str) -> list[Area]:
        """The areas of exactly that name."""
        return self._full.get(key) or self._short.get(key) or []

    def without_prefix(self, reading: Reading) -> Iterator[Reading]:
        """The reading without the areas at its beginning: with their full names, then also short and unknown ones."""
        if reading.areas:
            return
        for short in (False, True):
            stem, levels, unknown = reading.stem, list[list[Area]](), False
            while step := self._step(stem, short):
                name, areas = step
                stem, unknown = stem[len(name) :], unknown or not areas
                if areas:
                    levels.append(areas)
            if stem == reading.stem or (short and 0 < len(stem) < _LEAST_REST):
                continue
            if not stem and levels:
                # nothing but areas: the last is what is asked for
                last = levels.pop()[0].name.split("\n")[0]
                yield Reading(last, reading.number, reading.unit, _smallest(levels), unknown)
                yield Reading(_without_ending(last), reading.number, reading.unit, _smallest(levels), unknown)
            else:
                yield replace(reading, stem=stem, areas=_smallest(levels), unknown=unknown)

    def _step(self, stem: str, short: bool) -> tuple[str, list[Area]] | None:
        """The name at the beginning of a stem, and the areas that have it."""
        for names in (self._full, self._short) if short else (self._full,):
            for length in range(min(len(stem), 16), 1, -1):
                if stem[:length] in names:
                    return stem[:length], names[stem[:length]]
        if short and (match := _AREA.match(stem)) and not match[0].endswith(_NO_AREA) and match.end() < len(stem):
            return match[0], []
        return None


def _smallest(levels: Sequence[Sequence[Area]]) -> tuple[int, ...]:
    """The areas of the last name that lie in those named before it, by their codes."""
    if not levels:
        return ()
    last = list(levels[-1])
    for above in levels[:-1]:
        codes = tuple(area.code for area in above if area.code)
        within = [area for area in last if area.code and codes and area.code.startswith(codes)]
        last = within or last
    return tuple(area.id for area in last)


def _without_ending(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name
