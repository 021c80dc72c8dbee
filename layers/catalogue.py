"""The catalogue: what layers exist, as immutable values.

图层 layer = one collection of the API · 字段 field · 值域 domain · 公开/内部/敏感/核心 visibility.
The rows live in ``citymap.layers`` (see :mod:`layers.tables`); :mod:`layers.registry` reads and writes them.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

FieldType = Literal["string", "integer", "number", "boolean", "date", "date-time", "string-array"]
Visibility = Literal["public", "internal", "sensitive", "core"]
GeometryType = Literal[
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "Geometry"
]

#: CGCS2000 geographic, the storage CRS of a layer that declares no other (EPSG:4490).
CGCS2000 = 4490
#: PostgreSQL schemas: feature tables, and the past states of their rows.
DATA_SCHEMA = "city"
HISTORY_SCHEMA = "history"
#: Names that feature tables and their histories have themselves, so no field may have them.
SYSTEM_COLUMNS = (
    *("id", "geom", "geometry", "revision", "valid_from", "actor", "valid_to", "ended_by", "operation"),
    *("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"),  # PostgreSQL's own
)
#: Longest name of a table or column [bytes of UTF-8]; PostgreSQL cuts longer ones without an error.
LONGEST_NAME = 63

#: The greatest zoom that anybody draws, and how many values may begin at zooms of their own.
DEEPEST, MOST_BEGINNINGS = 24, 200

_IDENTIFIER = re.compile(r"[a-z_\u4e00-\u9fff][a-z0-9_\u4e00-\u9fff]{0,50}")
_LAYER_ID = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9_\u4e00-\u9fff-]{0,50}")


class CatalogueError(ValueError):
    """A layer definition contradicts itself or the catalogue's rules."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages of the interface."""

    zh: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.en if language.startswith("en") else self.zh


@dataclass(frozen=True, slots=True)
class Field:
    """One declared attribute of a layer.

    ``name`` is the column and the property; ``unit`` a UCUM-like symbol such as ``m`` or ``km/h``;
    ``domain`` maps stored codes to their meaning. The ``area`` (division code) and ``department`` of a feature decide
    who may see and change it; its ``class`` is what it is coloured by.
    """

    name: str
    type: FieldType
    title: Text
    unit: str | None = None
    domain: Mapping[str, Text] | None = None
    visibility: Visibility = "public"
    role: Literal["title", "key", "area", "department", "class"] | None = None

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.name) or self.name in SYSTEM_COLUMNS:
            raise CatalogueError(f"field name {self.name!r} is reserved or not a plain identifier")
        if len(self.name.encode()) > LONGEST_NAME:
            raise CatalogueError(f"field name {self.name!r} is too long: 51 letters, or 21 Chinese characters, at most")


@dataclass(frozen=True, slots=True)
class Zooms:
    """From which zoom of WebMercatorQuad to which a layer is drawn; tiles of other grids have the zoom of their scale.

    Features whose field ``by`` has a value of ``begin`` are drawn from the zoom on that stands there, others from
    ``first`` on: alleys later than avenues.
    """

    first: int = 0
    last: int = DEEPEST
    by: str | None = None
    begin: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last <= DEEPEST:
            raise CatalogueError(f"zooms {self.first} to {self.last}: give two of 0 to {DEEPEST}, the lower first")
        if len(self.begin) > MOST_BEGINNINGS:
            raise CatalogueError(f"zooms of {len(self.begin)} values: {MOST_BEGINNINGS} at most")
        if bool(self.begin) != bool(self.by):
            raise CatalogueError("zooms by value take a field, and the zooms of its values")
        for value, zoom in self.begin.items():
            if not self.first <= zoom <= self.last:
                raise CatalogueError(f"zoom {zoom} of value {value!r} is not from {self.first} to {self.last}")

    def later_than(self, zoom: int) -> tuple[str, ...]:
        """The values of ``by`` whose features begin at greater zooms."""
        return tuple(value for value, begins in self.begin.items() if begins > zoom)

    def among(self, names: Collection[str]) -> "Zooms":
        """The same for who sees these fields only."""
        return self if self.by is None or self.by in names else Zooms(self.first, self.last)

    def show(self, zoom: int) -> bool:
        """Whether anything is drawn at this zoom."""
        return self.first <= zoom <= self.last


def cut(name: str, longest: int = LONGEST_NAME) -> str:
    """The beginning of a name that has at most so many bytes [UTF-8]."""
    return name.encode()[:longest].decode(errors="ignore")


def _table_name(layer_id: str) -> str:
    name = layer_id.replace("-", "_")
    mark = hashlib.blake2s(name.encode(), digest_size=4).hexdigest()
    return name if len(name.encode()) <= LONGEST_NAME else f"{cut(name, LONGEST_NAME - 9)}_{mark}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the shared base.

    ``srid`` is the storage CRS (EPSG); ``extent`` is west, south, east, north in CGCS2000 degrees or None when empty;
    ``key_field`` names the field by which a re-import recognises a feature; ``style`` holds MapLibre style layers
    without ``source``; ``time_field`` carries the feature's own time, answered by ``datetime=``. ``inputs`` are the ids
    of the layers that a derived one (hillshade) is worked out from: it is seen by those who see them, and changes where
    they do. ``partial``: this is the layer as somebody sees it who may read some of its rows only.
    """

    id: str
    title: Text
    description: Text
    geometry_type: GeometryType
    fields: tuple[Field, ...]
    srid: int = CGCS2000
    kind: Literal["vector", "coverage"] = "vector"
    keywords: tuple[str, ...] = ()
    style: tuple[Mapping[str, Any], ...] = ()
    visibility: Visibility = "public"
    editable: bool = True
    time_field: str | None = None
    source: str = ""
    licence: str = ""
    extent: tuple[float, float, float, float] | None = None
    updated: str | None = None
    order: int = 100
    table: str = field(default="")
    inputs: tuple[str, ...] = ()
    zooms: Zooms = Zooms()
    partial: bool = False

    def __post_init__(self) -> None:
        if not _LAYER_ID.fullmatch(self.id):
            raise CatalogueError(
                f"layer id {self.id!r}: use lower-case letters, digits, Chinese characters, '-' and '_', at most 51"
            )
        if not self.table:
            object.__setattr__(self, "table", _table_name(self.id))
        names = [f.name for f in self.fields]
        if len(set(names)) != len(names):
            raise CatalogueError(f"layer {self.id!r} declares a field twice")
        if self.time_field and self.time_field not in names:
            raise CatalogueError(f"layer {self.id!r}: time field {self.time_field!r} is not one of its fields")
        if self.zooms.by and self.zooms.by not in names:
            raise CatalogueError(f"layer {self.id!r}: zooms by {self.zooms.by!r}, which is not one of its fields")

    def __hash__(self) -> int:
        return hash((self.id, self.table, self.srid, tuple(f.name for f in self.fields)))

    @property
    def key_field(self) -> str | None:
        """The field that identifies a feature in its source, if there is one."""
        return next((f.name for f in self.fields if f.role == "key"), None)

    @property
    def title_field(self) -> str | None:
        """The field that names a feature to people, if there is one."""
        return next((f.name for f in self.fields if f.role == "title"), None)

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def changed(self, **values: Any) -> "Layer":
        """A copy with other values."""
        return replace(self, **values)
