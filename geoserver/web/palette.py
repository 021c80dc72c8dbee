"""Colours of the city map, by day and by night.

Land use is keyed by 用地用海分类指南 (2023). Tints keep its hue families (warm for dwelling, red for commerce, violet
for industry, green for planting), lightened so that names stay readable above them.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour set; ``land_use`` is keyed by the first two digits of the class code, the others by domain code."""

    ground: str
    sky: str
    water: str
    water_line: str
    water_text: str
    land_use: Mapping[str, str]
    land_use_other: str
    building: Mapping[str, str]
    building_other: str
    building_line: str
    road: Mapping[str, str]
    casing: Mapping[str, str]
    path: str
    boundary: Mapping[str, str]
    poi: Mapping[str, str]
    poi_other: str
    text: str
    text_soft: str
    text_road: str
    text_place: str
    text_boundary: str
    halo: str
    rim: str
    thematic: tuple[str, ...]


_POI = {
    "government": "#b3403a",
    "education": "#7a5cc4",
    "health": "#d6455d",
    "food": "#d9822b",
    "shopping": "#c2527f",
    "finance": "#9a7420",
    "lodging": "#5b6fc9",
    "leisure": "#3f9a58",
    "transport": "#2f7fc1",
    "tourism": "#1f9390",
    "safety": "#3457b0",
    "religion": "#8a6d4b",
    "utility": "#6a7683",
    "service": "#7d6f9e",
}

_POI_NIGHT = {
    "government": "#ef8079",
    "education": "#ab92ee",
    "health": "#f5798d",
    "food": "#f0a65a",
    "shopping": "#ea86ae",
    "finance": "#d0ab55",
    "lodging": "#8f9ff0",
    "leisure": "#6cc885",
    "transport": "#67aee8",
    "tourism": "#4cc3c0",
    "safety": "#7f9cf0",
    "religion": "#c0a37f",
    "utility": "#9aa7b5",
    "service": "#ac9fd0",
}

LIGHT = Palette(
    ground="#f7f5f1",
    sky="#cfe3f3",
    water="#b5d6ec",
    water_line="#9ac4e0",
    water_text="#3f78a6",
    land_use={
        "01": "#f1f2d8",
        "02": "#e3efcd",
        "03": "#cde3bd",
        "04": "#dfeecb",
        "05": "#cfe6de",
        "06": "#efecd6",
        "07": "#f3ede2",
        "08": "#f3e3ea",
        "09": "#fae2d8",
        "10": "#ece3e1",
        "11": "#e9e2ee",
        "12": "#ebebe9",
        "13": "#e0e9ee",
        "14": "#cfe8bd",
        "15": "#e9e9dc",
        "16": "#f4f1e8",
        "17": "#b5d6ec",
        "18": "#b5d6ec",
        "24": "#b5d6ec",
    },
    land_use_other="#efede6",
    building={
        "residential": "#ebe3d3",
        "commercial": "#f0d9c9",
        "office": "#dfe1ea",
        "industrial": "#ddd9d9",
        "warehouse": "#dad8df",
        "school": "#e9dcea",
        "hospital": "#f2d7d7",
        "public": "#dde5ea",
        "transport": "#dcdfe0",
        "religious": "#e9dfca",
    },
    building_other="#e6e1d8",
    building_line="#cfc6b6",
    road={
        "motorway": "#f3b063",
        "trunk": "#f7c988",
        "primary": "#fbe0a3",
        "secondary": "#fdf1c9",
        "tertiary": "#ffffff",
        "residential": "#ffffff",
        "service": "#ffffff",
    },
    casing={
        "motorway": "#d38a3a",
        "trunk": "#d9a25a",
        "primary": "#d9ba70",
        "secondary": "#d8cba0",
        "tertiary": "#d3cec3",
        "residential": "#d9d5cb",
        "service": "#e0dcd2",
    },
    path="#bfae92",
    boundary={"city": "#8f4f78", "district": "#a3638c", "street": "#b789a6", "community": "#c9adbf"},
    poi=_POI,
    poi_other="#7b8590",
    text="#33383f",
    text_soft="#6b6f74",
    text_road="#5a5348",
    text_place="#22272e",
    text_boundary="#8a4f77",
    halo="#ffffff",
    rim="#ffffff",
    thematic=("#d1495b", "#2e7dd1", "#2a9d6f", "#c77c11", "#7b57c9", "#0f8f9c", "#b8467f", "#6d7f1f"),
)

DARK = Palette(
    ground="#1b2129",
    sky="#0d1622",
    water="#12344c",
    water_line="#1c4a68",
    water_text="#7fb4d6",
    land_use={
        "01": "#22291f",
        "02": "#222c22",
        "03": "#1f3027",
        "04": "#223028",
        "05": "#1d3233",
        "06": "#262823",
        "07": "#242830",
        "08": "#29273a",
        "09": "#2f2730",
        "10": "#2a2831",
        "11": "#282836",
        "12": "#252a31",
        "13": "#222c34",
        "14": "#1f3429",
        "15": "#272b2b",
        "16": "#20262d",
        "17": "#12344c",
        "18": "#12344c",
        "24": "#12344c",
    },
    land_use_other="#20262e",
    building={
        "residential": "#343a45",
        "commercial": "#44393c",
        "office": "#363f52",
        "industrial": "#3a3a44",
        "warehouse": "#39394a",
        "school": "#3d3850",
        "hospital": "#4a373f",
        "public": "#33424e",
        "transport": "#363e48",
        "religious": "#413d36",
    },
    building_other="#323843",
    building_line="#4a5260",
    road={
        "motorway": "#a8733a",
        "trunk": "#8f6b41",
        "primary": "#77664a",
        "secondary": "#5b5a53",
        "tertiary": "#4a515b",
        "residential": "#414852",
        "service": "#3a414b",
    },
    casing={
        "motorway": "#2a1f14",
        "trunk": "#251e15",
        "primary": "#211d17",
        "secondary": "#1a1c1f",
        "tertiary": "#171c22",
        "residential": "#171c22",
        "service": "#171c22",
    },
    path="#5d5a50",
    boundary={"city": "#c58bb2", "district": "#a8769a", "street": "#80607a", "community": "#614e60"},
    poi=_POI_NIGHT,
    poi_other="#8b97a5",
    text="#d5dbe3",
    text_soft="#9aa4b0",
    text_road="#c9c3b4",
    text_place="#f0f3f7",
    text_boundary="#d3a5c4",
    halo="#161b22",
    rim="#10151b",
    thematic=("#ff7b88", "#62a9f5", "#53c99a", "#f0a93c", "#a98bf0", "#46c2cf", "#e57bb2", "#b1c456"),
)

PALETTES: Mapping[str, Palette] = {"light": LIGHT, "dark": DARK}
