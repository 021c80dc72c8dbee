"""The font that Chinese is written in, on maps and on paper: one that the machine has."""

from functools import lru_cache
from typing import NamedTuple

from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont

#: Families with Chinese that are common on servers; the first that is installed is taken.
_FAMILIES = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
             "Noto Serif CJK SC", "SimHei", "DejaVu Sans")  # fmt: skip


class FontFile(NamedTuple):
    """A file, and the number of the font in it where it is a collection."""

    path: str
    number: int


@lru_cache(maxsize=1)
def chinese_font() -> FontFile:
    """A font with Chinese; where there is none, matplotlib's own, which lacks it (``citymap doctor`` tells)."""
    for family in _FAMILIES:
        try:
            # Collections are known by their first font, which may be the Japanese one.
            path = str(findfont(FontProperties(family=[family]), fallback_to_default=False))
        except ValueError:
            continue
        return FontFile(path, _number(path, family))
    return FontFile(str(findfont(FontProperties())), 0)


def _number(path: str, family: str) -> int:
    number = 0
    while path.endswith((".ttc", ".otc")):
        try:
            if ImageFont.truetype(path, 10, number).getname()[0] == family:
                return number
        except OSError:
            return 0
        number += 1
    return 0
