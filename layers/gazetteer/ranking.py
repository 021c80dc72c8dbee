"""How well a name answers a reading, from 0 to 1, and why.

1 means that everything asked for is there as written. A wrong house number or the wrong district never scores high, as
it would lead somebody to another place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import partial_ratio

from layers.catalogue import Text
from layers.gazetteer.model import HOW, AreaFound, Candidate, How, Match, NumberFound
from layers.gazetteer.reading import is_latin

#: Below this a similar name is chance: of characters, and of letters.
_LEAST_SIMILARITY, _LEAST_OF_LETTERS = 0.5, 0.75
#: Score of a candidate that is not worth showing.
NOT_WORTH = 0.3


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score."""

    candidate: Candidate
    score: float
    how: How
    number: NumberFound | None
    area: AreaFound | None

    @property
    def match(self) -> Match:
        """The reasons as they are answered."""
        text = (
            self.candidate.text
            + (f"{self.candidate.number}号" if self.candidate.number else "")
            + (self.candidate.unit or "")
        )
        return Match(self.how, self.candidate.field, text, self.number, self.area, self._reason())

    def _reason(self) -> Text:
        parts = [HOW[self.how]]
        wanted, found = self.candidate.reading.number, self.candidate.number
        if self.number == "nearest":
            parts.append(Text(f"无{wanted}号，最近的是{found}号", f"no number {wanted}, the nearest is {found}"))
        elif self.number == "missing":
            parts.append(Text(f"未查到{wanted}号", f"number {wanted} not found"))
        if self.area == "outside":
            parts.append(Text("不在所述区划内", "not in the area that is named"))
        elif self.area == "unknown":
            parts.append(Text("所述区划未查到", "the area that is named is not known"))
        return Text("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def rank(candidate: Candidate, pinyin: Mapping[str, str]) -> Ranked:
    """The candidate with its score; ``pinyin`` has the pinyin of Chinese stems, where it was looked up."""
    how, score = _text(candidate, pinyin)
    number, number_factor = _number(candidate)
    area, area_factor = _area(candidate)
    if candidate.reading.short_for and how == "exact":
        how, score = "abbreviation", 0.9
    elif candidate.reading.short_for:
        score *= 0.9
    factor = number_factor * area_factor * _unit(candidate) * _own_name(candidate)
    return Ranked(candidate, round(score * factor, 4), how, number, area)


def _text(candidate: Candidate, pinyin: Mapping[str, str]) -> tuple[How, float]:
    asked, name = candidate.reading.stem, candidate.text
    # without a number asked for, the address with a number is longer than what is asked
    length = len(name) + (len(candidate.number) + 1 if candidate.number and not candidate.reading.number else 0)
    if name == asked:
        return ("exact", 1.0) if length == len(name) else ("beginning", 0.72 + 0.2 * len(asked) / length)
    if is_latin(asked) and candidate.pinyin != name:
        return _latin(asked, candidate) or _similar(asked, candidate.pinyin, candidate.pinyin, asked)
    if name.startswith(asked):
        return "beginning", 0.72 + 0.2 * len(asked) / length
    if asked in name:
        return "part", 0.62 + 0.2 * len(asked) / length
    if name in asked:
        return "contained", 0.4 + 0.45 * len(name) / len(asked)
    return _similar(asked, name, candidate.pinyin, pinyin.get(asked, ""))


def _latin(asked: str, candidate: Candidate) -> tuple[How, float] | None:
    """Pinyin or initials of a Chinese name."""
    pinyin, initials = candidate.pinyin, candidate.initials
    if pinyin == asked:
        return "pinyin", 0.97
    if pinyin.startswith(asked):
        return "pinyin-beginning", 0.68 + 0.2 * len(asked) / len(pinyin)
    if initials == asked:
        return "initials", 0.75
    if initials.startswith(asked):
        return "initials-beginning", 0.5 + 0.2 * len(asked) / len(initials)
    if asked in pinyin and len(asked) > 4:
        return "part", 0.5 + 0.2 * len(asked) / len(pinyin)
    return ("initials-part", 0.4 + 0.2 * len(asked) / len(initials)) if asked in initials else None


def _similar(asked: str, name: str, pinyin: str, asked_pinyin: str) -> tuple[How, float]:
    if pinyin == asked_pinyin:
        return "homophone", 0.88
    written = OSA.normalized_similarity(asked, name)
    spoken = OSA.normalized_similarity(asked_pinyin, pinyin) if asked_pinyin else 0.0
    # a part of the name, with a mistake
    within = partial_ratio(asked, name) / 100 * 0.75 if 3 < len(asked) < len(name) else 0.0
    # letters agree by chance where characters do not
    least = _LEAST_OF_LETTERS if is_latin(asked) else _LEAST_SIMILARITY
    best = max(value for value in (written, within, 0.92 * spoken if spoken >= _LEAST_OF_LETTERS else 0.0))
    return "similar", 0.9 * best if best >= least else 0.0


def _number(candidate: Candidate) -> tuple[NumberFound | None, float]:
    wanted, found = candidate.reading.number, candidate.number
    if wanted is None:
        return None, 1.0
    if found is None:
        return "missing", 0.6
    if found == wanted:
        return "same", 1.0
    return "nearest", 0.55 - min(abs(_digits(found) - _digits(wanted)), 1000) / 10_000


def _digits(number: str) -> int:
    found = re.search("[0-9]{1,9}", number)
    return int(found[0]) if found else 0


def _unit(candidate: Candidate) -> float:
    if candidate.reading.unit == candidate.unit or candidate.reading.number is None:
        return 1.0
    return 0.96 if candidate.reading.unit else 0.98


def _own_name(candidate: Candidate) -> float:
    """A house of an estate comes after the estate, and what stands at an address after the address."""
    field = (candidate.layer, candidate.field)
    return 0.97 if field in (("addresses", "place"), ("pois", "address"), ("places", "address")) else 1.0


def _area(candidate: Candidate) -> tuple[AreaFound | None, float]:
    if candidate.inside is not None:
        return ("inside", 1.0) if candidate.inside else ("outside", 0.4)
    return ("unknown", 0.9) if candidate.reading.unknown else (None, 1.0)
