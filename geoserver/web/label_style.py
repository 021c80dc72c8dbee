"""How the base layers are named: labels from the least to the most important."""

from collections.abc import Sequence
from typing import Any

from geoserver.web.palette import Palette
from geoserver.web.sprites import SIGNS, sign_name
from geoserver.web.style_parts import BOLD, ITALIC, REGULAR, StyleLayer, choose, halo, name_text, style_layer, zoomed

#: Rivers are named along their centre lines, not once more on their surface.
_STILL_WATER = ["!", ["in", ["get", "kind"], ["literal", ["river", "canal", "stream"]]]]
#: Boundary level → zooms between which its name is written inside it, and its size [px].
_BOUNDARY_NAMES = {"district": (8, 11.5, 15), "street": (11.5, 13.5, 13), "community": (13.5, 15.5, 12)}
#: Settlement kinds → first zoom, last zoom, text size [px].
_PLACES = {
    "city": (4, 12, 20),
    "district": (8, 13, 16),
    "town": (9, 15, 15),
    "suburb": (11, 16, 14),
    "island": (11, 17, 13),
    "natural": (12, 18, 12.5),
    "neighbourhood": (14, 17, 13),
    "village": (13, 17, 12.5),
    "other": (14, 18, 12),
    "hamlet": (14, 18, 12),
}
#: Zoom from which on points of interest have signs.
_SIGNS_FROM = 16.5
#: POI categories that people steer by appear one zoom before the others.
_LANDMARKS = ["government", "education", "health", "transport", "tourism", "leisure"]


def label_layers(palette: Palette, language: str, *, signs: bool = False) -> list[StyleLayer]:
    """Names, from the least to the most important: later layers win the room. ``signs``: the style has sprites."""
    name = name_text(language)
    return [
        *_point_layers(palette, name, signs),
        *_water_labels(palette, name),
        _road_label(palette, name),
        *_boundary_labels(palette, name),
        *_place_labels(palette, name),
    ]


def _point_layers(palette: Palette, name: list[Any], signs: bool) -> list[StyleLayer]:
    landmark = ["in", ["get", "category"], ["literal", _LANDMARKS]]
    shown = ["step", ["zoom"], landmark, 15.5, True]
    colour = choose("category", palette.poi, palette.poi_other)
    soft = halo(palette, palette.text_soft, 1.2)
    number = ["coalesce", ["get", "number"], ["get", "address"]]
    return [
        _label("addresses", "number", 17, number, 11, soft),
        _label("buildings", "name", 16, name, 11.5, soft),
        _label("land-use", "name", 14.5, name, 12, soft),
        style_layer(
            "pois",
            "circle",
            minzoom=14.5,
            filter=shown,
            paint={
                "circle-color": colour,
                "circle-radius": _disc() if signs else zoomed((14.5, 2.2), (17, 4.2), (19, 5.5)),
                "circle-stroke-color": palette.rim,
                "circle-stroke-width": zoomed((14.5, 0.8), (17, 1.4)),
            },
        ),
        *([_signs()] if signs else []),
        style_layer(
            "pois",
            "symbol",
            "name",
            minzoom=15,
            filter=shown,
            layout={
                "text-field": name,
                "text-font": REGULAR,
                "text-size": zoomed((15, 11), (18, 12.5)),
                "text-variable-anchor": ["left", "right", "top", "bottom"],
                "text-radial-offset": zoomed((_SIGNS_FROM - 0.5, 0.65), (_SIGNS_FROM, 1.0)) if signs else 0.65,
                "text-justify": "auto",
                "text-max-width": 8,
                "text-padding": 4,
                "symbol-sort-key": ["case", landmark, 0, 1],
            },
            paint=halo(palette, colour),
        ),
    ]


def _disc() -> list[Any]:
    """The radius [px] of a disc, large where it carries a sign."""
    def either(large: float, small: float) -> list[Any]:
        return ["match", ["get", "category"], list(SIGNS), large, small]

    return zoomed((14.5, 2.2), (_SIGNS_FROM - 0.5, 4), (_SIGNS_FROM, either(8.5, 4.2)), (19, either(10, 5.5)))


def _signs() -> StyleLayer:
    """Pictograms upon the discs of points of interest, which never push a name away."""
    image = ["match", ["get", "category"], *[part for name in SIGNS for part in (name, sign_name(name))], ""]
    layout = {"icon-image": image, "icon-allow-overlap": True, "icon-ignore-placement": True}
    return style_layer("pois", "symbol", "sign", minzoom=_SIGNS_FROM, layout=layout, paint={})


def _water_labels(palette: Palette, name: list[Any]) -> list[StyleLayer]:
    paint = halo(palette, palette.water_text, 1)
    return [
        style_layer(
            "waterways",
            "symbol",
            "name",
            minzoom=12,
            layout={**_along_line(name, 12), "text-letter-spacing": 0.15, "text-font": ITALIC},
            paint=paint,
        ),
        _label("water", "name", 12.5, name, 13, paint, filter=_STILL_WATER, font=ITALIC, padding=60),
    ]


def _road_label(palette: Palette, name: list[Any]) -> StyleLayer:
    return style_layer(
        "roads",
        "symbol",
        "name",
        minzoom=12.5,
        filter=[
            "step",
            ["zoom"],
            ["in", ["get", "class"], ["literal", ["motorway", "trunk", "primary"]]],
            14,
            ["in", ["get", "class"], ["literal", ["motorway", "trunk", "primary", "secondary", "tertiary"]]],
            15,
            True,
        ],
        layout={**_along_line(name, zoomed((12.5, 11), (16, 12.5), (19, 15))), "symbol-spacing": 360},
        paint=halo(palette, palette.text_road, 1.6),
    )


def _boundary_labels(palette: Palette, name: list[Any]) -> list[StyleLayer]:
    return [
        _label(
            "admin-areas",
            f"name-{level}",
            first,
            name,
            size,
            halo(palette, palette.text_boundary, 1.6),
            maxzoom=last,
            filter=["==", ["get", "level"], level],
            padding=90,
            spacing=0.25,
        )
        for level, (first, last, size) in _BOUNDARY_NAMES.items()
    ]


def _place_labels(palette: Palette, name: list[Any]) -> list[StyleLayer]:
    return [
        _label(
            "places",
            kind,
            first,
            name,
            size,
            halo(palette, palette.text_place, 1.8),
            maxzoom=last,
            filter=["==", ["coalesce", ["get", "kind"], "other"], kind],
            font=BOLD if kind in {"city", "district", "town"} else REGULAR,
            spacing=0.08,
        )
        for kind, (first, last, size) in reversed(_PLACES.items())
    ]


def _along_line(name: list[Any], size: Any) -> dict[str, Any]:
    return {
        "symbol-placement": "line",
        "text-field": name,
        "text-font": REGULAR,
        "text-size": size,
        "text-max-angle": 35,
        "text-padding": 6,
    }


def _label(
    layer: str,
    part: str,
    minzoom: float,
    text: Sequence[Any],
    size: Any,
    paint: dict[str, Any],
    *,
    maxzoom: float = 24,
    filter: Sequence[Any] | None = None,
    font: Sequence[str] = tuple(REGULAR),
    padding: float = 3,
    spacing: float = 0,
) -> StyleLayer:
    layout = {
        "text-field": list(text),
        "text-font": list(font),
        "text-size": size,
        "text-max-width": 8,
        "text-padding": padding,
        "text-letter-spacing": spacing,
    }
    more = {"filter": list(filter)} if filter else {}
    return style_layer(layer, "symbol", part, minzoom=minzoom, maxzoom=maxzoom, layout=layout, paint=paint, **more)
