"""The readings of Chinese characters, from pypinyin, as rows of ``citymap.pinyin``.

拼音 pinyin, without tones and with ü as u (lü: lu). A character has the reading that place names give it most; a pair
of characters has a row where its words read one of the two otherwise: 校长 xiao zhang.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

#: First and last of the CJK unified ideographs, and the zero of house numbers.
_FIRST, _LAST, _ZERO = 0x4E00, 0x9FFF, "〇"
#: Readings in names of places where pypinyin's first one is another.
_IN_NAMES = {
    **dict.fromkeys("长長", "chang"), **dict.fromkeys("乐樂", "le"), **dict.fromkeys("单單", "dan"),
    "行": "hang", "曾": "zeng", "重": "chong", "堡": "bao", "巷": "xiang",
}  # fmt: skip

type Row = tuple[str, str, str | None]


def readings() -> Iterator[Row]:
    """Characters, the reading of the first, and of the second where there are two."""
    from pypinyin.constants import PINYIN_DICT

    alone: dict[str, str] = {}
    for code in [*range(_FIRST, _LAST + 1), ord(_ZERO)]:
        if code in PINYIN_DICT:
            alone[chr(code)] = _IN_NAMES.get(chr(code)) or _plain(PINYIN_DICT[code].partition(",")[0])
    yield from ((character, sound, None) for character, sound in alone.items())
    for (first, second), (one, other) in sorted(_pairs(alone).items()):
        if (one, other) != (alone[first], alone[second]):
            yield first + second, one, other


def _pairs(alone: dict[str, str]) -> dict[tuple[str, str], tuple[str, str]]:
    """The reading of each pair of characters that pypinyin's words have side by side: that of most words."""
    from pypinyin.constants import PHRASES_DICT

    votes: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for phrase, sounds in PHRASES_DICT.items():
        if len(sounds) != len(phrase) or not all(character in alone for character in phrase):
            continue
        plain = [_plain(sound[0]) for sound in sounds]
        for i in range(len(phrase) - 1):
            # a word of two characters says it of itself, a longer one of its parts
            votes[phrase[i], phrase[i + 1]][plain[i], plain[i + 1]] += 100 if len(phrase) == 2 else 1
    return {pair: counted.most_common(1)[0][0] for pair, counted in votes.items()}


@cache
def _plain(sound: str) -> str:
    """The letters of a syllable without its marks."""
    letters = unicodedata.normalize("NFD", sound)
    return "".join(letter for letter in letters if letter.isalpha()).replace("ê", "e")
