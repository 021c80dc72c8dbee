"""Kinds of pipelines (CJJ 61-2017 appendix B) and the clearances between them, as data.

The files beside this module are what a new database begins with; the server reads the tables ``citymap.pipe_kinds``
and ``citymap.pipe_clearances``. The clearances are those of the tables of least distances between underground pipelines
at jianbiaoku.com, webarbs/book/9072 (appended tables 1 and 2), gas at medium pressure, cables and heat laid directly.
The least covers could not be read in a source: they are what is commonly asked below a carriageway, to be checked.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, Literal

from sqlalchemy import Connection, text

type Flow = Literal["gravity", "pressure", "none"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of pipeline. ``cover`` is the least [m]; ``depth_to`` says where a depth is measured to."""

    code: str
    major: str
    zh: str
    en: str
    colour: str
    flow: Flow
    depth_to: Literal["invert", "top"]
    cover: float | None


@dataclass(frozen=True, slots=True)
class Clearance:
    """Least distances [m] between the outsides of pipes of two kinds, or None."""

    horizontal: float | None
    vertical: float | None


@dataclass(frozen=True, slots=True)
class Standards:
    """Kinds by code, and clearances by two codes of kinds or major kinds."""

    kinds: Mapping[str, Kind]
    clearances: Mapping[tuple[str, str], Clearance]

    def unverified(self) -> tuple[str, ...]:
        """Which of ``cover`` and ``clearance`` are as they were shipped, for which no standard's text was read."""
        covers = {kind.code: kind.cover for kind in shipped_kinds()}
        same = all(self.kinds[code].cover == cover for code, cover in covers.items() if code in self.kinds)
        found = ["cover"] if same else []
        return (*found, *(["clearance"] if dict(self.clearances) == shipped_clearances() else []))

    def kind(self, code: str | None) -> Kind:
        """The kind of that code; of an unknown one, an unidentified pipeline."""
        return self.kinds.get(code or "") or _UNKNOWN

    def clearance(self, kind: str, other: str) -> Clearance | None:
        """What must lie between two kinds: what is said of them, else of their major kinds."""
        for a in (kind, self.kind(kind).major):
            for b in (other, self.kind(other).major):
                found = self.clearances.get((a, b)) or self.clearances.get((b, a))
                if found is not None:
                    return found
        return None


_UNKNOWN = Kind("BM", "QT", "不明管线", "Unidentified", "#6600cc", "none", "top", None)


def shipped_kinds() -> list[Kind]:
    """The kinds that a new database begins with."""
    return [Kind(**{**row, "cover": _number(row["cover"])}) for row in _rows("kinds.csv")]


def shipped_clearances() -> dict[tuple[str, str], Clearance]:
    """The clearances that a new database begins with."""
    rows = _rows("clearances.csv")
    return {(r["kind"], r["other"]): Clearance(_number(r["horizontal"]), _number(r["vertical"])) for r in rows}


def store_shipped(conn: Connection) -> None:
    """Fill the two tables."""
    names = [field.name for field in fields(Kind)]
    insert = f"INSERT INTO citymap.pipe_kinds ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})"
    conn.execute(text(insert), [{name: getattr(kind, name) for name in names} for kind in shipped_kinds()])
    conn.execute(
        text("INSERT INTO citymap.pipe_clearances VALUES (:kind, :other, :horizontal, :vertical)"),
        [
            {"kind": kind, "other": other, "horizontal": least.horizontal, "vertical": least.vertical}
            for (kind, other), least in shipped_clearances().items()
        ],
    )


def read_standards(conn: Connection) -> Standards:
    """What the city's tables say."""
    names = [field.name for field in fields(Kind)]
    kinds = conn.execute(text(f"SELECT {', '.join(names)} FROM citymap.pipe_kinds")).mappings()
    clearances = conn.execute(text("SELECT kind, other, horizontal, vertical FROM citymap.pipe_clearances"))
    return Standards(
        {row["code"]: Kind(**row) for row in kinds},
        {(kind, other): Clearance(horizontal, vertical) for kind, other, horizontal, vertical in clearances},
    )


def _rows(name: str) -> list[dict[str, Any]]:
    lines = files("layers.pipes").joinpath(name).read_text("utf-8").splitlines()
    return list(csv.DictReader(lines))


def _number(value: str) -> float | None:
    return float(value) if value else None
