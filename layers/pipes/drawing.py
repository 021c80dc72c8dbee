"""Draws sections as SVG: ground, pipes in the colours of their kinds, and a table of levels below, as surveyors do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from layers.pipes.section_answers import CrossPipe, GroundPoint, LongPipe, SectionNode
from layers.pipes.standards import Standards

_WIDTH, _HEIGHT = 1000, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 110, 40, 46, 30
_ROW = 20
_GROUND, _EARTH, _INK, _FAINT = "#7a5c2e", "#f3ead9", "#222222", "#cccccc"
#: Least distance between two columns of the table [px].
_APART = 34


@dataclass(slots=True)
class _Sheet:
    """From distances and levels [m] to the sheet [px]; ``parts`` are its elements."""

    length: float
    low: float
    high: float
    rows: int
    parts: list[str] = field(default_factory=list)

    def x(self, distance: float) -> float:
        return _LEFT + distance / self.length * (_WIDTH - _LEFT - _RIGHT)

    def y(self, level: float) -> float:
        return _TOP + (self.high - level) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1.5, dash: str = "") -> None:
        """A line through (distance, level)."""
        where = " ".join(f"{self.x(d):.1f},{self.y(z):.1f}" for d, z in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{where}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>')

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        where = " ".join(f"{self.x(d):.1f},{self.y(z):.1f}" for d, z in points)
        self.parts.append(f'<polygon points="{where}" fill="{colour}" fill-opacity="{opacity}" stroke="none"/>')

    def text(self, x: float, y: float, words: str, anchor: str = "middle", size: int = 11) -> None:
        """Words at a place of the sheet [px]."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def svg(self) -> str:
        height = _HEIGHT + self.rows * _ROW + 16
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" font-family="Noto Sans CJK SC, Noto Serif CJK SC, Microsoft YaHei, sans-serif" '
            f'fill="{_INK}"><rect width="100%" height="100%" fill="#ffffff"/>{"".join(self.parts)}</svg>'
        )


def long_section(
    title: str, length: float, ground: Sequence[GroundPoint], pipes: Sequence[LongPipe], nodes: Sequence[SectionNode],
    crossing: Sequence[CrossPipe], standards: Standards,
) -> str:  # fmt: skip
    """The section along a way as SVG."""
    levels = [p.height for p in ground] + [z for n in nodes for z in (n.ground, n.bottom)]
    levels += [z for p in pipes for z in (p.start_invert, p.end_invert, p.start_top, p.end_top)]
    levels += [z for c in crossing for z in (c.invert, c.top)]
    sheet = _sheet(title, length, levels, rows=5)
    _ground(sheet, ground)
    for pipe in pipes:
        _band(sheet, pipe, standards.kind(pipe.kind).colour)
    for met in crossing:
        _round(sheet, met, standards.kind(met.kind).colour)
    for node in nodes:
        known = [z for z in (node.ground, node.bottom) if z is not None]
        if len(known) == 2:
            sheet.line([(node.distance, known[0]), (node.distance, known[1])], _INK, 1.0)
    _table(sheet, pipes, nodes)
    return sheet.svg()


def cross_section(
    title: str, length: float, ground: Sequence[GroundPoint], pipes: Sequence[CrossPipe], standards: Standards
) -> str:
    """The section across pipes as SVG."""
    levels = [p.height for p in ground] + [z for c in pipes for z in (c.invert, c.top, c.ground)]
    sheet = _sheet(title, length, levels, rows=5)
    _ground(sheet, ground)
    last = -float(_APART)
    for name, row in zip(("种类", "距离 m", "管底 m", "覆土 m", "规格 mm"), range(5), strict=True):
        sheet.text(8, _HEIGHT + row * _ROW + 6, name, "start")
    for pipe in pipes:
        kind = standards.kind(pipe.kind)
        _round(sheet, pipe, kind.colour)
        x = max(sheet.x(pipe.distance), last + _APART)
        last = x
        cells = (kind.zh, f"{pipe.distance:.2f}", _told(pipe.invert), _told(pipe.cover), _size(pipe.diameter))
        for row, cell in enumerate(cells):
            sheet.text(x, _HEIGHT + row * _ROW + 6, cell)
    return sheet.svg()


def _sheet(title: str, length: float, levels: Sequence[float | None], rows: int) -> _Sheet:
    """A sheet with its axis of levels."""
    known = [z for z in levels if z is not None] or [0.0, 1.0]
    margin = max(0.5, 0.08 * (max(known) - min(known)))
    sheet = _Sheet(max(length, 0.01), min(known) - margin, max(known) + margin, rows)
    sheet.text(_WIDTH / 2, 24, title, size=15)
    step = _step(sheet.high - sheet.low)
    level = step * (sheet.low // step + 1)
    while level < sheet.high:
        sheet.line([(0, level), (sheet.length, level)], _FAINT, 0.5)
        sheet.text(_LEFT - 8, sheet.y(level) + 4, f"{level:.2f}".rstrip("0").rstrip("."), "end")
        level += step
    sheet.text(_LEFT - 8, _TOP - 8, "高程 m", "end")
    return sheet


def _step(span: float) -> float:
    """A round distance between lines of level: about eight of them."""
    size: float = 10.0 ** int(f"{span / 8:e}".partition("e")[2])
    return next(size * k for k in (1, 2, 5, 10) if size * k >= span / 8)


def _ground(sheet: _Sheet, ground: Sequence[GroundPoint]) -> None:
    """The ground, in one line for each stretch where it is known."""
    stretch: list[tuple[float, float]] = []
    for point in [*ground, GroundPoint(0.0, None)]:
        if point.height is not None:
            stretch.append((point.distance, point.height))
        elif stretch:
            sheet.area([*stretch, (stretch[-1][0], sheet.low), (stretch[0][0], sheet.low)], _EARTH, 0.7)
            sheet.line(stretch, _GROUND, 2.0)
            stretch = []


def _band(sheet: _Sheet, pipe: LongPipe, colour: str) -> None:
    ends = (pipe.start_invert, pipe.end_invert, pipe.start_top, pipe.end_top)
    start_invert, end_invert, start_top, end_top = ends
    if start_invert is None or end_invert is None:
        return
    bottom = [(pipe.start, start_invert), (pipe.end, end_invert)]
    if start_top is not None and end_top is not None:
        top = [(pipe.start, start_top), (pipe.end, end_top)]
        sheet.area([*bottom, *reversed(top)], colour, 0.35)
        sheet.line(top, colour, 1.2)
    sheet.line(bottom, colour, 2.0)


def _round(sheet: _Sheet, pipe: CrossPipe, colour: str) -> None:
    """A pipe that is cut through: as high as it is at the sheet's scale, and at least to be seen."""
    if pipe.invert is None:
        return
    top = pipe.top if pipe.top is not None else pipe.invert
    high = max(3.0, (sheet.y(pipe.invert) - sheet.y(top)) / 2)
    wide = max(3.0, min(high, sheet.x(pipe.diameter / 2000) - sheet.x(0)) if pipe.diameter else 3.0)
    x, y = sheet.x(pipe.distance), (sheet.y(pipe.invert) + sheet.y(top)) / 2
    sheet.parts.append(
        f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{wide:.1f}" ry="{high:.1f}" fill="{colour}" fill-opacity="0.55" '
        f'stroke="{colour}" stroke-width="1.5"/>'
    )


def _table(sheet: _Sheet, pipes: Sequence[LongPipe], nodes: Sequence[SectionNode]) -> None:
    """Levels below the nodes, size and slope below the pipes; what has no room is left out."""
    for row, name in enumerate(("距离 m", "地面 m", "管底 m", "点号", "规格 坡度")):
        sheet.text(8, _HEIGHT + row * _ROW + 6, name, "start")
    last = -float(_APART)
    for node in nodes:
        x = sheet.x(node.distance)
        if x - last >= 2 * _APART:
            last = x
            cells = (f"{node.distance:.1f}", _told(node.ground), _told(node.bottom), (node.node or "")[-9:])
            for row, cell in enumerate(cells):
                sheet.text(x, _HEIGHT + row * _ROW + 6, cell, size=10)
    last = -float(_APART)
    for pipe in pipes:
        x = sheet.x((pipe.start + pipe.end) / 2)
        if x - last >= 2.5 * _APART and sheet.x(pipe.end) - sheet.x(pipe.start) > 8:
            last = x
            slope = "" if pipe.slope is None else f" {pipe.slope:.1f}‰"
            sheet.text(x, _HEIGHT + 4 * _ROW + 6, f"{_size(pipe.diameter)}{slope}", size=10)


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _size(diameter: float | None) -> str:
    return "–" if diameter is None else f"DN{diameter:.0f}"
