"""A year of cases of the sample city: who reports what where and when, what becomes of it, and which repeat others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from grid.clock.calendar import is_workday
from grid.clock.model import WorkingTime
from grid.importing.repeating import Known, repeats
from grid.model import Case
from grid.options import GridOptions
from grid.sample_year.kinds import Kind
from grid.sample_year.lives import CHANNELS, Birth, Done, Life, live
from grid.sample_year.places import Spot

DAYS = 365
#: Shares: reports of what another reported already; how much is found on a day off.
_ECHOES, _DAY_OFF = 0.05, {"patrol": 0.35, "superior": 0.1, "hotline": 1.2, "public": 1.3, "open311": 1.3}
#: Metres in a degree, roughly.
_DEGREE = 111_000.0


@dataclass(frozen=True, slots=True)
class Told:
    """A case with its report; ``repeats`` is the place of the case that it repeats among all."""

    birth: Birth
    life: Life
    repeats: int | None
    reports: int


def year(
    spots: Sequence[Spot],
    kinds: Sequence[Kind],
    count: int,
    until: datetime,
    dice: Random,
    line: WorkingTime,
    options: GridOptions,
) -> list[Told]:
    """About ``count`` cases of the year before an instant, in the order in which they were reported."""  # fmt: skip
    births = sorted(_births(spots, kinds, count, until, dice, options), key=lambda one: one.at)
    zone = ZoneInfo(options.clock.timezone)
    codes = [f"{one.at.astimezone(zone):%Y%m%d}-{n + 1:06d}" for n, one in enumerate(births)]
    lives = [live(one, n, codes[n], until, dice, line, options) for n, one in enumerate(births)]
    same = repeats(
        [_known(n, birth, life, spots) for n, (birth, life) in enumerate(zip(births, lives, strict=True))],
        frozenset(range(len(births))), options.reports.similar_metres, options.reports.similar_hours,
    )  # fmt: skip
    steps: dict[int, list[Done]] = {}
    for later, earlier in same.items():
        steps.setdefault(earlier, []).append(_again(births[later], codes[later], lives[earlier]))
    return [
        Told(birth, _repeated(lives[n], birth, codes[same[n]]), same[n], 1)
        if n in same
        else Told(birth, _with(lives[n], steps.get(n, [])), None, 1 + len(steps.get(n, [])))
        for n, birth in enumerate(births)
    ]


def _births(
    spots: Sequence[Spot], kinds: Sequence[Kind], count: int, until: datetime, dice: Random, options: GridOptions
) -> Iterator[Birth]:
    zone = ZoneInfo(options.clock.timezone)
    last = until.astimezone(zone).date()
    days = [last - timedelta(days=n) for n in range(DAYS)]
    work = {day: is_workday(day, options.clock) for day in days}
    weights = {month: [one.weight * one.months[month - 1] for one in kinds] for month in range(1, 13)}
    favourite = [dice.choices(range(len(spots)), k=max(3, len(spots) // 15)) for _ in kinds]
    places = range(len(kinds))
    for _ in range(count):
        day = dice.choice(days)
        channel = dice.choices(list(CHANNELS), [_often(name, share, work[day]) for name, share in CHANNELS.items()])[0]
        chosen = dice.choices(places, weights[day.month])[0]
        kind = kinds[chosen]
        spot = dice.choice(favourite[chosen]) if dice.random() < 0.4 else dice.randrange(len(spots))
        at = _moment(day, kind, dice, zone)
        if at >= until:
            continue
        where = spots[spot]
        told = Birth(
            kind, at, channel, _reporter(channel, where, dice), where.worker, where.area_code[:6], spot,
            (dice.gauss(0, 0.7) / _DEGREE, dice.gauss(0, 0.7) / _DEGREE),
        )  # fmt: skip
        yield told
        if dice.random() < _ECHOES:
            echo = told.at + timedelta(seconds=round(dice.uniform(300, 86_400)))
            if echo < until:
                yield replace(
                    told, at=echo, channel="public", reporter="anonymous", shift=(told.shift[0] + 1e-5, told.shift[1])
                )


def _often(channel: str, share: int, work: bool) -> float:
    return share if work else share * _DAY_OFF.get(channel, 1.0)


def _moment(day: date, kind: Kind, dice: Random, zone: ZoneInfo) -> datetime:
    hour = dice.choices(range(24), kind.hours)[0]
    return datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), zone)


def _reporter(channel: str, where: Spot, dice: Random) -> str:
    if channel == "patrol":
        return where.worker
    return {"hotline": f"clerk-{dice.randint(1, 5)}", "video": "video-alerts", "superior": "leader-1"}.get(
        channel, "anonymous"
    )


def position(birth: Birth, spots: Sequence[Spot]) -> tuple[float, float]:
    """Longitude and latitude of a report [°]."""
    spot = spots[birth.spot]
    return round(spot.lon + birth.shift[0], 8), round(spot.lat + birth.shift[1], 8)


def _known(n: int, birth: Birth, life: Life, spots: Sequence[Spot]) -> Known:
    return Known(n, birth.kind.code, birth.at, life.case.closed_at, *position(birth, spots), False)


def _repeated(life: Life, birth: Birth, of: str) -> Life:
    """A report of what another reported: void at once, as the layer's triggers make it."""
    told = {"channel": birth.channel, "duplicate_of": of}
    case = Case(life.case.id, life.case.code, 1, "void", birth.channel, birth.kind.code, closed_at=birth.at)
    return Life(case, {}, (replace(life.steps[0], to_state="void", detail=told),))


def _again(birth: Birth, code: str, life: Life) -> Done:
    """The step of a case that another report adds to it."""
    state = max((one for one in life.steps if one.at <= birth.at), key=lambda one: one.at).to_state
    told = {"channel": birth.channel, "report": code}
    return Done("report-again", state, state, birth.reporter, "reporter", birth.at, None, told)


def _with(life: Life, more: list[Done]) -> Life:
    return replace(life, steps=tuple(sorted((*life.steps, *more), key=lambda one: one.at))) if more else life
