"""The map of ``/lite``: folium writes the script, Leaflet comes from our own origin.

folium's page would load eight files from public networks, and stand inline in it; of its figure we take the script,
which the policy of the page allows by its hash, and the one element that it draws into.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from geoserver.lite.view import FARTHEST, NEAREST, View

#: Pixels of a tile: of the level before, drawn at twice the size, so that fewer names are cut at edges.
TILE = 512
#: What is found is a GeoJSON of points of this colour, over tiles.
_MARK = "#c2410c"


def map_script(tiles: str, credit: str, view: View, found: Sequence[Mapping[str, Any]]) -> str:
    """JavaScript that draws into the element ``map_lite``; its variables are ``map_lite`` and ``geo_json_found``.

    ``tiles`` is an address with ``{z}``, ``{y}`` and ``{x}``, ``found`` are GeoJSON points. Texts of data come in as
    JSON without angle brackets: they can neither end the script nor become code.
    """
    import folium  # carries pandas' worth of imports, which most workers never need

    made = folium.Map(tiles=None, location=[view.lat, view.lon], zoom_start=view.zoom, max_zoom=NEAREST)
    made._id = "lite"
    # Leaflet writes the credit into the page as HTML.
    layer = folium.TileLayer(
        tiles, attr=html.escape(credit), min_zoom=FARTHEST, max_zoom=NEAREST, tile_size=TILE, zoom_offset=-1
    )
    layer._id = "lite"
    layer.add_to(made)
    if found:
        mark = folium.CircleMarker(radius=8, weight=3, color=_MARK, fill_color="#ffffff", fill_opacity=0.9)
        marks = folium.GeoJson({"type": "FeatureCollection", "features": list(found)}, marker=mark)
        marks._id = "found"
        marks.add_to(made)
    figure = made.get_root()
    figure.render()
    return str(figure.script.render())
