"""元数据 metadata of a layer beside title, description, keywords, source and licence, and their rules.

Names are those of ISO 19115-1: 专题类别 topic category, 联系方 responsible party, 更新频率 maintenance frequency,
数据志 lineage. ``classification`` are codes of GB/T 13923, 基础地理信息要素分类与代码.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from layers.catalogue import CatalogueError

#: MD_TopicCategoryCode (ISO 19115-1 B.3.30).
Topic = Literal[
    "farming", "biota", "boundaries", "climatologyMeteorologyAtmosphere", "economy", "elevation", "environment",
    "geoscientificInformation", "health", "imageryBaseMapsEarthCover", "intelligenceMilitary", "inlandWaters",
    "location", "oceans", "planningCadastre", "society", "structure", "transportation", "utilitiesCommunication",
]  # fmt: skip
#: MD_MaintenanceFrequencyCode (ISO 19115-1 B.3.21).
Frequency = Literal[
    "continual", "daily", "weekly", "fortnightly", "monthly", "quarterly", "biannually", "annually", "asNeeded",
    "irregular", "notPlanned", "unknown",
]  # fmt: skip
#: CI_RoleCode (ISO 19115-1 B.2.2), those that a city needs.
Role = Literal["pointOfContact", "owner", "custodian", "publisher", "distributor", "originator", "processor", "author"]
Words = Annotated[str, Field(min_length=1, max_length=400)]
Prose = Annotated[str, Field(max_length=10_000)]
Code = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Address = Annotated[str, Field(pattern=r"^https?://[!-~]{1,2000}$")]


@dataclass(frozen=True, slots=True)
class Party:
    """联系方 who answers for the layer, in a role."""

    organization: Words
    name: Prose = ""
    position: Prose = ""
    email: Prose = ""
    phone: Prose = ""
    url: Address | None = None
    role: Role = "pointOfContact"


@dataclass(frozen=True, slots=True)
class Theme:
    """叙词表 concepts of a thesaurus or code list, by their codes."""

    scheme: Words
    concepts: Annotated[tuple[Words, ...], Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class ExternalId:
    """外部标识 what another catalogue calls the layer."""

    value: Words
    scheme: Prose = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A text in both languages; either may be empty."""

    zh: Prose = ""
    en: Prose = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a steward says of a layer. ``begin`` and ``end`` bound the time that its content tells of."""

    topics: Annotated[tuple[Topic, ...], Field(max_length=19)] = ()
    classification: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    themes: Annotated[tuple[Theme, ...], Field(max_length=20)] = ()
    keywords_zh: Annotated[tuple[Words, ...], Field(max_length=100)] = ()
    keywords_en: Annotated[tuple[Words, ...], Field(max_length=100)] = ()
    contacts: Annotated[tuple[Party, ...], Field(max_length=20)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=20)] = ("zh-CN",)
    begin: date | None = None
    end: date | None = None
    lineage: Statement = Statement()
    rights: Statement = Statement()
    frequency: Frequency | None = None
    scale: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    licence_url: Address | None = None
    external_ids: Annotated[tuple[ExternalId, ...], Field(max_length=20)] = ()

    def __post_init__(self) -> None:
        if self.begin and self.end and self.begin > self.end:
            raise ValueError("'begin' lies after 'end'")


_ADAPTER = TypeAdapter(Metadata)


def metadata_from(values: Any) -> Metadata:
    """The metadata in JSON values. Raises :class:`CatalogueError` naming the member that is wrong."""
    if isinstance(values, dict) and (unknown := sorted(set(values) - set(Metadata.__slots__))):
        raise CatalogueError(f"metadata has no {unknown[0][:80]!r}; it has {', '.join(Metadata.__slots__)}")
    try:
        return _ADAPTER.validate_json(orjson.dumps(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CatalogueError(f"metadata {where!r}: {first['msg']}") from None


def as_json(metadata: Metadata) -> dict[str, Any]:
    """The metadata as JSON values; what was not said is left out."""
    found: dict[str, Any] = _ADAPTER.dump_python(metadata, mode="json", exclude_defaults=True)
    return found
