"""How a question says where the values of a field come from; apart, since reading them takes pandas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["mm", "cm", "m", "in", "ft", "us-ft"]


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of a field come from.

    ``column``: a column of the file, or a text with columns in braces such as ``MH-{MANHOLE_ID}``. ``unit`` is what
    the file measures in. ``codes`` translates values; others are left out. ``empty`` are numbers that mean unknown.
    ``value`` is the same for every feature, without a column.
    """

    column: str | None = None
    unit: Unit | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[float, ...] = ()
    value: str | float | bool | None = None
