"""The server's maps as processes draw them on paper: see :class:`layers.processing.CityMaps`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from geoserver.map_contents import styles_of
from geoserver.settings import Settings
from geoserver.web.assets import leaflet_inside
from geoserver.web.style import city_style
from layers.access import Principal, visible_layers, watched
from layers.catalogue import Layer
from layers.database import Reader
from layers.processing import Leaflet
from layers.raster.store import RasterStore
from layers.registry import load_layers


@dataclass(frozen=True)
class ProcessMaps:
    """Maps within the transaction of a process, by the rights of its principal."""

    conn: Connection
    principal: Principal
    settings: Settings
    store: RasterStore

    @property
    def url(self) -> str:
        """The address of the city."""
        return self.settings.server.url

    def leaflet(self) -> Leaflet:
        """See :class:`layers.processing.CityMaps`."""
        return leaflet_inside()

    def draw(
        self,
        bounds: tuple[float, float, float, float],
        srid: int,
        size: tuple[int, int],
        layers: Sequence[str],
        language: str,
    ) -> bytes:
        """See :class:`layers.processing.CityMaps`."""
        from tiles.maps.frame import Frame
        from tiles.maps.rendering import Contents, draw_map
        from tiles.raster.pictures import encode
        from tiles.vector import TileQuery

        seen = self._seen()
        style = city_style(seen, self.url, language)
        base = [entry["id"] for entry in style["metadata"]["citymap:layers"] if entry["visible"]]
        shown = [seen[name] for name in dict.fromkeys((*base, *layers)) if name in seen]
        vectors = tuple(layer for layer in shown if layer.kind != "coverage")
        features = TileQuery.whole(*vectors) if vectors else None
        styles = styles_of(style, {layer.id for layer in vectors})
        contents = Contents(features=features, styles=styles, background="#ffffff")
        raw = self.conn.connection.driver_connection
        assert raw is not None
        drawn = draw_map(Reader(raw, self.principal), self.store, contents, Frame(bounds, srid, *size))
        return encode(drawn.picture, "png", photographic=False)[0]

    def _seen(self) -> Mapping[str, Layer]:
        seen = visible_layers(load_layers(self.conn), self.principal.grants)
        return {name: layer for name, layer in seen.items() if not watched(layer)}
