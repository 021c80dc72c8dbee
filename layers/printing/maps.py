"""Maps on paper: true to a round scale, with outlines drawn as lines, a scale bar and the direction of north."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from fpdf.drawing import PaintedPath
from fpdf.drawing_primitives import DeviceRGB
from fpdf.enums import IntersectionRule

from layers.printing.sheet import Sheet
from layers.processing import CityMaps

#: Scales that maps are drawn at: one to these.
SCALES = tuple(n * 10**e for e in (2, 3, 4, 5) for n in (1, 2, 5))[1:]
#: Pixels in a millimetre of paper: 150 in an inch.
_PIXELS = 150 / 25.4
#: A shape takes no more than this share of the map's sides.
_FILLED = 0.72


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of paper [mm] that shows ground at 1 : ``scale`` around a middle (east, north) [m] of EPSG ``srid``."""

    x: float
    y: float
    width: float
    height: float
    scale: int
    east: float
    north: float
    srid: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the ground [m]."""
        wide, high = (side / 2000 * self.scale for side in (self.width, self.height))
        return self.east - wide, self.north - high, self.east + wide, self.north + high

    def on_paper(self, east: float, north: float) -> tuple[float, float]:
        """Where a point of the ground is on the sheet [mm]."""
        west, _, _, top = self.bounds
        return self.x + (east - west) * 1000 / self.scale, self.y + (top - north) * 1000 / self.scale


def place_for(shape: Any, srid: int, x: float, y: float, width: float, height: float, least: int = SCALES[0]) -> Place:
    """The paper for a shapely shape in metres, at the largest round scale that holds it, at most 1 : ``least``."""
    west, south, east, north = shape.bounds
    needed = max((east - west) / (width * _FILLED), (north - south) / (height * _FILLED)) * 1000
    scale = next((s for s in SCALES if s >= max(needed, least)), SCALES[-1])
    return Place(x, y, width, height, scale, (west + east) / 2, (south + north) / 2, srid)


def draw_ground(sheet: Sheet, place: Place, maps: CityMaps, layers: Sequence[str], language: str) -> None:
    """The city's map, framed."""
    size = round(place.width * _PIXELS), round(place.height * _PIXELS)
    picture = maps.draw(place.bounds, place.srid, size, layers, language)
    sheet.image(io.BytesIO(picture), place.x, place.y, place.width, place.height)
    sheet.rect(place.x, place.y, place.width, place.height)


def draw_shape(sheet: Sheet, place: Place, shape: Any, colour: str, width: float = 0.5, opacity: float = 0.0) -> None:
    """The polygons and lines of a shapely shape [m], drawn so wide [mm]; polygons are filled with an ``opacity``."""
    ink = DeviceRGB(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    with sheet.drawing_context() as drawing:
        for part in shapely.get_parts(shape):
            if part.geom_type not in ("Polygon", "LineString"):
                continue
            area = part.geom_type == "Polygon"
            path = PaintedPath()
            style = path.style
            style.auto_close = area
            style.stroke_color, style.stroke_width = ink, width
            style.fill_color, style.fill_opacity = (ink, opacity) if opacity and area else (None, None)
            style.intersection_rule = IntersectionRule.EVENODD
            for line in (part.exterior, *part.interiors) if area else (part,):
                first, *others = (place.on_paper(*c) for c in shapely.get_coordinates(line))
                path.move_to(*first)
                for point in others:
                    path.line_to(*point)
                if area:
                    path.close()
            drawing.add_item(path)


def draw_points(sheet: Sheet, place: Place, points: Iterable[tuple[str, float, float]]) -> None:
    """Dots with names at (name, east, north)."""
    sheet.set_font("body", size=6.5)
    for name, east, north in points:
        x, y = place.on_paper(east, north)
        sheet.circle(x, y, 0.5, style="DF")
        sheet.text(x + 0.8, y - 0.6, name)


def draw_scale_and_north(sheet: Sheet, place: Place, north: str) -> None:
    """A scale bar of a round length in the lower left, an arrow and the word for north in the upper right."""
    length = next(n * 10**e for e in (4, 3, 2, 1, 0) for n in (5, 2, 1) if n * 10**e * 1000 / place.scale <= 45)
    long = length * 1000 / place.scale
    x, y = place.x + 4, place.y + place.height - 5
    sheet.set_fill_color(255)
    with sheet.local_context(fill_opacity=0.8):
        sheet.rect(x - 2, y - 6, long + 16, 9, style="F")
    sheet.set_font("body", size=7)
    for part, shade in ((0.0, 0), (0.5, 255)):
        sheet.set_fill_color(shade)
        sheet.rect(x + part * long, y - 1, long / 2, 1.4, style="DF")
    sheet.text(x - 0.5, y - 2, "0")
    unit = f"{length} m" if length < 1000 else f"{length // 1000} km"
    sheet.text(x + long - 2, y - 2, f"{unit}   1:{place.scale}")
    x, y = place.x + place.width - 8, place.y + 5
    sheet.set_fill_color(0)
    sheet.polygon([(x, y), (x + 2.4, y + 8), (x, y + 6.2)], style="DF")
    sheet.polygon([(x, y), (x - 2.4, y + 8), (x, y + 6.2)], style="D")
    sheet.set_font("body", size=8)
    sheet.text(x - 1.4, y + 11.5, north)
