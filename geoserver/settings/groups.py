"""What every group of the configuration is made of: the frozen base and the kinds of values."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

ROOT = Path(__file__).resolve().parents[2]

Port = Annotated[int, Field(ge=1, le=65535)]
Epsg = Annotated[int, Field(ge=1024, le=32767)]
Language = Literal["zh-CN", "en-US"]


def _beside_the_file(path: str, info: ValidationInfo) -> str:
    return str((info.context or {}).get("folder", ROOT) / Path(path))


#: A path; a relative one is counted from the folder of the configuration file.
FilePath = Annotated[str, Field(min_length=1), AfterValidator(_beside_the_file)]


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a network such as '10.0.0.0/8' or 'fd00::/8'") from None


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text != "*" and (parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}".lower() != text):
        raise ValueError(f"{text!r} is not an origin such as 'https://other.example.gov.cn', without a path")
    return text


def _outbound_host(text: str) -> str:
    if not _OUTBOUND_HOST.fullmatch(text):
        raise ValueError(f"{text!r} is not 'host', 'host:port', '*.domain' or 'http://host:port', in lower case")
    return text


_OUTBOUND_HOST = re.compile(r"(https?://)?(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
#: An IP network; a lone address is one too.
Network = Annotated[str, AfterValidator(_network)]
#: Scheme, host and port of a web page (RFC 6454), or ``*``.
Origin = Annotated[str, AfterValidator(_origin)]
#: A host that the server may call.
OutboundHost = Annotated[str, AfterValidator(_outbound_host)]


class Group(BaseModel):
    """Keys that belong together; frozen, and nothing is converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Bilingual(Group):
    """A text in both languages."""

    zh: str
    en: str


class BilingualList(Group):
    """Texts in both languages."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
