"""``grid``: 网格化管理 and 数字城管: working time, limits, what a report becomes, photos, messages."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from geoserver.settings.evaluation import Evaluation
from geoserver.settings.groups import FilePath, Group
from geoserver.settings.open311 import Open311
from grid.model import ACTS
from grid.options import ClockOptions, GridOptions, NoticeOptions, PhotoOptions, ReportOptions, WebhookOptions

_PERIOD = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _period(text: str) -> str:
    match = _PERIOD.fullmatch(text)
    if not match or not _minutes(text)[0] < _minutes(text)[1] <= 1440:
        raise ValueError(f"{text!r} is not a period of a day such as '08:30-12:00'")
    return text


def _minutes(text: str) -> tuple[int, int]:
    begin, end = ([int(part) for part in time.split(":")] for time in text.split("-"))
    return 60 * begin[0] + begin[1], 60 * end[0] + end[1]


def _day(value: object) -> object:
    """YAML has dates; the environment and JSON have texts."""
    return date.fromisoformat(value) if isinstance(value, str) else value


Period = Annotated[str, AfterValidator(_period)]
Day = Annotated[date, BeforeValidator(_day)]
Channel = Literal["patrol", "public", "open311", "hotline", "sms", "media", "video", "superior"]


class Clock(Group):
    """处置时限 working time and the clock of cases."""

    timezone: str = Field(default="Asia/Shanghai", min_length=1, max_length=60)
    hours: tuple[Period, ...] = Field(
        default=("08:30-12:00", "14:00-17:30"), min_length=1, max_length=12, description="of a working day, local time"
    )
    extra_holidays: tuple[Day, ...] = Field(default=(), max_length=2000, description="days off beside the statutory")
    extra_workdays: tuple[Day, ...] = Field(default=(), max_length=2000, description="working days in spite of them")
    remind_share: float = Field(default=0.8, gt=0, le=1, description="share of the limit at which the light is amber")
    supervise_share: float = Field(
        default=1.5, ge=1, le=100, description="share of the limit at which leaders are told"
    )
    filing_hours: float = Field(default=1, gt=0, le=1000, description="from acceptance to filing [working hours]")
    check_hours: float = Field(default=8, gt=0, le=1000, description="from handling to its check [working hours]")
    default_amount: float = Field(default=5, gt=0, le=1000, description="limit where no condition gives one")
    default_unit: Literal["work-hours", "work-days", "urgent-hours"] = "work-days"

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is not a time zone such as 'Asia/Shanghai'") from None
        return name

    @field_validator("hours")
    @classmethod
    def _are_in_order(cls, hours: tuple[str, ...]) -> tuple[str, ...]:
        minutes = [minute for period in hours for minute in _minutes(period)]
        if minutes != sorted(set(minutes)):
            raise ValueError("the periods of a day must follow one another with a break between")
        return hours


class Reports(Group):
    """上报 how reports become cases."""

    needs_verification: tuple[Channel, ...] = Field(
        default=("public", "open311", "hotline", "sms", "media"), description="channels whose reports are checked first"
    )
    event_scheme: str = Field(default="CJ/T 214-2007", min_length=1, max_length=80)
    component_scheme: str = Field(default="GB/T 30428.2-2013", min_length=1, max_length=80)
    similar_metres: float = Field(default=50, gt=0, le=5000, description="the same problem lies within [m]")
    similar_hours: float = Field(default=72, gt=0, le=8760, description="and was reported within [h]")
    component_metres: float = Field(default=30, gt=0, le=1000, description="a component is looked for within [m]")


class PublicReports(Group):
    """公众上报 reports without an account, at ``/report``; how many is in ``server.limits.rate.reports``."""

    open: bool = Field(default=True, description="false: only accounts that may report do")
    photos: int = Field(default=3, ge=0, le=3, description="of one report")
    photo_mb: float = Field(default=1.5, gt=0, le=1.5, description="of one photo, which the page makes smaller [MB]")


class Photos(Group):
    """照片 photos of cases."""

    directory: FilePath = Field(default="var/photos", validate_default=True)
    most: int = Field(default=6, ge=1, le=30, description="of one report or step")
    max_mb: float = Field(default=20, gt=0, le=200, description="of one photo [MB]")
    max_megapixels: float = Field(default=60, gt=0, le=200)
    longest_edge: int = Field(default=2048, ge=320, le=8192, description="larger ones are made smaller [px]")
    far_metres: float = Field(default=200, gt=0, le=100_000, description="farther from the report is remarked on [m]")


class Webhook(Group):
    """A system that is told of cases; its host must be listed in ``outbound.hosts``."""

    url: str = Field(min_length=8, max_length=2000)
    secret: str = Field(min_length=16, max_length=500, repr=False, description="signs what is sent (HMAC-SHA256)")
    events: tuple[str, ...] = Field(default=(), max_length=50, description="acts such as dispatch; none: all")

    @field_validator("events")
    @classmethod
    def _are_acts(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        for event in events:
            if event not in ACTS:
                raise ValueError(f"{event!r} is no act of a case; acts are {', '.join(ACTS)}")
        return events


class Sms(Group):
    """短信 the road of text messages."""

    gateway: Literal["none", "file", "http"] = "none"
    file: FilePath = Field(
        default="var/sms.jsonl", validate_default=True, description="of the file gateway, for trials"
    )
    url: str | None = Field(default=None, max_length=2000, description="of the HTTP gateway; listed in outbound.hosts")
    headers: dict[str, str] = Field(default_factory=dict, max_length=20, repr=False)
    body: dict[str, str] = Field(
        default={"phone": "{phone}", "text": "{text}"}, max_length=50, description="sent as JSON or as a form"
    )
    form: bool = Field(default=False, description="true: as a form, false: as JSON")
    success: str = Field(default="", max_length=200, description="what a good answer contains; empty: any 2xx is good")

    @model_validator(mode="after")
    def _has_address(self) -> "Sms":
        if self.gateway == "http" and not self.url:
            raise ValueError("the http gateway needs its address (url)")
        return self


class Notices(Group):
    """消息 messages."""

    sms: Sms = Field(default_factory=Sms)
    webhooks: tuple[Webhook, ...] = Field(default=(), max_length=50)
    keep_days: float = Field(default=90, gt=0, le=3650, description="sent messages are kept [d]")


class Grid(Group):
    """网格 grid management."""

    clock: Clock = Clock()
    reports: Reports = Reports()
    public_reports: PublicReports = PublicReports()
    photos: Photos = Field(default_factory=Photos)
    notices: Notices = Field(default_factory=Notices)
    evaluation: Evaluation = Evaluation()
    open311: Open311 = Open311()
    cell_area: float = Field(default=10_000, ge=500, le=1_000_000, description="of a unit grid cell, about [m²]")
    component_widths: dict[str, tuple[int, int, int, int]] = Field(
        default={"GB/T 30428.2-2013": (6, 2, 2, 6), "GB/T 47678.5-2026": (6, 2, 3, 6)},
        description="digits of division, major, minor and sequence in a component's code, by scheme",
    )

    @model_validator(mode="after")
    def _is_usable(self) -> "Grid":
        if any(not 1 <= width <= 12 for widths in self.component_widths.values() for width in widths):
            raise ValueError("component_widths: each part of a code has 1 to 12 digits")
        return self

    def for_processes(self) -> GridOptions:
        """The same as processes take it."""
        clock = {**self.clock.model_dump(), "hours": tuple(_minutes(period) for period in self.clock.hours)}
        clock |= {name: frozenset(clock[name]) for name in ("extra_holidays", "extra_workdays")}
        reports = {**self.reports.model_dump(), "needs_verification": frozenset(self.reports.needs_verification)}
        photos = {**self.photos.model_dump(), "directory": Path(self.photos.directory)}
        return GridOptions(
            ClockOptions(**clock),
            ReportOptions(**reports),
            PhotoOptions(**photos),
            NoticeOptions(
                self.notices.sms.gateway != "none",
                tuple(WebhookOptions(hook.url, hook.secret, frozenset(hook.events)) for hook in self.notices.webhooks),
            ),
            tuple(self.component_widths.items()),
            self.cell_area,
            self.evaluation.for_processes(),
        )
