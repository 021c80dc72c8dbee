"""What a reader offers: the fields of one table of a file and its features in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from geopandas import GeoDataFrame

from layers.catalogue import FieldType, Text
from layers.importing.errors import UnsafeFile
from layers.importing.limits import MAX_FIELDS
from layers.importing.options import Coordinates


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a file because the file does not, or says it wrongly.

    ``layer``: the table to read, of several. ``crs``: such as ``EPSG:4547``. ``coordinates``: the kind of longitude and
    latitude. ``towgs84``: seven parameters for Xian 80 or Beijing 54 (m, arc seconds, ppm; position vector).
    """

    layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    coordinates: Coordinates | None = None
    towgs84: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceField:
    """One attribute of a source as its file calls it."""

    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Source:
    """One table of features. ``batches`` reads it anew at each call; frames have (east, north) coordinates in ``crs``.

    ``geometry_type`` is what the file declares (``Unknown`` if anything); ``count`` is None where counting costs a
    scan; ``key`` names the field that the format itself makes an identifier;
    ``warnings`` grows while batches are read.
    """

    name: str
    format: str
    fields: tuple[SourceField, ...]
    geometry_type: str
    count: int | None
    crs: Any
    encoding: str | None
    batches: Callable[[], Iterator[GeoDataFrame]]
    warnings: list[Text] = field(default_factory=list)
    key: str | None = None

    def __post_init__(self) -> None:
        if len(self.fields) > MAX_FIELDS:
            raise UnsafeFile(
                f"{self.name} 有 {len(self.fields)} 个字段，最多 {MAX_FIELDS} 个",
                f"{self.name} has {len(self.fields)} fields; the bound is {MAX_FIELDS}",
            )
