"""Text search queries over the tokens that ``citymap.spelled`` makes: pairs of Chinese characters, triples of others.

A query as ``to_tsquery`` writes it has every token in quotes, so nothing of a token is an operator.
"""

import re
from collections.abc import Iterable, Sequence

from layers.gazetteer.reading import is_chinese

#: Tokens that a query asks for at most: a long text has enough with its first ones.
_MOST = 24
#: Stems up to this length have too few tokens to do without some.
_SHORT = 5

_SYLLABLE = (
    "(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:i(?:ang|ong|an|ao|ng|a|e|n|u)?|u(?:ang|ai|an|a|o|i|e|n)?|a(?:ng|i|o|n)?"
    "|e(?:ng|i|n|r)?|o(?:ng|u)?))"
)
_PINYIN = re.compile(f"{_SYLLABLE}*")


def all_of(stem: str) -> str | None:
    """Texts that have all tokens of the stem, so probably the stem itself somewhere; None for too short a stem."""
    tokens = _grams(stem)
    return both(tokens) if tokens else None


def one_missing(stem: str) -> str | None:
    """Texts with one character more than the stem, somewhere: it takes one pair of the stem's apart, or two triples."""
    return _but_for(stem, 1 if is_chinese(stem) else 2)


def one_changed(stem: str) -> str | None:
    """Texts in which one character of the stem is another or is not there: they have all tokens that it is not in."""
    return _but_for(stem, 2 if is_chinese(stem) else 3)


def _but_for(stem: str, spoiled: int) -> str | None:
    """Texts that have all tokens of the stem but for neighbours; at least two, as one alone is in too many texts."""
    tokens = _grams(stem)
    starts = range(1 - spoiled, len(tokens))
    groups = ([*tokens[: max(start, 0)], *tokens[max(start + spoiled, 0) :]] for start in starts)
    return _either(group for group in groups if len(group) > 1)


def mistaken(stem: str) -> tuple[str, ...]:
    """The stem with two neighbouring characters exchanged, and without one, in every place."""
    swapped = (stem[:i] + stem[i + 1] + stem[i] + stem[i + 2 :] for i in range(len(stem) - 1))
    shortened = (stem[:i] + stem[i + 1 :] for i in range(len(stem)) if len(stem) > 2)
    return tuple(dict.fromkeys([*swapped, *shortened]))


def patterns(stem: str) -> tuple[str, ...]:
    """LIKE patterns of a short stem with a character changed or missing behind the first; keys have no wildcards."""
    if not 2 <= len(stem) <= _SHORT:
        return ()
    changed = (stem[:i] + "_" + stem[i + 1 :] for i in range(1, len(stem)) if len(stem) > 2)
    missing = (stem[:i] + "_" + stem[i:] for i in range(1, len(stem)))
    return tuple([*changed, *missing])


def parts_of(stem: str) -> tuple[str, ...]:
    """Every part of the stem that may be a name of its own: three characters or more, or the first two."""
    longest = min(len(stem) - 1, 16)
    parts = (stem[i : i + n] for n in range(longest, 2, -1) for i in range(len(stem) - n + 1))
    return tuple(dict.fromkeys([*parts, *([stem[:2]] if len(stem) > 2 else [])]))[:400]


def two_mistakes(stem: str) -> str | None:
    """Texts that have at least two neighbouring tokens of a longer stem."""
    tokens = _grams(stem)
    if len(tokens) < 4:
        return None
    size = 2 if is_chinese(stem) else 4
    return _either(tokens[start : start + size] for start in range(len(tokens) - size + 1))


def sounds(blurred: Sequence[str]) -> str | None:
    """Texts with these blurred syllables side by side."""
    tokens = [f"~{a} {b}" for a, b in zip(blurred, blurred[1:], strict=False)]
    return both(tokens) if tokens else None


def initials(letters: str) -> str | None:
    """Texts whose initials have these letters somewhere."""
    tokens = ["=" + letters[i : i + 3] for i in range(len(letters) - 2)]
    return both(tokens) if tokens else None


def syllables(latin: str) -> list[str]:
    """The blurred syllables (see citymap.blurred) of pinyin written in one, or nothing where it is none."""
    return [_blurred(syllable) for syllable in _split(latin)]


def initials_of(latin: str) -> str:
    """The first letters of the syllables of pinyin."""
    return "".join(syllable[0] for syllable in _split(latin))


def _split(latin: str) -> list[str]:
    """The longest syllable that leaves a rest which is pinyin too, and so on."""
    for length in range(min(len(latin), 6), 0, -1):
        if re.fullmatch(_SYLLABLE, latin[:length]) and _PINYIN.fullmatch(latin[length:]):
            return [latin[:length], *_split(latin[length:])]
    return []


def _blurred(syllable: str) -> str:
    hissing = re.sub("^([zcs])h", r"\1", syllable)
    return re.sub("^l", "n", re.sub("([aei]n)g$", r"\1", hissing))


def _grams(stem: str) -> list[str]:
    size = 2 if is_chinese(stem) else 3
    return list(dict.fromkeys(stem[i : i + size] for i in range(len(stem) - size + 1)))[:_MOST]


def _either(groups: Iterable[Sequence[str]]) -> str | None:
    kept = dict.fromkeys(both(group) for group in groups if group)
    return " | ".join(f"({group})" for group in kept) or None


def both(tokens: Sequence[str]) -> str:
    """Texts that have all of these tokens."""
    return " & ".join("'" + token.replace("\\", "\\\\").replace("'", "''") + "'" for token in tokens)
