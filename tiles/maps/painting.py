"""Paints fills, lines and circles of MapLibre style layers with Agg: antialiased, with joins, caps and dashes.

Features that look alike are painted as one path.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

from tiles.maps.expressions import Context, UnknownExpression, colour, depends_on_feature, evaluate
from tiles.maps.mvt import Shape

_RENDERER: Any = RendererAgg  # its methods have no types

type Part = NDArray[np.float64]
type Look = tuple[Any, ...]

_CAPS = {"butt": "butt", "round": "round", "square": "projecting"}
_TURN = np.linspace(0, math.tau, 25)
_CIRCLE = np.column_stack([np.cos(_TURN), np.sin(_TURN)])
#: Agg fails on paths with more vertices than some hundred thousand.
_MOST_VERTICES = 100_000


class Canvas:
    """A picture that style layers are painted on, one after the other."""

    def __init__(self, width: int, height: int, zoom: float) -> None:
        self._agg: Any = _RENDERER(width, height, 72)  # so that a point is a pixel
        self._height = height
        self._zoom = zoom

    def pixels(self) -> NDArray[np.uint8]:
        """(row, column, 4)."""
        return np.array(self._agg.buffer_rgba())

    def paint(self, style: Mapping[str, Any], shapes: Iterable[Shape]) -> None:
        """Paint features (in pixels, rows downward) by a style layer of type fill, line or circle."""
        painter = {"fill": self._fill, "line": self._line, "circle": self._circle}.get(style["type"])
        if painter is None or not visible_at(style, self._zoom):
            return
        groups: dict[Look, list[Shape]] = {}
        for shape in chosen(style, shapes, self._zoom):
            groups.setdefault(self._look(style, shape), []).append(shape)
        for look in sorted(groups, key=lambda each: each[0]):
            painter(dict(zip(_LOOKS[style["type"]], look[1:], strict=True)), groups[look])

    def _look(self, style: Mapping[str, Any], shape: Shape) -> Look:
        """The sort key, and the values of the paint that the type has."""
        context = Context(shape.fields, shape.kind, self._zoom)
        layout, paint = style.get("layout", {}), style.get("paint", {})
        values = [value_of({**paint, **layout}, name, _DEFAULTS.get(name), context) for name in _LOOKS[style["type"]]]
        order = value_of(layout, f"{style['type']}-sort-key", 0, context)
        return (order or 0, *(tuple(v) if isinstance(v, list) else v for v in values))

    def _fill(self, look: Mapping[str, Any], shapes: Sequence[Shape]) -> None:
        rings = [ring for shape in shapes if shape.kind == "Polygon" for ring in shape.parts]
        face = _faded(look["fill-color"], look["fill-opacity"])
        outline = look["fill-outline-color"]
        self._draw(rings, True, face, _faded(outline, look["fill-opacity"]) if outline else None, 1.0)

    def _line(self, look: Mapping[str, Any], shapes: Sequence[Shape]) -> None:
        width = float(look["line-width"] or 0)
        ink = _faded(look["line-color"], look["line-opacity"])
        dashes = look["line-dasharray"]
        for kind in ("LineString", "Polygon"):
            lines = [part for shape in shapes if shape.kind == kind for part in shape.parts]
            self._draw(lines, kind == "Polygon", None, ink, width, look["line-cap"], look["line-join"],
                       [max(d * width, 0.1) for d in dashes] if dashes else None)  # fmt: skip

    def _circle(self, look: Mapping[str, Any], shapes: Sequence[Shape]) -> None:
        radius = float(look["circle-radius"] or 0)
        points = [part[0] for shape in shapes if shape.kind == "Point" for part in shape.parts]
        rings = [point + radius * _CIRCLE for point in points]
        opacity, rim = look["circle-opacity"], float(look["circle-stroke-width"] or 0)
        ink = _faded(look["circle-stroke-color"], 1) if rim else None
        self._draw(rings, True, _faded(look["circle-color"], opacity), ink, rim)

    def _draw(
        self,
        parts: Sequence[Part],
        closed: bool,
        face: tuple[float, ...] | None,
        ink: tuple[float, ...] | None,
        width: float,
        cap: str = "butt",
        join: str = "miter",
        dashes: Sequence[float] | None = None,
    ) -> None:
        if (ink is None or width <= 0) and face is None:
            return
        context = self._agg.new_gc()
        context.set_linewidth(width if ink else 0)
        context.set_foreground(ink or (0, 0, 0, 0), isRGBA=True)
        context.set_capstyle(_CAPS.get(cap, "butt"))
        context.set_joinstyle(join if join in ("miter", "round", "bevel") else "miter")
        if dashes:
            context.set_dashes(0, [*dashes, *dashes] if len(dashes) % 2 else list(dashes))
        for path in self._paths(parts, closed):
            self._agg.draw_path(context, path, IdentityTransform(), face)
        context.restore()

    def _paths(self, parts: Sequence[Part], closed: bool) -> Iterable[Path]:
        """The parts as few paths; Agg counts rows upward."""
        some: list[Part] = []
        count = 0
        for part in parts:
            if len(part) < 2:
                continue
            some.append(part)
            count += len(part)
            if count > _MOST_VERTICES:
                yield self._path(some, closed)
                some, count = [], 0
        if some:
            yield self._path(some, closed)

    def _path(self, parts: Sequence[Part], closed: bool) -> Path:
        whole = [np.concatenate([part, part[:1]]) for part in parts] if closed else list(parts)
        vertices = np.concatenate(whole)
        vertices[:, 1] = self._height - vertices[:, 1]
        lengths = np.array([len(part) for part in whole])
        codes = np.full(len(vertices), Path.LINETO, Path.code_type)
        ends = np.cumsum(lengths)
        codes[ends - lengths] = Path.MOVETO
        if closed:
            codes[ends - 1] = Path.CLOSEPOLY
        return Path(vertices, codes)


_LOOKS = {
    "fill": ("fill-color", "fill-opacity", "fill-outline-color"),
    "line": ("line-color", "line-opacity", "line-width", "line-cap", "line-join", "line-dasharray"),
    "circle": ("circle-color", "circle-opacity", "circle-radius", "circle-stroke-color", "circle-stroke-width"),
}
#: The specification's.
_DEFAULTS: Mapping[str, Any] = {
    "fill-color": "#000000", "fill-opacity": 1, "line-color": "#000000", "line-opacity": 1, "line-width": 1,
    "line-cap": "butt", "line-join": "miter", "circle-color": "#000000", "circle-opacity": 1, "circle-radius": 5,
    "circle-stroke-color": "#000000", "circle-stroke-width": 0,
}  # fmt: skip


def visible_at(style: Mapping[str, Any], zoom: float) -> bool:
    """Whether a style layer is drawn at that zoom."""
    return float(style.get("minzoom", 0)) <= zoom < float(style.get("maxzoom", 99))


def chosen(style: Mapping[str, Any], shapes: Iterable[Shape], zoom: float) -> list[Shape]:
    """The features that the style layer's filter lets through."""
    wanted = style.get("filter")
    if wanted is None:
        return list(shapes)
    if not depends_on_feature(wanted):
        return list(shapes) if _truth(wanted, Context({}, "", zoom)) else []
    return [shape for shape in shapes if _truth(wanted, Context(shape.fields, shape.kind, zoom))]


def _truth(wanted: Any, context: Context) -> bool:
    try:
        return bool(evaluate(wanted, context))
    except (UnknownExpression, TypeError, ValueError, KeyError, IndexError):
        return False


def value_of(values: Mapping[str, Any], name: str, default: Any, context: Context) -> Any:
    """A value of paint or layout; the default where it is not given or cannot be worked out."""
    given = values.get(name)
    if given is None:
        return default
    try:
        found = evaluate(given, context)
    except (UnknownExpression, TypeError, ValueError, KeyError, IndexError):
        return default
    return default if found is None else found


def _faded(value: Any, opacity: Any) -> tuple[float, float, float, float]:
    try:
        red, green, blue, alpha = colour(value)
    except ValueError:
        red, green, blue, alpha = 0.0, 0.0, 0.0, 1.0
    return red, green, blue, alpha * min(max(float(opacity), 0.0), 1.0)
