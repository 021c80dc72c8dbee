"""What the gazetteer is asked and answers. Points are CGCS2000 longitude and latitude [°] (EPSG:4490).

候选 candidate · 门牌号 house number · 行政区划 administrative area · 单元网格 unit grid cell
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from layers.catalogue import Text

#: How the text of a name was found in the query, from the surest to the least sure.
How = Literal[
    "exact",
    "pinyin",
    "abbreviation",
    "beginning",
    "homophone",
    "part",
    "contained",
    "pinyin-beginning",
    "initials",
    "initials-beginning",
    "initials-part",
    "similar",
]
#: What became of the house number that was asked for. ``nearest``: another number of the same road.
NumberFound = Literal["same", "nearest", "missing"]
#: Whether the feature lies in the administrative area that was named. ``unknown``: there is no such area here.
AreaFound = Literal["inside", "outside", "unknown"]

SearchedLayer = Literal["places", "addresses", "pois"]
#: The layers that are searched, the first preferred where two answers are as good. See layers/gazetteer/names.sql.
LAYERS: tuple[SearchedLayer, ...] = ("places", "addresses", "pois")


@dataclass(frozen=True, slots=True)
class Point:
    """A position [°]."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Area:
    """An administrative area; ``level`` as in the layer admin-areas, ``code`` its division code."""

    id: int
    name: str
    level: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of the layer grid-cells: its id and its title or code."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """Why a feature answers: ``text`` is what its ``field`` says, as it is compared (lower case, without spaces)."""

    how: How
    field: str
    text: str
    number: NumberFound | None
    area: AreaFound | None
    reason: Text


@dataclass(frozen=True, slots=True)
class Answer:
    """A feature that a query may mean; ``score`` is 1 where everything asked for was found as written.

    ``areas`` run from the largest to the smallest that the point lies in.
    """

    layer: str
    id: int
    name: str | None
    score: float
    match: Match
    point: Point
    areas: tuple[Area, ...]
    grid: GridCell | None


@dataclass(frozen=True, slots=True)
class NearFeature:
    """A feature near a point, with its distance [m]; ``name`` is its title."""

    layer: str
    id: int
    name: str | None
    distance: float
    point: Point


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point lies: areas from the largest, grid cell, an address as people write it, and what is near."""

    point: Point
    address: str
    areas: tuple[Area, ...]
    grid: GridCell | None
    nearest: tuple[NearFeature, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a query: a name, a house number, and areas; keys as ``citymap.name_key`` makes them.

    ``areas`` are ids of the named areas that the feature should lie in; ``unknown``: words that look like an area that
    is not here. ``short_for``: the stem is written out from an abbreviation.
    """

    stem: str
    number: str | None = None
    unit: str | None = None
    areas: tuple[int, ...] = ()
    unknown: bool = False
    short_for: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name of a feature, beside the reading that led to it. ``inside``: within the reading's areas."""

    reading: Reading
    layer: str
    feature: int
    field: str
    text: str
    pinyin: str
    initials: str
    number: str | None
    unit: str | None
    inside: bool | None
    distance: float | None


#: Domain of the texts of :class:`Match`.
HOW: Mapping[How, Text] = {
    "exact": Text("名称相同", "same name"),
    "pinyin": Text("拼音相同", "same pinyin"),
    "abbreviation": Text("简称", "abbreviation"),
    "beginning": Text("名称开头相同", "the name begins so"),
    "homophone": Text("读音相同", "sounds the same"),
    "part": Text("名称的一部分", "part of the name"),
    "contained": Text("查询中含此名称", "the query contains the name"),
    "pinyin-beginning": Text("拼音开头相同", "the pinyin begins so"),
    "initials": Text("拼音首字母相同", "same initials"),
    "initials-beginning": Text("首字母开头相同", "the initials begin so"),
    "initials-part": Text("首字母的一部分", "part of the initials"),
    "similar": Text("名称相近", "similar name"),
}
