"""What a city decides about planning, as processes take it (``planning`` in ``config.yml``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from layers.terrain.solar import SolarDay
from planning.check.pieces import Tolerance

_TERMS = MappingProxyType({"conditions": 365, "approved": 730, "land-permit": 730})


@dataclass(frozen=True, slots=True)
class SunStandard:
    """Hours of sun that a kind of building must have on a day."""

    day: SolarDay
    hours: float


@dataclass(frozen=True, slots=True)
class SunStandards:
    """日照标准 by kind; those of a dwelling go by climate and size of the city (GB 50180-2018 table 4.0.9)."""

    dwelling: SunStandard = SunStandard("great-cold", 2.0)
    elderly: SunStandard = SunStandard("winter-solstice", 2.0)
    kindergarten: SunStandard = SunStandard("winter-solstice", 3.0)


@dataclass(frozen=True, slots=True)
class PlanningOptions:
    """The city's numbers, terms and tolerance.

    ``number_format`` is filled with ``series``, ``division``, ``year`` and ``number``. ``terms`` are the days for which
    a state holds. ``notice_days`` is the least length of a publicity.
    """

    division: str = "420700"
    number_format: str = "{series}字第{division}{year}{number:05d}号"
    timezone: str = "Asia/Shanghai"
    notice_days: int = 10
    terms: Mapping[str, int] = field(default_factory=lambda: _TERMS)
    tolerance: Tolerance = Tolerance()
    comments_open: bool = True
    comments_waiting: int = 2000
    sunlight: SunStandards = SunStandards()

    def today(self) -> date:
        """The day in the city."""
        return datetime.now(ZoneInfo(self.timezone)).date()

    def number(self, series: str, year: int, number: int) -> str:
        """A number as it is printed."""
        return self.number_format.format(series=series, division=self.division, year=year, number=number)

    def valid_until(self, state: str, since: date) -> date | None:
        """The last day of a state's term; None for one without."""
        return since + timedelta(days=self.terms[state]) if state in self.terms else None
