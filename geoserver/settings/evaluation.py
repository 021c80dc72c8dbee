"""``grid.evaluation``: 综合评价 what a city counts and divides, beside or in place of what ships."""

from typing import Literal

from pydantic import Field, field_validator

from geoserver.settings.groups import Group
from grid.evaluation.options import COUNTS, INDICATORS, CountRule, EvaluationOptions, IndicatorRule
from layers.catalogue import Text
from layers.cql2 import parse

Act = Literal["report", "verify", "accept", "file", "dispatch", "handle", "feedback", "check", "close"]


class Count(Group):
    """Cases that fulfil a condition of CQL2."""

    zh: str = Field(min_length=1, max_length=80)
    en: str = Field(min_length=1, max_length=80)
    condition: str = Field(
        min_length=1, max_length=4000, description="CQL2 text on the layer cases; now() is the present"
    )
    act: Act = Field(default="handle", description="whoever did it answers for the case, by post and person")

    @field_validator("condition")
    @classmethod
    def _is_cql2(cls, condition: str) -> str:
        parse(condition, "cql2-text")
        return condition


class Indicator(Group):
    """The share of one count in another."""

    zh: str = Field(min_length=1, max_length=80)
    en: str = Field(min_length=1, max_length=80)
    numerator: str = Field(min_length=1, max_length=80)
    denominator: str = Field(min_length=1, max_length=80)


class Evaluation(Group):
    """综合评价 evaluation: counts and indicators of the same name take the place of those that ship."""

    counts: dict[str, Count] = Field(default_factory=dict, max_length=60)
    indicators: dict[str, Indicator] = Field(default_factory=dict, max_length=60)
    hot_spot_days: int = Field(default=90, ge=1, le=3660, description="whose cases the layer case-hot-spots counts [d]")

    @field_validator("indicators")
    @classmethod
    def _divide_counts(cls, indicators: dict[str, Indicator], info: object) -> dict[str, Indicator]:
        known = {*COUNTS, *getattr(info, "data", {}).get("counts", {})}
        names = ", ".join(sorted(known))
        for name, one in indicators.items():
            for count in (one.numerator, one.denominator):
                if count not in known:
                    raise ValueError(f"indicator {name!r} names the count {count!r}; there are {names}")
        return indicators

    def for_processes(self) -> EvaluationOptions:
        """The same as the process takes it."""
        counts = {n: CountRule(Text(c.zh, c.en), c.condition, c.act) for n, c in self.counts.items()}
        indicators = {
            n: IndicatorRule(Text(i.zh, i.en), i.numerator, i.denominator) for n, i in self.indicators.items()
        }
        return EvaluationOptions({**COUNTS, **counts}, {**INDICATORS, **indicators}, self.hot_spot_days)
