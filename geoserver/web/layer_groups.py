"""Which part of the city's work a layer belongs to: how the layer list of the map is divided."""

from grid.layers import GRID_LAYERS
from layers.base_layers import NETWORK_LAYERS
from layers.catalogue import Layer
from layers.derived.layers import DERIVED_LAYERS
from layers.pipes.layers import PIPE_LAYERS
from planning.layers import PLANNING_LAYERS
from planning.massing.layers import SCHEMES_3D
from tracking.layers import TRACKING_LAYERS

#: Group → the ids of the layers that each city has in it. What is in none is the city's own: ``thematic``.
_MEMBERS = {
    "grid": frozenset(layer.id for layer in GRID_LAYERS),
    "planning": frozenset(layer.id for layer in PLANNING_LAYERS) | {SCHEMES_3D.layer.id},
    "tracking": frozenset(layer.id for layer in TRACKING_LAYERS),
    "pipes": frozenset(layer.id for layer in PIPE_LAYERS),
    "network": frozenset(layer.id for layer in NETWORK_LAYERS) | {"cameras"},
    "relief": frozenset(derived.layer.id for derived in DERIVED_LAYERS),
}


#: The keyword of layers that another server gives, while they are on the map.
ELSEWHERE = "elsewhere"


def group_of(layer: Layer) -> str:
    """``grid``, ``planning``, ``tracking``, ``pipes``, ``network``, ``relief`` (imagery, terrain), ``elsewhere`` (other
    servers) or ``thematic``."""
    if ELSEWHERE in layer.keywords:
        return "elsewhere"
    if layer.kind == "coverage":
        return "relief"
    return next((group for group, members in _MEMBERS.items() if layer.id in members), "thematic")
