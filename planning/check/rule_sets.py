"""The rule sets of a check: each is one statement, and what its rows mean for the parcel."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.crs import transformer
from planning.boundary.answers import as_geojsons
from planning.check.answers import Conflict, PlotPart, Seen
from planning.check.pieces import Piece, line_of, piece_of
from planning.check.queries import MAX_ROWS, ask, near, source
from planning.check.subject import Subject
from planning.errors import PlanningError
from planning.plan.land_codes import LandCode, LandCodes

_VERSIONED = ("kind", "code", "name", "plan", "version", "status", "approved_on", "superseded_on")
_PLOT = ("plot", "scheme", "land_code", "land_use", "plan", "version", "status", "approved_on", "superseded_on",
         "far_max", "density_max", "green_min", "height_max")  # fmt: skip
_UNPLANNED = Text("该部分不在已批准的控规地块内", "No approved control plan covers this part")
_OTHER_USE = Text("用途与控规用地性质不符", "The use is not that of the control plan")


@dataclass(slots=True)
class Found:
    """What the rule sets found so far. ``reach`` is how far the farthest rule looks [m]; ``shapes`` of conflicts."""

    subject: Subject
    codes: LandCodes
    reach: float = 0.0
    conflicts: list[Conflict] = field(default_factory=list)
    shapes: list[Any] = field(default_factory=list)
    plots: list[PlotPart] = field(default_factory=list)
    unknown: list[Text] = field(default_factory=list)
    slivers: int = 0
    sliver_area: float = 0.0

    def piece(self, overlap: Any) -> Piece | None:
        """The part of an overlap that is no sliver; None where all of it is."""
        piece = piece_of(overlap, self.subject.tolerance)
        self.slivers += piece.slivers
        self.sliver_area += piece.sliver_area
        return piece if piece.area else None

    def crossing(self, overlap: Any) -> Piece | None:
        """The part of a line that crosses the parcel; None where it only touches the edge."""
        piece = line_of(overlap, self.subject.deep)
        return piece if piece.length else None

    def share(self, area: float) -> float:
        """Of the parcel's plane area."""
        return round(area / self.subject.area, 6)

    def conflict(
        self, piece: Piece, subject: str, kind: str, rule: str, severity: Any, clause: Text, seen: Seen
    ) -> None:
        """Enter a conflict. Its geometry comes at the end, for all of them at once."""
        area = round(piece.area, 2)
        length = round(piece.length, 2)
        self.conflicts.append(Conflict(subject, kind, rule, severity, clause, seen, area, self.share(area), {}, length))
        self.shapes.append(piece.shape)

    def located(self) -> list[Conflict]:
        """The conflicts with their geometries in degrees."""
        way = transformer(self.subject.zone.srid, 4490).transform
        degrees = shapely.transform(np.array(self.shapes, dtype=object), way, interleaved=False)
        found = zip(self.conflicts, as_geojsons(degrees), strict=True)
        return [replace(conflict, geometry=geometry) for conflict, geometry in found]


def check_lines(conn: Connection, layer: Layer, found: Found) -> None:
    """Control lines and zones, by the rules of their kinds."""
    subject, as_of = found.subject, found.subject.as_of is not None
    parts = {
        "near": near(layer, _VERSIONED, as_of),
        "all": source(layer, ("kind", "status", "approved_on", "superseded_on"), as_of),
    }
    for row in _bounded(ask(conn, "lines", subject, found.reach, parts, layer=layer.id), layer):
        if not row.known:
            found.unknown.append(_no_such_kind(layer, row.kind, Text(row.zh, row.en)))
            continue
        if row.rule == "allowed-uses" and not _is_conflict(found, row):
            continue
        piece = found.piece(shapely.from_wkb(bytes(row.piece)))
        if piece is not None:
            seen = _seen(layer.id, row, row.code, row.name)
            found.conflict(piece, layer.id, row.kind, row.rule, row.severity, Text(row.zh, row.en), seen)


def check_open_lines(conn: Connection, layer: Layer, found: Found) -> None:
    """Control lines drawn as lines: whether the parcel crosses them, or keeps less than their distance."""
    parts = {"near": near(layer, _VERSIONED, found.subject.as_of is not None)}
    for row in _bounded(ask(conn, "open_lines", found.subject, found.reach, parts), layer):
        if row.rule == "allowed-uses" and not _is_conflict(found, row):
            continue
        overlap = shapely.from_wkb(bytes(row.piece))
        piece = found.piece(overlap) if row.rule == "keep-distance" else found.crossing(overlap)
        if piece is not None:
            seen = _seen(layer.id, row, row.code, row.name)
            found.conflict(piece, layer.id, row.kind, row.rule, row.severity, Text(row.zh, row.en), seen)


def check_plan(conn: Connection, layer: Layer, found: Found) -> None:
    """Plots of the control plan: their uses, and what of the parcel none of them covers."""
    subject = found.subject
    rows = _bounded(ask(conn, "plots", subject, 0, {"near": near(layer, _PLOT, subject.as_of is not None)}), layer)
    for row in rows:
        piece = found.piece(shapely.from_wkb(bytes(row.piece)))
        if piece is None:
            continue
        numbers = (row.far_max, row.density_max, row.green_min, row.height_max)
        words = (row.plot, row.scheme, row.land_code, row.land_use, row.plan, row.version)
        found.plots.append(PlotPart(*words, *numbers, round(piece.area, 2), found.share(piece.area)))
        planned = LandCode(row.scheme or "", row.land_code or "")
        fit = found.codes.fit(subject.use, planned) if subject.use.code else "fits"
        if fit == "unknown":
            found.unknown.append(_no_mapping(subject.use, planned, row.plot))
        elif fit == "differs":
            seen = _seen(layer.id, row, row.plot, row.land_use)
            clause = Text(f"{_OTHER_USE.zh}（{row.land_code} {row.land_use}）", f"{_OTHER_USE.en} ({row.land_code})")
            found.conflict(piece, layer.id, "land-use", "allowed-uses", "blocking", clause, seen)
    # Of the whole plots, not of their pieces: the corners of pieces are rounded, which would leave hairlines.
    planned_ground = shapely.union_all([shapely.from_wkb(bytes(row.whole)) for row in rows]) if rows else None
    rest = subject.shape if planned_ground is None else shapely.difference(subject.shape, planned_ground)
    if (piece := found.piece(rest)) is not None:
        none = Seen(layer.id, *[None] * 7)
        found.conflict(piece, layer.id, "unplanned", "must-lie-inside", "warning", _UNPLANNED, none)


def check_redlines(conn: Connection, layer: Layer, found: Found) -> None:
    """Other red lines: those given out block, those applied for warn."""
    subject = found.subject
    parts = {"near": near(layer, ("number", "name", "status"), subject.as_of is not None)}
    asked = ask(conn, "redlines", subject, 0, parts, number=subject.number, parents=list(subject.parents))
    for row in _bounded(asked, layer):
        piece = found.piece(shapely.from_wkb(bytes(row.piece)))
        if piece is None:
            continue
        clause = (
            Text(f"与已批准的用地红线 {row.number} 重叠", f"It overlaps the approved red line {row.number}")
            if row.allocated
            else Text(
                f"与申请中的用地红线 {row.number} 重叠", f"It overlaps red line {row.number}, which is applied for"
            )
        )
        seen = _seen(layer.id, row, row.number, row.name)
        severity = "blocking" if row.allocated else "warning"
        found.conflict(piece, layer.id, row.status, "must-not-overlap", severity, clause, seen)


def _is_conflict(found: Found, row: Any) -> bool:
    """Whether the parcel's use is none of those that a rule allows; what cannot be told is entered as unknown."""
    allowed = [LandCode(row.scheme, code) for code in row.allowed]
    fit = found.codes.fits_any(found.subject.use, allowed)
    if fit == "unknown":
        found.unknown.append(_no_mapping(found.subject.use, LandCode(row.scheme, " ".join(row.allowed)), row.name))
    return fit == "differs"


def _seen(layer: str, row: Any, code: str | None, name: str | None) -> Seen:
    known: Mapping[str, Any] = row._mapping
    since = row.valid_from.isoformat() if row.valid_from else None
    return Seen(layer, row.id, row.revision, code, name, known.get("plan"), known.get("version"), since)


def _no_such_kind(layer: Layer, kind: str, clause: Text) -> Text:
    return Text(
        f"图层 {layer.id} 没有 {kind}，不能判断：{clause.zh}",
        f"layer {layer.id} has no {kind}, so this could not be judged: {clause.en}",
    )


def _no_mapping(use: LandCode, planned: LandCode, where: str | None) -> Text:
    if not use.code:
        zh, en = "没有给出用途", "no use was given"
    else:
        zh = f"用途 {use.code}（{use.scheme}）与 {planned.code}（{planned.scheme}）之间没有确定的对应"
        en = f"no mapping decides between {use.code} ({use.scheme}) and {planned.code} ({planned.scheme})"
    return Text(f"{where}：{zh}，不能判断用途", f"{where}: {en}, so the use could not be judged")


def _bounded(rows: list[Any], layer: Layer) -> list[Any]:
    if len(rows) > MAX_ROWS:
        raise PlanningError(
            f"红线范围内 {layer.id} 的要素超过 {MAX_ROWS} 个，请分块检查",
            f"the parcel meets more than {MAX_ROWS} features of {layer.id}; check it in parts",
        )
    return rows
