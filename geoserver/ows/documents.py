"""XML documents of WMTS and WMS: capabilities and exceptions, from templates that escape every value."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader

from geoserver.errors import describe
from geoserver.reply import Reply
from geoserver.templates import TEMPLATES

#: Characters that XML 1.0 cannot hold, even escaped.
_IMPOSSIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def document(template: str, media_type: str = "text/xml; charset=UTF-8", status: int = 200, **data: Any) -> Reply:
    """A document from ``templates/ows``."""
    return Reply(_environment().get_template(template).render(**data).encode(), media_type, status)


def failed(template: str, error: Exception) -> Reply:
    """The service's own report of an error, with the status that the error has everywhere."""
    status, told = describe(error)
    return document(template, status=status, code=told["code"], text=told["description"])


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES / "ows")
    return Environment(loader=loader, autoescape=True, auto_reload=False, finalize=_possible, trim_blocks=True)


def _possible(value: Any) -> Any:
    return _IMPOSSIBLE.sub("", value) if type(value) is str else value
