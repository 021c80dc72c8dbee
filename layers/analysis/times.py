"""Times of a question."""

from datetime import UTC, datetime

from layers.raster.images import Interval


def interval(begin: datetime | None, end: datetime | None) -> Interval:
    """An interval; a time that tells no zone is of UTC."""
    return _aware(begin), _aware(end)


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
