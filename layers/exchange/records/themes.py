"""Thesauri of every record: ISO topic categories and GB/T 13923; what base layers are until a steward says more."""

from collections.abc import Mapping

from layers.catalogue import Text
from layers.exchange.records.model import Topic

#: The code list of ISO 19115's topic categories.
TOPICS = "http://standards.iso.org/iso/19115/resources/Codelists/gml/MD_TopicCategoryCode.xml"
#: 基础地理信息要素分类与代码: the first digit is the main class (大类).
GB_13923 = "GB/T 13923"
MAIN_CLASSES: Mapping[str, Text] = {
    "1": Text("定位基础", "Positioning base"),
    "2": Text("水系", "Hydrography"),
    "3": Text("居民地及设施", "Settlements and facilities"),
    "4": Text("交通", "Transport"),
    "5": Text("管线", "Pipelines"),
    "6": Text("境界与政区", "Boundaries and administrative areas"),
    "7": Text("地貌", "Relief"),
    "8": Text("植被与土质", "Vegetation and soil"),
}
#: Topic and class of the city's own layers; None where the class has no such features.
STANDARD: Mapping[str, tuple[Topic, str | None]] = {
    "admin-areas": ("boundaries", "600000"),
    "buildings": ("structure", "300000"),
    "buildings-3d": ("structure", "300000"),
    "roads": ("transportation", "400000"),
    "water": ("inlandWaters", "200000"),
    "land-use": ("planningCadastre", None),
    "places": ("location", None),
    "addresses": ("location", None),
    "pois": ("location", "300000"),
    "pipelines": ("utilitiesCommunication", "500000"),
    "pipe-nodes": ("utilitiesCommunication", "500000"),
    "cameras": ("structure", "300000"),
    "dem": ("elevation", "700000"),
    "dsm": ("elevation", "700000"),
    "contours": ("elevation", "700000"),
    "hillshade": ("elevation", "700000"),
    "slope": ("elevation", "700000"),
    "aspect": ("elevation", "700000"),
    "land-cover": ("imageryBaseMapsEarthCover", "800000"),
    "imagery": ("imageryBaseMapsEarthCover", None),
    "drg": ("imageryBaseMapsEarthCover", None),
    "grid-cells": ("society", None),
    "components": ("structure", "300000"),
    "cases": ("society", None),
    "control-lines": ("planningCadastre", None),
    "open-control-lines": ("planningCadastre", None),
    "control-zones": ("planningCadastre", None),
    "control-plan": ("planningCadastre", None),
    "redlines": ("planningCadastre", None),
    "notices": ("planningCadastre", None),
    "positions": ("transportation", None),
    "trajectories": ("transportation", None),
}


def main_class(code: str) -> Text:
    """The name of a code's main class; the code itself where there is none."""
    return MAIN_CLASSES.get(code[0], Text(code, code))
