"""What a city counts, and which counts its indicators divide.

Each count is a CQL2 condition on the layer ``cases``, so that the same words count the cases and list them. Source:
domain facts §1 (indicators); what 应处置, 应结案 … mean, and the denominators of 返工率, 延期率 and 立案率, differ
from city to city, hence ``grid.evaluation`` in ``config.yml``.
"""

from dataclasses import dataclass, field

from layers.catalogue import Text

_DUE = "(deadline <= now() OR used_seconds > limit_seconds)"
_LIVE = "state <> 'void'"


@dataclass(frozen=True, slots=True)
class CountRule:
    """Cases that fulfil ``condition``; ``act`` is the step whose actor answers for them, for posts and persons."""

    title: Text
    condition: str
    act: str


@dataclass(frozen=True, slots=True)
class IndicatorRule:
    """The share of one count in another."""

    title: Text
    numerator: str
    denominator: str


_VALID = "(filed_at IS NOT NULL OR state = 'self-handled')"
_SENT = f"dispatched_at IS NOT NULL AND {_LIVE}"

COUNTS: dict[str, CountRule] = {
    "reported": CountRule(Text("上报", "Reported"), "reported_at IS NOT NULL", "report"),
    "valid": CountRule(Text("有效上报", "Reported rightly"), _VALID, "report"),
    "accepted": CountRule(Text("受理", "Accepted"), "accepted_at IS NOT NULL", "accept"),
    "filed": CountRule(Text("立案", "Filed"), "filed_at IS NOT NULL", "file"),
    "filed-on-time": CountRule(Text("按时立案", "Filed on time"), "filed_at <= filing_due", "file"),
    "dispatch-due": CountRule(Text("应派遣", "To be dispatched"), f"filed_at IS NOT NULL AND {_LIVE}", "dispatch"),
    "dispatched": CountRule(Text("派遣", "Dispatched"), _SENT, "dispatch"),
    "dispatched-well": CountRule(
        Text("准确派遣", "Dispatched to the right department"),
        f"{_SENT} AND returns = 0", "dispatch",
    ),
    "handling-due": CountRule(
        Text("应处置", "To be handled"),
        f"{_SENT} AND (handled_at IS NOT NULL OR {_DUE})", "handle",
    ),
    "handled": CountRule(
        Text("处置", "Handled"), f"{_SENT} AND handled_at IS NOT NULL", "handle"
    ),
    "handled-on-time": CountRule(
        Text("按期处置", "Handled on time"),
        f"{_SENT} AND handled_at IS NOT NULL AND used_seconds <= limit_seconds", "handle",
    ),
    "closing-due": CountRule(
        Text("应结案", "To be closed"),
        f"filed_at IS NOT NULL AND {_LIVE} AND (state = 'closed' OR check_due <= now() OR {_DUE})", "handle",
    ),
    "closed": CountRule(Text("结案", "Closed"), "filed_at IS NOT NULL AND state = 'closed'", "handle"),
    "closed-on-time": CountRule(
        Text("按期结案", "Closed on time"),
        "filed_at IS NOT NULL AND state = 'closed' AND used_seconds <= limit_seconds", "handle",
    ),
    "check-due": CountRule(
        Text("应核查", "To be checked"),
        f"handled_at IS NOT NULL AND {_LIVE} AND (checked_at IS NOT NULL OR check_due <= now())", "check",
    ),
    "checked-on-time": CountRule(
        Text("按时核查", "Checked on time"), f"handled_at IS NOT NULL AND {_LIVE} AND checked_at <= check_due", "check"
    ),
    "reworked": CountRule(Text("返工", "Reworked"), f"{_SENT} AND reworks > 0", "handle"),
    "extended": CountRule(Text("延期", "Extended"), f"{_SENT} AND extensions > 0", "handle"),
}  # fmt: skip

INDICATORS: dict[str, IndicatorRule] = {
    "handling-rate": IndicatorRule(Text("处置率", "Handling rate"), "handled", "handling-due"),
    "handling-on-time-rate": IndicatorRule(
        Text("按期处置率", "Rate of handling on time"), "handled-on-time", "handling-due"
    ),
    "closing-rate": IndicatorRule(Text("结案率", "Closing rate"), "closed", "closing-due"),
    "closing-on-time-rate": IndicatorRule(
        Text("按期结案率", "Rate of closing on time"), "closed-on-time", "closing-due"
    ),
    "filing-on-time-rate": IndicatorRule(Text("按时立案率", "Rate of filing on time"), "filed-on-time", "filed"),
    "right-dispatch-rate": IndicatorRule(
        Text("准确派遣率", "Rate of right dispatch"), "dispatched-well", "dispatch-due"
    ),
    "check-on-time-rate": IndicatorRule(Text("按期核查率", "Rate of checking on time"), "checked-on-time", "check-due"),
    "valid-report-rate": IndicatorRule(Text("有效上报率", "Rate of right reports"), "valid", "reported"),
    "rework-rate": IndicatorRule(Text("返工率", "Rework rate"), "reworked", "dispatched"),
    "extension-rate": IndicatorRule(Text("延期率", "Extension rate"), "extended", "dispatched"),
    "filing-rate": IndicatorRule(Text("立案率", "Filing rate"), "filed", "accepted"),
}


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """The counts and indicators of a city, by name; hot spots are those of the last ``hot_spot_days``."""

    counts: dict[str, CountRule] = field(default_factory=lambda: dict(COUNTS))
    indicators: dict[str, IndicatorRule] = field(default_factory=lambda: dict(INDICATORS))
    hot_spot_days: int = 90
