"""The layers that every city has because the server itself works with them."""

from grid.layers import GRID_LAYERS
from layers.base_coverages import BASE_COVERAGES
from layers.base_layers import BASE_LAYERS, NETWORK_LAYERS
from layers.derived.layers import DERIVED_LAYERS, SURFACES
from layers.pipes.layers import PIPE_LAYERS
from layers.stewardship.model import CityLayers
from planning.layers import PLANNING_LAYERS
from planning.massing.layers import SCHEMES_3D
from tracking.layers import TRACKING_LAYERS

OWN_LAYERS = CityLayers(
    frozenset(
        layer.id
        for layer in (
            *BASE_LAYERS, *NETWORK_LAYERS, *PIPE_LAYERS, *GRID_LAYERS, *PLANNING_LAYERS, *TRACKING_LAYERS,
            *(one.layer for one in (*BASE_COVERAGES, *SURFACES, *DERIVED_LAYERS, SCHEMES_3D)),
        )
    )
)  # fmt: skip
