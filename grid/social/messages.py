"""上报 by text message: ``上报 类别 地点 描述``, taken apart and matched to a class. No I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from grid.errors import GridError

_FORM = "上报 类别 地点 描述"
_BLANK = re.compile(r"[\s,，;；、+#＃]+")


@dataclass(frozen=True, slots=True)
class TextReport:
    """A message taken apart; ``place`` and ``description`` as they were written."""

    class_name: str
    place: str
    description: str


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class of a scheme."""

    kind: str
    code: str
    name: str


def parse(words: str) -> TextReport:
    """The parts of a message. Raises :class:`GridError` that says the form."""
    parts = _BLANK.split(words.strip(), maxsplit=3)
    if len(parts) < 3 or parts[0].lower() not in ("上报", "sb", "report"):
        raise GridError(
            f"短信格式：{_FORM}，如：上报 暴露垃圾 武昌大道12号 路边有垃圾",
            f"write: {_FORM} (report class place words)",
        )
    return TextReport(parts[1], parts[2], parts[3] if len(parts) > 3 else "")


def matching_class(said: str, known: Iterable[KnownClass]) -> KnownClass:
    """The class that somebody means: its code, its name, or the only one whose name contains what was said.

    Raises :class:`GridError` naming those that it may be.
    """
    classes = list(known)
    for same in ([one for one in classes if one.code == said], [one for one in classes if one.name == said]):
        if same:
            return same[0]
    near = [one for one in classes if said in one.name]
    if len(near) == 1:
        return near[0]
    names = "、".join(one.name for one in (near or classes)[:8])
    raise GridError(f"类别不明：{said[:20]}；可写 {names}", f"class {said[:20]!r} is not clear; write one of {names}")
