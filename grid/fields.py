"""Short forms of the fields that layers of the grid declare."""

from typing import Any

from layers.catalogue import Field, Text


def text(name: str, zh: str, en: str, **more: Any) -> Field:
    """A text; ``more`` as in :class:`layers.catalogue.Field`."""
    return Field(name, "string", Text(zh, en), **more)


def whole(name: str, zh: str, en: str, unit: str | None = None) -> Field:
    """A whole number."""
    return Field(name, "integer", Text(zh, en), unit)


def metres(name: str, zh: str, en: str) -> Field:
    """A length [m]."""
    return Field(name, "number", Text(zh, en), "m")


def time(name: str, zh: str, en: str) -> Field:
    """An instant."""
    return Field(name, "date-time", Text(zh, en))
