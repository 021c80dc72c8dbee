"""Reads an instant as ``as-of`` takes it."""

import re
from datetime import UTC, datetime

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def instant_named(text: str) -> datetime | None:
    """The instant that an RFC 3339 text means (a date: its first moment, UTC); None for another, such as a name."""
    try:
        found = datetime.fromisoformat(text.strip().upper().replace(" ", "+"))
    except ValueError:
        return None
    if _DATE.fullmatch(text.strip()):
        return found.replace(tzinfo=UTC)
    return found if found.tzinfo else None


def reads_like_instant(text: str) -> bool:
    """Whether a text is meant as an instant, rightly or wrongly written: it begins with the digits of a date."""
    return instant_named(text) is not None or re.match(r"\s*[+-]?\d{4}-?\d", text) is not None
