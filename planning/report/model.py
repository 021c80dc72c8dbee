"""What a report tells of: a kept check, the parcel's points, and the life of its red line if it is one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import shapely
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.crs import transformer
from layers.registry import load_layers
from planning.check.answers import Conflict
from planning.check.inputs import subject_again
from planning.check.store import Change, Kept, changes_since, kept_check, latest_check
from planning.errors import PlanningError
from planning.publicity.reading import Notice, notices_of
from planning.publicity.summary import CommentSummary, summarise
from planning.redline.answers import Step
from planning.redline.history import steps_of
from planning.redline.reading import RedLine, find_redline
from planning.survey.parcel import Parcel, parcel_of
from planning.survey.zones import Zone

Language = Literal["zh-CN", "en-US"]


@dataclass(frozen=True)
class Report:
    """Everything that is written down. ``stale``: what changed near the parcel since the check.
    ``layers`` are the catalogue's; ``publicity`` are the notices of the red line, with what the public said."""

    kept: Kept
    parcels: tuple[Parcel, ...]
    line: RedLine | None
    steps: tuple[Step, ...]
    stale: tuple[Change, ...]
    language: Language
    layers: Mapping[str, Layer]
    publicity: tuple[tuple[Notice, CommentSummary], ...] = ()

    @property
    def zone(self) -> Zone:
        """The zone of the survey."""
        return self.parcels[0].zone

    @property
    def shape(self) -> Any:
        """All parcels in the plane of the zone, as shapely."""
        return shapely.multipolygons([parcel.polygon for parcel in self.parcels])

    def say(self, text: Text) -> str:
        """The text in the report's language."""
        return text.zh if self.language == "zh-CN" else text.en

    def title(self, layer: str, field: str | None = None, code: str | None = None) -> str:
        """What a layer is called, with what a code of a field of it means."""
        found = self.layers.get(layer)
        if found is None:
            return " ".join(filter(None, (layer, code)))
        domain = next((f.domain for f in found.fields if f.name == field), None) or {}
        meaning = self.say(domain[code]) if code and code in domain else code
        return " ".join(filter(None, (self.say(found.title), meaning)))

    def pieces(self) -> Iterator[tuple[Conflict, Any]]:
        """The conflicts, each with its piece of ground in the plane of the zone as shapely."""
        way = transformer(4490, self.zone.srid).transform
        for conflict in self.kept.result.conflicts:
            shape = shapely.geometry.shape(conflict.geometry)
            yield conflict, shapely.transform(shape, way, interleaved=False)


def report_of(conn: Connection, redline: str | None, check: int | None, language: Language) -> Report:
    """The report of a check, or of a red line's newest one. Raises :class:`PlanningError` where there is none."""
    if (redline is None) == (check is None):
        raise PlanningError("请给出 redline 或 check 之一", "give one of 'redline' and 'check'")
    line = find_redline(conn, redline) if redline is not None else None
    if line is not None:
        check = latest_check(conn, line.id)
        if check is None:
            raise PlanningError(
                f"用地红线 {line.number} 尚未检查，请先执行 check-redline",
                f"red line {line.number} was never checked: execute check-redline first",
            )
    assert check is not None
    kept = kept_check(conn, check)
    if line is None and kept.inputs["number"]:
        line = find_redline(conn, kept.inputs["number"])
    steps = steps_of(conn, line)[0] if line else ()
    stale = changes_since(conn, kept.id)
    return Report(kept, _parcels(kept, line), line, steps, stale, language, load_layers(conn), _publicity(conn, line))


def _publicity(conn: Connection, line: RedLine | None) -> tuple[tuple[Notice, CommentSummary], ...]:
    """Of who may see the queue all comments count, of others the published ones."""
    if line is None:
        return ()
    table = "notice_comments" if load_layers(conn, ["notice-comments"]) else "published_comments"
    return tuple((notice, summarise(conn, notice.number, table)) for notice in notices_of(conn, line.number))


def _parcels(kept: Kept, line: RedLine | None) -> tuple[Parcel, ...]:
    """Points as surveyed while the red line is what was checked, else numbered from the north-west."""
    subject = subject_again(kept)
    if line is not None and line.shape.equals_exact(subject.shape):
        return line.parcels
    parts = shapely.get_parts(subject.shape)
    return tuple(parcel_of(part, subject.zone, number=subject.number or f"#{kept.id}") for part in parts)
