"""What city models call uses, storeys and years, in the words of the layer ``buildings``."""

import re
from collections.abc import Mapping
from typing import Any

#: Functions by the first digits of the code lists of CityGML 2.0 (SIG 3D) and of German registers (31001_…).
_USES = (
    (re.compile(r"(31001_)?1[01]\d\d|residential|woon", re.I), "residential"),
    (re.compile(r"31001_20[2-9]\d|office|kantoor", re.I), "office"),
    (re.compile(r"31001_2(0[15]\d|07\d)|commerc|retail|winkel|shop", re.I), "commercial"),
    (re.compile(r"31001_21[1-9]\d|industr", re.I), "industrial"),
    (re.compile(r"31001_214\d|warehouse|opslag|storage", re.I), "warehouse"),
    (re.compile(r"31001_302\d|school|education|onderwijs", re.I), "school"),
    (re.compile(r"31001_305\d|hospital|gezondheid|health", re.I), "hospital"),
    (re.compile(r"31001_304\d|church|relig|kerk", re.I), "religious"),
    (re.compile(r"31001_24\d\d|transport|station|garage", re.I), "transport"),
    (re.compile(r"31001_3\d\d\d|public|government", re.I), "public"),
)


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Name, use, floors, year and address from a building's own attributes."""
    lower = {str(name).lower(): value for name, value in attributes.items() if value not in (None, "")}

    def first(*names: str) -> Any:
        return next((lower[name] for name in names if name in lower), None)

    function = first("function", "usage", "class", "use")
    function = function[0] if isinstance(function, list) and function else function
    return {
        "name": _text(first("name", "gml:name")),
        "use": _use(_text(function)),
        "floors": _whole(first("storeysaboveground", "storeys", "floors", "number_of_floors")),
        "year_built": _whole(first("yearofconstruction", "year_built", "bouwjaar", "oorspronkelijkbouwjaar")),
        "address": _text(first("address", "street")),
    }


def _use(function: str | None) -> str | None:
    if function is None:
        return None
    return next((use for pattern, use in _USES if pattern.match(function)), None)


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)[:500]


def _whole(value: Any) -> int | None:
    found = re.match(r"-?\d{1,4}(?=\D|$)", str(value)) if value is not None else None
    return int(found[0]) if found else None
