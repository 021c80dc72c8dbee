"""Rules from class and area to department: the most precise one that fits proposes, and says why. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """派遣规则: empty parts fit everything; ``class_code`` fits classes that begin so, ``area`` the codes below it."""

    id: int
    scheme: str
    kind: str
    class_code: str
    area: str
    department: str
    rank: int
    note: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a case the rules look at."""

    scheme: str
    kind: str
    class_code: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A department that a case may go to, and why."""

    department: str
    rule: int
    reason: Text


def proposals(rules: Iterable[Rule], asked: Asked) -> tuple[Proposal, ...]:
    """The departments that fit, the best first: by the class, then by the area that is named most precisely, then by
    rank. Each department is proposed once."""
    fitting = sorted((rule for rule in rules if fits(rule, asked)), key=_order)
    best = {rule.department: rule for rule in reversed(fitting)}
    return tuple(Proposal(rule.department, rule.id, _reason(rule)) for rule in fitting if best[rule.department] is rule)


def fits(rule: Rule, asked: Asked) -> bool:
    """Whether a rule is for the case."""
    return (
        rule.scheme in ("", asked.scheme)
        and rule.kind in ("", asked.kind)
        and (asked.class_code or "").startswith(rule.class_code)
        and (asked.area or "").startswith(rule.area)
    )


def _order(rule: Rule) -> tuple[int, int, int, int]:
    return -len(rule.class_code), -len(rule.area), rule.rank, rule.id


def _reason(rule: Rule) -> Text:
    zh = [f"类别 {rule.class_code}" if rule.class_code else "任何类别", f"区域 {rule.area}" if rule.area else "全市"]
    en = [
        f"class {rule.class_code}" if rule.class_code else "any class",
        f"area {rule.area}" if rule.area else "the whole city",
    ]
    note = f"；{rule.note}" if rule.note else ""
    return Text(
        f"规则 {rule.id}：{'、'.join(zh)} → {rule.department}{note}",
        f"rule {rule.id}: {', '.join(en)} → {rule.department}",
    )
