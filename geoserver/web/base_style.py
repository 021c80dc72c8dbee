"""How the base layers are drawn: MapLibre style layers, bottom to top, in the manner of a Chinese city atlas.

Expressions follow the MapLibre Style Specification v8. Every layer carries ``metadata["citymap:layer"]``, the collection
it draws, so that a client can switch, fade and explain collections rather than style layers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from geoserver.web.palette import Palette

type StyleLayer = dict[str, Any]

#: Local fonts; the first name exists nowhere and only tells MapLibre the weight. No glyphs are ever downloaded.
_FAMILIES = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC")
REGULAR = ["CityMap Regular", *_FAMILIES]
BOLD = ["CityMap Bold", *_FAMILIES]
ITALIC = ["CityMap Italic", *_FAMILIES]

#: Road class → first zoom, and widths [px] at zoom 10, 13, 16 and 19. Later entries are drawn above earlier ones.
_ROADS: Mapping[str, tuple[float, tuple[float, float, float, float]]] = {
    "service": (15, (0.2, 0.5, 2.6, 9)),
    "residential": (13, (0.3, 1.0, 4.5, 16)),
    "tertiary": (12, (0.4, 1.6, 6.0, 20)),
    "secondary": (10, (0.9, 2.6, 8.0, 25)),
    "primary": (8, (1.4, 3.6, 9.5, 29)),
    "trunk": (6, (1.7, 4.2, 10.5, 31)),
    "motorway": (4, (2.0, 4.8, 11.0, 33)),
}
_PATHS = ("track", "cycleway", "footway")
_STOPS = (10, 13, 16, 19)
_BRIDGE = ["==", ["get", "bridge"], True]
_TUNNEL = ["==", ["get", "tunnel"], True]

#: Boundary level → first zoom, last zoom, line width [px] and dashes [line widths].
_BOUNDARIES = {
    "community": (13, 24, 0.9, [2, 2]),
    "street": (11, 24, 1.2, [4, 2]),
    "district": (8, 24, 1.6, [6, 2, 1.5, 2]),
    "city": (0, 24, 2.2, [8, 2, 1.5, 2, 1.5, 2]),
}
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
    "neighbourhood": (13, 17, 13),
    "village": (13, 17, 12.5),
    "other": (14, 18, 12),
    "hamlet": (14, 18, 12),
}
#: POI categories that people steer by appear one zoom before the others.
_LANDMARKS = ["government", "education", "health", "transport", "tourism", "leisure"]


def name_text(language: str) -> list[Any]:
    """The text expression that names a feature in the reader's language."""
    return ["coalesce", ["get", "name_en"], ["get", "name"]] if language.startswith("en") else ["get", "name"]


def choose(field: str, colours: Mapping[str, str], otherwise: str) -> list[Any]:
    """A colour by the value of ``field``."""
    pairs = [part for code, colour in colours.items() for part in (code, colour)]
    return ["match", ["get", field], *pairs, otherwise]


def zoomed(*stops: tuple[float, Any], base: float = 1.0) -> list[Any]:
    """A value interpolated over zoom; ``base`` above 1 grows faster towards the last stop."""
    curve = ["linear"] if base == 1.0 else ["exponential", base]
    return ["interpolate", curve, ["zoom"], *[part for stop in stops for part in stop]]


def halo(palette: Palette, colour: str, width: float = 1.4) -> dict[str, Any]:
    """Text paint: a colour with a halo of the ground, so that names read on any tint."""
    return {"text-color": colour, "text-halo-color": palette.halo, "text-halo-width": width, "text-halo-blur": 0.4}


def ground_layers(palette: Palette) -> list[StyleLayer]:
    """Background, land use, water, buildings: the areas below the streets."""
    land_use = ["slice", ["coalesce", ["get", "code"], ""], 0, 2]
    tints = [part for code, colour in palette.land_use.items() for part in (code, colour)]
    return [
        {"id": "background", "type": "background", "paint": {"background-color": palette.ground}},
        _layer("land-use", "fill", paint={"fill-color": ["match", land_use, *tints, palette.land_use_other]}),
        _layer("admin-areas", "fill", "inside", paint={"fill-color": palette.ground, "fill-opacity": 0}),
        _layer(
            "waterways",
            "line",
            layout={"line-cap": "round", "line-join": "round"},
            paint={
                "line-color": palette.water_line,
                "line-width": zoomed(
                    (10, ["match", ["get", "kind"], "river", 1.2, 0.4]),
                    (18, ["match", ["get", "kind"], "river", 9, 4]),
                    base=1.4,
                ),
            },
        ),
        _layer("water", "fill", paint={"fill-color": palette.water}),
        _layer("water", "line", "shore", minzoom=13, paint={"line-color": palette.water_line, "line-width": 0.6}),
        *road_layers(palette, "tunnel"),
        _layer(
            "buildings",
            "fill",
            minzoom=13,
            paint={
                "fill-color": choose("use", palette.building, palette.building_other),
                "fill-opacity": zoomed((13, 0.4), (14.5, 1)),
                "fill-outline-color": palette.building_line,
            },
        ),
    ]


def street_layers(palette: Palette) -> list[StyleLayer]:
    """Roads, bridges and boundaries."""
    return [*road_layers(palette, "ground"), *road_layers(palette, "bridge"), *_boundary_layers(palette)]


def road_layers(palette: Palette, level: str) -> list[StyleLayer]:
    """Paths, casings and carriageways of one level: ``tunnel``, ``ground`` or ``bridge``."""
    on_level = {"tunnel": _TUNNEL, "bridge": ["all", _BRIDGE, ["!", _TUNNEL]]}.get(
        level, ["all", ["!", _BRIDGE], ["!", _TUNNEL]]
    )
    order = ["match", ["get", "class"], *[p for n, name in enumerate(_ROADS) for p in (name, n)], 0]
    round_ends = {"line-cap": "butt" if level == "bridge" else "round", "line-join": "round"}
    faded = 0.45 if level == "tunnel" else 1
    casing = {"line-color": choose("class", palette.casing, palette.path), "line-opacity": faded}
    if level == "tunnel":
        casing["line-dasharray"] = [3, 2]
    if level == "bridge":
        casing["line-color"] = palette.text_soft
    fill = {"line-color": choose("class", palette.road, palette.path), "line-opacity": faded}
    extra = 2.0 if level == "bridge" else 1.4
    suffix = "" if level == "ground" else f"-{level}"
    return [
        _layer(
            "roads",
            "line",
            f"path{suffix}",
            minzoom=14.5,
            filter=["all", on_level, ["in", ["get", "class"], ["literal", list(_PATHS)]]],
            paint={
                "line-color": palette.path,
                "line-width": zoomed((14.5, 0.7), (19, 3), base=1.4),
                "line-dasharray": [3, 1.6],
                "line-opacity": faded,
            },
        ),
        _layer(
            "roads",
            "line",
            f"casing{suffix}",
            minzoom=11,
            filter=["all", on_level, _visible_classes()],
            layout={**round_ends, "line-sort-key": order},
            paint={**casing, "line-width": _road_width(extra)},
        ),
        _layer(
            "roads",
            "line",
            f"fill{suffix}",
            filter=["all", on_level, _visible_classes()],
            layout={**round_ends, "line-sort-key": order},
            paint={**fill, "line-width": _road_width(0)},
        ),
    ]


def _visible_classes() -> list[Any]:
    zooms = sorted({zoom for zoom, _ in _ROADS.values()})
    steps: list[Any] = []
    for zoom in zooms:
        classes = [name for name, (first, _) in _ROADS.items() if first <= zoom]
        steps += [zoom, ["in", ["get", "class"], ["literal", classes]]]
    return ["step", ["zoom"], False, *steps]


def _road_width(extra: float) -> list[Any]:
    stops = []
    for n, zoom in enumerate(_STOPS):
        widths = [part for name, (_, values) in _ROADS.items() for part in (name, values[n] + (extra if n else extra / 2))]
        stops.append((zoom, ["match", ["get", "class"], *widths, 1]))
    return zoomed(*stops, base=1.5)


def _boundary_layers(palette: Palette) -> list[StyleLayer]:
    return [
        _layer(
            "admin-areas",
            "line",
            level,
            minzoom=first,
            maxzoom=last,
            filter=["==", ["get", "level"], level],
            layout={"line-join": "round"},
            paint={
                "line-color": palette.boundary[level],
                "line-width": width,
                "line-dasharray": dashes,
                "line-opacity": 0.8,
            },
        )
        for level, (first, last, width, dashes) in _BOUNDARIES.items()
    ]


def extrusion_layers(palette: Palette) -> list[StyleLayer]:
    """Buildings as blocks, hidden until a client asks for the third dimension."""
    floors = ["*", 3, ["coalesce", ["get", "floors"], 2]]
    height = ["to-number", ["coalesce", ["get", "height"], floors], 6]
    return [
        _layer(
            "buildings",
            "fill-extrusion",
            "3d",
            minzoom=14,
            layout={"visibility": "none"},
            paint={
                "fill-extrusion-color": choose("use", palette.building, palette.building_other),
                "fill-extrusion-height": zoomed((14, 0), (14.6, height)),
                "fill-extrusion-base": zoomed((14, 0), (14.6, ["to-number", ["get", "min_height"], 0])),
                "fill-extrusion-opacity": 0.92,
                "fill-extrusion-vertical-gradient": True,
            },
        )
    ]


def label_layers(palette: Palette, language: str) -> list[StyleLayer]:
    """Names, from the least to the most important: later layers win the room."""
    name = name_text(language)
    return [
        *_point_layers(palette, name),
        *_water_labels(palette, name),
        _road_label(palette, name),
        *_boundary_labels(palette, name),
        *_place_labels(palette, name),
    ]


def _point_layers(palette: Palette, name: list[Any]) -> list[StyleLayer]:
    landmark = ["in", ["get", "category"], ["literal", _LANDMARKS]]
    shown = ["step", ["zoom"], landmark, 15.5, True]
    colour = choose("category", palette.poi, palette.poi_other)
    return [
        _label("addresses", "number", 17, ["coalesce", ["get", "number"], ["get", "address"]], 11, halo(palette, palette.text_soft, 1)),
        _label("buildings", "name", 16, name, 11.5, halo(palette, palette.text_soft, 1.2)),
        _label("land-use", "name", 14.5, name, 12, halo(palette, palette.text_soft, 1.2)),
        _layer(
            "pois",
            "circle",
            minzoom=14.5,
            filter=shown,
            paint={
                "circle-color": colour,
                "circle-radius": zoomed((14.5, 2.2), (17, 4.2), (19, 5.5)),
                "circle-stroke-color": palette.rim,
                "circle-stroke-width": zoomed((14.5, 0.8), (17, 1.4)),
            },
        ),
        _layer(
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
                "text-radial-offset": 0.65,
                "text-justify": "auto",
                "text-max-width": 8,
                "text-padding": 4,
                "symbol-sort-key": ["case", landmark, 0, 1],
            },
            paint=halo(palette, colour),
        ),
    ]


def _water_labels(palette: Palette, name: list[Any]) -> list[StyleLayer]:
    paint = halo(palette, palette.water_text, 1)
    return [
        _layer(
            "waterways",
            "symbol",
            "name",
            minzoom=12,
            layout={**_along_line(name, 12), "text-letter-spacing": 0.15, "text-font": ITALIC},
            paint=paint,
        ),
        _label("water", "name", 12.5, name, 13, paint, font=ITALIC, padding=60),
    ]


def _road_label(palette: Palette, name: list[Any]) -> StyleLayer:
    return _layer(
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
    return _layer(layer, "symbol", part, minzoom=minzoom, maxzoom=maxzoom, layout=layout, paint=paint, **more)


def _layer(layer: str, kind: str, part: str | None = None, **values: Any) -> StyleLayer:
    return {
        "id": f"{layer}-{part}" if part else layer,
        "type": kind,
        "source-layer": layer,
        "metadata": {"citymap:layer": layer},
        **values,
    }
