"""What a city decides about grid management, as processes and triggers take it (``grid`` in ``config.yml``)."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import orjson

from grid.evaluation.options import EvaluationOptions

type Hours = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ClockOptions:
    """The city's working time and the thresholds of its clock.

    ``hours`` are periods of a working day [minutes after midnight, local time]. A light turns amber, and a reminder
    goes out, when ``remind_share`` of the limit is used; it turns red at the whole; ``supervise_share`` calls the
    leaders.
    """

    timezone: str = "Asia/Shanghai"
    hours: Hours = ((510, 720), (840, 1050))
    extra_holidays: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()
    remind_share: float = 0.8
    supervise_share: float = 1.5
    filing_hours: float = 1.0
    check_hours: float = 8.0
    default_amount: float = 5.0
    default_unit: str = "work-days"

    @property
    def day_seconds(self) -> int:
        """The length of one working day [s]."""
        return 60 * sum(end - begin for begin, end in self.hours)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How reports become cases: which channels need a field check, and what counts as the same problem."""

    needs_verification: frozenset[str] = frozenset({"public", "open311", "hotline", "sms", "media"})
    event_scheme: str = "CJ/T 214-2007"
    component_scheme: str = "GB/T 30428.2-2013"
    similar_metres: float = 50.0
    similar_hours: float = 72.0
    component_metres: float = 30.0


@dataclass(frozen=True, slots=True)
class PhotoOptions:
    """Photos of cases: where they lie and their bounds."""

    directory: Path = Path("var/photos")
    most: int = 6
    max_mb: float = 20.0
    max_megapixels: float = 60.0
    longest_edge: int = 2048
    far_metres: float = 200.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """A system that is told of cases: ``events`` are acts, none meaning all; ``secret`` signs what it gets."""

    url: str
    secret: str = field(repr=False)
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NoticeOptions:
    """Who is told: whether text messages go out, and which systems listen."""

    sms: bool = False
    webhooks: tuple[WebhookOptions, ...] = ()


@dataclass(frozen=True, slots=True)
class GridOptions:
    """Everything a city decides about grid management.

    ``component_widths`` are the digits of division, major, minor and sequence of a component's code, by scheme.
    """

    clock: ClockOptions = field(default_factory=ClockOptions)
    reports: ReportOptions = field(default_factory=ReportOptions)
    photos: PhotoOptions = field(default_factory=PhotoOptions)
    notices: NoticeOptions = field(default_factory=NoticeOptions)
    component_widths: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
        ("GB/T 30428.2-2013", (6, 2, 2, 6)),
        ("GB/T 47678.5-2026", (6, 2, 3, 6)),
    )
    cell_area: float = 10_000.0
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)

    def digest(self) -> str:
        """A digest of what the database keeps of them."""
        kept = asdict(self.clock) | asdict(self.reports)
        return hashlib.blake2s(orjson.dumps(kept, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(str(one) for one in value)
    raise TypeError(type(value).__name__)
