"""Thesauri of every record: ISO topic categories and GB/T 13923; what base layers are until a steward says more."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

from layers.catalogue import Text
from layers.exchange.records.model import Topic

#: The code list of ISO 19115's topic categories.
TOPICS = "http://standards.iso.org/iso/19115/resources/Codelists/gml/MD_TopicCategoryCode.xml"
GB_13923 = "GB/T 13923"
#: What is said of codes that nobody has checked against the standard's text, which was not to be had.
UNCHECKED = Text("未对照标准文本核对", "not checked against the text of the standard")
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


@dataclass(frozen=True, slots=True)
class Classes:
    """基础地理信息要素分类与代码: names of main classes (大类) by the first digit of a code, and the codes of layers of
    which no steward says one. ``checked``: the city has compared them with the standard."""

    names: Mapping[str, Text]
    layers: Mapping[str, str]
    checked: bool = False

    def name(self, code: str) -> Text:
        """The name of a code's main class; the code itself where there is none."""
        return self.names.get(code[0], Text(code, code))


@cache
def shipped() -> Classes:
    """The table that comes with the server (``gb13923.csv``, with the provenance of each row)."""
    rows = csv.DictReader(StringIO(files(__package__).joinpath("gb13923.csv").read_text("utf-8")))
    names = {row["digit"]: Text(row["zh"], row["en"]) for row in rows}
    return Classes(names, {layer: code for layer, (_, code) in STANDARD.items() if code})
