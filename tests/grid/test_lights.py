"""Open cases by light: in the legend of the map, and as QGIS gets them."""

from geoserver.web.legend import legend_of
from geoserver.web.palette import LIGHT
from geoserver.web.symbols import symbols_of
from grid.layers import CASES, GRID_LAYERS
from layers.catalogue import Layer


def test_the_legend_names_the_lights_what_has_none_and_what_has_ended() -> None:
    found = [(one["label"], one["color"]) for one in legend_of(CASES, LIGHT, "zh-CN", 0)]
    assert found == [
        ("红", "#d7301f"),
        ("黄", "#f5a623"),
        ("绿", "#2e9e4f"),
        ("未计时", "#7a7f87"),
        ("已终结", "#9aa3ad"),
    ]
    assert [one["label"] for one in legend_of(CASES, LIGHT, "en-US", 0)][3:] == ["No clock yet", "Ended"]


def test_qgis_draws_open_cases_only_by_their_lights() -> None:
    made = symbols_of(CASES, LIGHT, "en-US", 0)
    assert made.expression == 'CASE WHEN "closed_at" IS NULL THEN coalesce("light", \'none\') END'
    assert [(one.values, one.colour) for one in made.classes] == [
        (("red",), "#d7301f"), (("amber",), "#f5a623"), (("green",), "#2e9e4f"), (("none",), "#7a7f87"),
    ]  # fmt: skip


def test_every_class_of_a_styled_layer_is_in_its_legend() -> None:
    """Codes that the field has and the style leaves to its default are told by nothing else."""
    for layer in GRID_LAYERS:
        labels = {one["label"] for one in legend_of(layer, LIGHT, "zh-CN", 0)}
        for name, codes in _classed(layer):
            field = layer.field(name)
            assert field and field.domain
            assert {field.domain[code].zh for code in codes} <= labels


def _classed(layer: Layer) -> list[tuple[str, list[str]]]:
    found = []
    for part in layer.style:
        match part.get("paint", {}).get(f"{part['type']}-color"):
            case ["match", ["get", str(name)], *classes]:
                found.append((name, list(classes[:-1:2])))
    return found
