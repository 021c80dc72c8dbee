"""How the base layers' shapes are drawn, bottom to top, in the manner of a Chinese city atlas."""

from collections.abc import Mapping
from typing import Any

from geoserver.web.palette import Palette
from geoserver.web.style_parts import StyleLayer, choose, style_layer, zoomed

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
    "community": (13, 24, 0.8, [2, 2]),
    "street": (11, 24, 1.0, [4, 2]),
    "district": (8, 24, 1.4, [6, 2, 1.5, 2]),
    "city": (0, 24, 2.0, [8, 2, 1.5, 2, 1.5, 2]),
}
def ground_layers(palette: Palette) -> list[StyleLayer]:
    """Background, land use, water, buildings: the areas below the streets."""
    land_use = ["slice", ["coalesce", ["get", "code"], ""], 0, 2]
    tints = [part for code, colour in palette.land_use.items() for part in (code, colour)]
    return [
        {"id": "background", "type": "background", "paint": {"background-color": palette.ground}},
        style_layer("land-use", "fill", paint={"fill-color": ["match", land_use, *tints, palette.land_use_other]}),
        style_layer("admin-areas", "fill", "inside", paint={"fill-color": palette.ground, "fill-opacity": 0}),
        style_layer(
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
        style_layer("water", "fill", paint={"fill-color": palette.water}),
        style_layer("water", "line", "shore", minzoom=13, paint={"line-color": palette.water_line, "line-width": 0.6}),
        *road_layers(palette, "tunnel"),
        style_layer(
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
    casing: dict[str, Any] = {"line-color": choose("class", palette.casing, palette.path), "line-opacity": faded}
    if level == "tunnel":
        casing["line-dasharray"] = [3, 2]
    if level == "bridge":
        casing["line-color"] = palette.text_soft
    fill = {"line-color": choose("class", palette.road, palette.path), "line-opacity": faded}
    extra = 2.0 if level == "bridge" else 1.4
    suffix = "" if level == "ground" else f"-{level}"
    return [
        style_layer(
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
        style_layer(
            "roads",
            "line",
            f"casing{suffix}",
            minzoom=11,
            filter=["all", on_level, _visible_classes()],
            layout={**round_ends, "line-sort-key": order},
            paint={**casing, "line-width": _road_width(extra)},
        ),
        style_layer(
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
        rim = extra if n else extra / 2
        widths = [part for name, (_, values) in _ROADS.items() for part in (name, values[n] + rim)]
        stops.append((zoom, ["match", ["get", "class"], *widths, 1]))
    return zoomed(*stops, base=1.5)


def _boundary_layers(palette: Palette) -> list[StyleLayer]:
    return [
        style_layer(
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
                "line-opacity": 0.65,
            },
        )
        for level, (first, last, width, dashes) in _BOUNDARIES.items()
    ]


def extrusion_layers(palette: Palette) -> list[StyleLayer]:
    """Buildings as blocks, hidden until a client asks for the third dimension."""
    floors = ["*", 3, ["coalesce", ["get", "floors"], 2]]
    height = ["to-number", ["coalesce", ["get", "height"], floors], 6]
    return [
        style_layer(
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
