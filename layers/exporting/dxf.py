"""DXF drawings: outlines, lines and points, with the feature's name as text."""

from pathlib import Path
from typing import Any, TextIO

import shapely
from ezdxf.addons.r12writer import R12FastStreamWriter, r12writer
from sqlalchemy import LargeBinary, func

from layers.crs import epsg
from layers.exporting.errors import UnknownFormat
from layers.exporting.options import Options
from layers.exporting.selection import Selection

#: Height of the names [m]: 2.5 mm on a plot at 1:1000. And their longest length in R12.
TEXT_HEIGHT = 2.5
MAX_TEXT = 250
#: Version R12 and the code page of Chinese Windows; the library writes the rest without a header.
_HEADER = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1009\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"


def write_dxf(selection: Selection, options: Options, path: Path) -> None:
    """DXF R12, coordinates in metres (x east, y north); rings are closed polylines, names lie inside their features.

    Texts are GBK, as Chinese CAD programs expect of R12; a character that GBK lacks is written as ``\\U+XXXX``. Raises
    UnknownFormat for a geographic CRS, because a drawing has no degrees.
    """
    del options
    if epsg(selection.srid).geographic:
        raise UnknownFormat(
            f"DXF 需要投影坐标系，EPSG:{selection.srid} 是经纬度；请指定如 EPSG:4547",
            f"a DXF needs a projected CRS and EPSG:{selection.srid} has degrees: ask for one such as EPSG:4547",
        )
    with path.open("w", encoding="gbk", errors="dxfreplace") as file:
        file.write(_HEADER)
        _draw_all(file, selection)


def _draw_all(file: TextIO, selection: Selection) -> None:
    layer = selection.layer
    drawing_layer = layer.id if layer.id.isascii() else "CITYMAP"
    titles = [f.name for f in selection.fields]
    title = titles.index(layer.title_field) + 1 if layer.title_field in titles else 0
    wkb = func.ST_AsBinary(selection.geometry, type_=LargeBinary)
    with r12writer(file) as drawing:
        for batch in selection.batches(wkb):
            selection.check_disk(Path(file.name).parent)
            for row in batch:
                if row[-1] is None:
                    continue
                geometry = shapely.from_wkb(bytes(row[-1]))
                _draw(drawing, geometry, drawing_layer)
                if title and row[title]:
                    _write(drawing, geometry, str(row[title]), drawing_layer)


def _draw(drawing: R12FastStreamWriter, geometry: Any, layer: str) -> None:
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Point":
            drawing.add_point((part.x, part.y), layer=layer)
        elif part.geom_type == "LineString":
            drawing.add_polyline_2d(_points(part), layer=layer)
        elif part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                drawing.add_polyline_2d(_points(ring)[:-1], closed=True, layer=layer)
        else:
            _draw(drawing, part, layer)


def _points(line: Any) -> list[tuple[float, float]]:
    return [(x, y) for x, y in shapely.get_coordinates(line).tolist()]


def _write(drawing: R12FastStreamWriter, geometry: Any, text: str, layer: str) -> None:
    """The name at a place inside. A line break would end the value and begin another tag of the file."""
    if geometry.is_empty:
        return
    place = shapely.point_on_surface(geometry)
    line = " ".join(text.split())[:MAX_TEXT]
    drawing.add_text(line, insert=(place.x, place.y), height=TEXT_HEIGHT, layer=layer)
