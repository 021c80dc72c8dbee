"""Maps for notebooks: folium, with Leaflet and the map's tiles from the city's own server, nothing from elsewhere."""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import pandas as pd

if TYPE_CHECKING:
    from citymap.city import City

#: The tile matrix set that Leaflet draws (EPSG:3857); tiles are made down to this level, and enlarged below.
_GRID, _DEEPEST = "WebMercatorQuad", 20


def city_map(
    city: "City",
    layers: Sequence[str] = (),
    frames: Mapping[str, gpd.GeoDataFrame] | None = None,
    tooltip: Sequence[str] = (),
    height: int = 520,
) -> folium.Map:
    """The city's map with ``layers`` over it, drawn by the server, and ``frames`` by name, drawn from their data.

    ``tooltip`` names the columns that a frame's features show. The server draws for the public: a browser's images
    carry no key. What only an account may see comes as a frame, ``{"案卷": cases.to_gdf()}``.
    """
    made = _LocalMap(city.url, tiles=None, height=height, control_scale=True)
    _tiles(city, f"styles/city/map/tiles/{_GRID}", "城市一张图 CityMap", overlay=False).add_to(made)
    for layer in layers:
        found = city.collection(layer)
        _tiles(city, f"{found.path}/map/tiles/{_GRID}", found.title, overlay=True).add_to(made)
    for name, frame in (frames or {}).items():
        _drawn(frame, name, tooltip).add_to(made)
    if layers or frames:
        folium.LayerControl(collapsed=False).add_to(made)
    west, south, east, north = _bounds(city, layers, frames or {})
    made.fit_bounds([[south, west], [north, east]])
    return made


class _LocalMap(folium.Map):  # type: ignore[misc]
    """A folium map whose page loads Leaflet from the city, and none of the libraries that its parts do not use."""

    def __init__(self, url: str, **options: Any) -> None:
        self.default_js = [("leaflet", f"{url}/static/vendor/leaflet.js")]
        self.default_css = [("leaflet_css", f"{url}/static/vendor/leaflet.css")]
        super().__init__(**options)


def _tiles(city: "City", path: str, name: str, *, overlay: bool) -> folium.TileLayer:
    address = f"{city.url}/{path}/{{z}}/{{y}}/{{x}}?f=png&transparent={'true' if overlay else 'false'}"
    title = html.escape(name)
    return folium.TileLayer(address, attr=title, name=title, overlay=overlay, max_zoom=_DEEPEST)


def _drawn(frame: gpd.GeoDataFrame, name: str, tooltip: Sequence[str]) -> folium.GeoJson:
    shown = frame.to_crs(4326)
    columns = [one for one in tooltip if one in shown.columns]
    # Leaflet writes what it shows into the page as HTML; nothing else of the frame goes into the notebook.
    texts = {one: ["" if pd.isna(value) else html.escape(str(value)) for value in shown[one]] for one in columns}
    shown = gpd.GeoDataFrame(texts, geometry=list(shown.geometry), crs=4326)
    hints = folium.GeoJsonTooltip(columns, aliases=[html.escape(one) for one in columns]) if columns else None
    point = folium.CircleMarker(radius=6, weight=1.5, color="#ffffff", fill_color="#0b5cab", fill_opacity=0.9)
    return folium.GeoJson(shown, name=html.escape(name), tooltip=hints, marker=point)


def _bounds(
    city: "City", layers: Sequence[str], frames: Mapping[str, gpd.GeoDataFrame]
) -> tuple[float, float, float, float]:
    """West, south, east, north [degrees]: of the frames, else of the layers, else of the city's roads or of China."""
    boxes = [tuple(frame.to_crs(4326).total_bounds) for frame in frames.values() if len(frame)]
    if not boxes:
        known = city.collections()
        for wanted in (layers, ("roads", "buildings"), tuple(known)):
            extents = [known[name].description.get("extent", {}) for name in wanted if name in known]
            boxes = [tuple(box) for one in extents for box in one.get("spatial", {}).get("bbox", [])[:1]]
            if boxes:
                break
    if not boxes:
        return 73.0, 18.0, 135.0, 54.0
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
