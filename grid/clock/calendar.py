"""The city's working days: statutory holidays and 调休 make-up workdays by the library ``holidays``, and its own days.

The library has the yearly notices of the State Council, offline; years that are not announced yet have their holidays
by rule, without make-up days. A city adds or corrects days in its configuration.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from grid.clock.model import WorkingTime
from grid.options import ClockOptions

if TYPE_CHECKING:
    from holidays import HolidayBase

#: The first year of every calendar: older cases of imports have a clock too.
FIRST_YEAR = 2010
#: Years ahead for which a calendar is made.
AHEAD = 10


def is_workday(day: date, options: ClockOptions) -> bool:
    """Whether the city works on that day: its own days first, then the statutory ones."""
    if day in options.extra_workdays:
        return True
    return day not in options.extra_holidays and bool(_statutory(day.year).is_working_day(day))


@lru_cache(maxsize=64)
def _statutory(year: int) -> "HolidayBase":
    import holidays  # 0.3 s, which only the making of a calendar needs

    return holidays.country_holidays("CN", years=(year - 1, year, year + 1), expand=False)


def working_periods(options: ClockOptions, first_year: int, last_year: int) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end of every working period of these years, in order."""
    zone = ZoneInfo(options.timezone)
    day, last = date(first_year, 1, 1), date(last_year, 12, 31)
    while day <= last:
        if is_workday(day, options):
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            for begin, end in options.hours:
                yield midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
        day += timedelta(days=1)


@lru_cache(maxsize=8)
def working_time(options: ClockOptions, first_year: int, last_year: int) -> WorkingTime:
    """The city's time line of these years."""
    periods = working_periods(options, first_year, last_year)
    return WorkingTime([(int(begin.timestamp()), int(end.timestamp())) for begin, end in periods])


def years(today: date) -> tuple[int, int]:
    """The first and last year of the calendar as it is made today."""
    return FIRST_YEAR, today.year + AHEAD
