"""XML and JSON of GeoReport v2: JSON follows from XML by the Spark convention, in which lists lose their outer name."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import orjson

FORMATS = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
#: What XML 1.0 cannot hold (§2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The name of one among many.
_ONE = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}


def document(root: str, one: str, content: list[dict[str, Any]] | dict[str, Any], format_: str) -> bytes:
    """A list of ``one`` under ``root``, or a single ``root``, in that format."""
    if format_ == "json":
        return orjson.dumps(content)
    top = ElementTree.Element(root)
    for item in content if isinstance(content, list) else ():
        _fill(ElementTree.SubElement(top, one), item)
    if isinstance(content, dict):
        _fill(top, content)
    text = ElementTree.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def errors(code: int, description: str, format_: str) -> bytes:
    """The document of an error (GeoReport v2, Errors)."""
    return document("errors", "error", [{"code": code, "description": description}], format_)


def _fill(element: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        child = ElementTree.SubElement(element, name)
        if isinstance(value, list):
            for item in value:
                _write(ElementTree.SubElement(child, _ONE[name]), item)
        else:
            _write(child, value)


def _write(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        _fill(element, value)
    elif value is not None:
        element.text = _FORBIDDEN.sub("", str(value).lower() if isinstance(value, bool) else str(value))
