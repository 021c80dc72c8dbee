"""The report as one page (HTML) that loads nothing: folium's map with Leaflet and the city's picture inside it."""

import base64
import html
import re
from pathlib import Path
from typing import Any

import folium
import numpy as np
import orjson
import shapely

from layers.catalogue import Text
from layers.crs import transformer
from layers.processing import CityMaps, Leaflet
from planning.report.model import Report
from planning.report.pages import LAYERS
from planning.report.tables import SEVERITIES, VERDICTS

_COLOURS = {"blocking": "#c00000", "warning": "#e07b00", "info": "#2b6cb0"}
#: The picture's longer side [px], how much wider than the parcel it is, and what part of it is seen at first.
_PIXELS, _WIDER, _SEEN = 2000, 3.0, 0.5
_MERCATOR = 3857


class _WholeMap(folium.Map):  # type: ignore[misc]
    """A folium map whose Leaflet stands in the page as data, with none of the libraries that it does not use."""

    def __init__(self, leaflet: Leaflet, **options: Any) -> None:
        self.default_js = [("leaflet", _data(leaflet.script.encode(), "text/javascript"))]
        self.default_css = [("leaflet_css", _data(leaflet.style.encode(), "text/css"))]
        super().__init__(**options)


def write_page(report: Report, maps: CityMaps, folder: Path) -> Path:
    """The page, in ``folder``: parcel, pieces of conflict with their clauses, boundary points, over the city's map."""
    west, south, east, north = _bounds(report)
    made = _WholeMap(maps.leaflet(), tiles=None, control_scale=True, max_zoom=22)
    picture = folder / "ground.png"
    picture.write_bytes(maps.draw((west, south, east, north), _MERCATOR, _size(west, south, east, north), LAYERS,
                                  report.language))  # fmt: skip
    corners = np.column_stack(transformer(_MERCATOR, 4490).transform([west, east], [south, north]))
    box = [[lat, lon] for lon, lat in corners.tolist()]
    folium.raster_layers.ImageOverlay(str(picture), box, mercator_project=False).add_to(made)
    _shapes(report).add_to(made)
    _points(report).add_to(made)
    (low, left), (high, right) = box
    x, y = (right - left) / 2 * (1 - _SEEN), (high - low) / 2 * (1 - _SEEN)
    made.fit_bounds([[low + y, left + x], [high - y, right - x]])
    root = made.get_root()
    root.html.add_child(folium.Element(_caption(report)))
    root.title = report.say(Text("用地红线检查", "Red-line check"))
    path = folder / "report.html"
    path.write_text(_titled(root.render(), report), "utf-8")
    return path


def _shapes(report: Report) -> folium.GeoJson:
    """The parcel and the pieces, with what a click tells; texts of data are escaped, for Leaflet writes HTML."""
    name = report.line.number if report.line else f"#{report.kept.id}"
    features = [_feature(p.degrees, "#e60000", 0.05, 3, f"{name} · {report.kept.result.areas.plane:,.2f} m²")
                for p in report.parcels]  # fmt: skip
    for number, conflict in enumerate(report.kept.result.conflicts, 1):
        severity = report.say(SEVERITIES[conflict.severity])
        share = "" if conflict.length else f" ({conflict.share:.2%})"
        words = f"{number}. {severity}: {report.say(conflict.clause)} · {report.say(conflict.size)}{share}"
        shape = shapely.geometry.shape(conflict.geometry)
        features.append(_feature(shape, _COLOURS[conflict.severity], 0.35, 5 if conflict.length else 1.5, words))
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda f: f["properties"]["style"],
        popup=folium.GeoJsonPopup(["words"], labels=False),
    )


def _feature(shape: Any, colour: str, opacity: float, weight: float, words: str) -> dict[str, Any]:
    style = {"color": colour, "fillColor": colour, "fillOpacity": opacity, "weight": weight}
    geometry = orjson.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "geometry": geometry, "properties": {"words": html.escape(words), "style": style}}


def _points(report: Report) -> folium.GeoJson:
    """The boundary points. As GeoJSON, since folium's own popups need a library more."""
    features = []
    for parcel in report.parcels:
        to_degrees = transformer(parcel.zone.srid, 4490)
        for point in (point for ring in parcel.rings for point in ring):
            place = {"type": "Point", "coordinates": to_degrees.transform(point.east, point.north)}
            words = html.escape(f"{point.name}  X {point.north:.3f}  Y {point.east:.3f}")
            features.append({"type": "Feature", "geometry": place, "properties": {"words": words}})
    mark = folium.CircleMarker(radius=3, color="#e60000", weight=1, fill=True, fill_opacity=1)
    popup = folium.GeoJsonPopup(["words"], labels=False)
    return folium.GeoJson({"type": "FeatureCollection", "features": features}, marker=mark, popup=popup)


def _caption(report: Report) -> str:
    """What the page is about, on the map."""
    result = report.kept.result
    name = f"{report.line.number} {report.line.name}" if report.line else f"#{report.kept.id}"
    lines = (name, report.say(VERDICTS[result.verdict]), f"{result.areas.plane:,.2f} m² · {result.areas.mu:,.2f} 亩")
    words = "<br>".join(map(html.escape, lines))
    style = (
        "position:absolute;z-index:900;top:10px;right:10px;max-width:60%;padding:8px 12px;background:#fffe;"
        "border-radius:6px;box-shadow:0 1px 4px #0004;font:14px/1.5 system-ui,sans-serif;color:#16222e"
    )
    return f'<div style="{style}">{words}</div>'


def _titled(page: str, report: Report) -> str:
    """The language of the page, what it is about, and that nothing may be fetched."""
    what = html.escape(f"{report.line.number} {report.line.name}" if report.line else f"#{report.kept.id}")
    policy = (
        "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline' data:; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
    page = page.replace("<html>", f'<html lang="{report.language}">', 1).replace("<head>", head, 1)
    return re.sub(r"<title>.*?</title>", lambda t: t[0].replace("</title>", f" {what}</title>"), page, count=1)


def _bounds(report: Report) -> tuple[float, float, float, float]:
    whole = shapely.union_all([parcel.degrees for parcel in report.parcels])
    west, south, east, north = shapely.transform(
        whole, transformer(4490, _MERCATOR).transform, interleaved=False
    ).bounds
    x, y = (west + east) / 2, (south + north) / 2
    half = max(east - west, north - south, 60.0) / 2 * _WIDER
    return x - half * 1.4, y - half, x + half * 1.4, y + half


def _size(west: float, south: float, east: float, north: float) -> tuple[int, int]:
    return _PIXELS, round(_PIXELS * (north - south) / (east - west))


def _data(body: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(body).decode()}"
