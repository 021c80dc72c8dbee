"""``planning``: 用地红线 red lines: their numbers and terms, publicity, and what overlap is a sliver."""

from collections.abc import Callable
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from geoserver.settings.groups import Group
from planning.check.pieces import Tolerance
from planning.options import PlanningOptions, SunStandard, SunStandards


class Slivers(Group):
    """碎片 what two surveys of one boundary leave between them, which is no conflict when a red line is approved."""

    area: float = Field(default=1.0, ge=0, le=1.0, description="[m²]; the database itself refuses more than 1")
    width: float = Field(default=0.05, ge=0, le=0.05, description="mean width [m]; the database refuses more than 0.05")


class Terms(Group):
    """有效期 for how long a state of a red line holds [d]."""

    conditions: int = Field(default=365, ge=1, le=36_500, description="site opinion and conditions")
    approved: int = Field(default=730, ge=1, le=36_500)
    land_permit: int = Field(default=730, ge=1, le=36_500)


class Comments(Group):
    """公众意见 comments without an account, at ``/notices``; how many at once is in ``server.limits.rate.reports``."""

    open: bool = Field(default=True, description="false: comments come by the contact of the notice")
    waiting: int = Field(default=2000, ge=1, le=1_000_000, description="comments of one notice that may wait")


class SunHours(Group):
    """Hours of sun on a day."""

    day: Literal["great-cold", "winter-solstice"] = "great-cold"
    hours: float = Field(default=2.0, ge=0, le=24, description="[h]")


def _solstice(hours: float) -> Callable[[], SunHours]:
    return lambda: SunHours(day="winter-solstice", hours=hours)


class Sunlight(Group):
    """日照标准 what windows must have; of dwellings by climate and size of the city (GB 50180-2018 table 4.0.9)."""

    dwelling: SunHours = SunHours()
    elderly: SunHours = Field(default_factory=_solstice(2.0))
    kindergarten: SunHours = Field(default_factory=_solstice(3.0))


class Planning(Group):
    """规划 planning."""

    division: str = Field(default="420700", pattern=r"^\d{6}$", description="division code in numbers")
    number_format: str = Field(
        default="{series}字第{division}{year}{number:05d}号",
        max_length=100,
        description="of documents, filled with series, division, year and number",
    )
    timezone: str = Field(default="Asia/Shanghai", min_length=1, max_length=60)
    notice_days: int = Field(default=10, ge=1, le=365, description="least length of a publicity [d]")
    comments: Comments = Comments()
    sunlight: Sunlight = Field(default_factory=Sunlight)
    terms: Terms = Terms()
    slivers: Slivers = Slivers()

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is not a time zone such as 'Asia/Shanghai'") from None
        return name

    @field_validator("number_format")
    @classmethod
    def _names_a_number(cls, text: str) -> str:
        try:
            first, second = (text.format(series="地", division="420700", year=2026, number=n) for n in (1, 2))
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ValueError(f"{text!r} may hold only {{series}}, {{division}}, {{year}} and {{number}}") from None
        others = {text.format(series=s, division="420700", year=y, number=1) for s, y in (("选", 2026), ("地", 2027))}
        if first == second or len({first, *others}) < 3:
            raise ValueError(f"{text!r} must hold series, year and number, or two documents would be called alike")
        return text

    def for_processes(self) -> PlanningOptions:
        """The options as processes take them."""
        t = self.terms
        terms = {"conditions": t.conditions, "approved": t.approved, "land-permit": t.land_permit}
        return PlanningOptions(
            self.division, self.number_format, self.timezone, self.notice_days, terms,
            Tolerance(self.slivers.area, self.slivers.width), self.comments.open, self.comments.waiting,
            SunStandards(**{kind: SunStandard(s.day, s.hours) for kind, s in self.sunlight}),
        )  # fmt: skip
