"""What processes on pipes answer. Lengths and levels in metres, diameters in millimetres, places in degrees."""

from dataclasses import dataclass
from typing import Any

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class TracedNode:
    """A node by its number: ``id`` of its feature, null where the layer has none of it."""

    node: str | None
    id: int | None
    fitting: str | None
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class ValveToClose:
    """A valve at the edge of what is cut out. ``needed``: water comes from beyond it, so it must be closed."""

    node: str | None
    id: int | None
    longitude: float
    latitude: float
    needed: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class CutOff:
    """What has no water once the valves are closed; null counts where the network has no source that is known."""

    nodes: int
    customers: int
    demand: float
    fed: bool
    affected: tuple[TracedNode, ...]


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """Pipes that were reached (GeoJSON), with the nodes that matter; of a burst also the valves and who is cut off.

    ``distance`` of a pipe is from the start to where it is entered. ``undirected`` pipes were followed either way,
    ``assumed`` ones as they were drawn, because neither a survey nor inverts tell their direction.
    """

    mode: str
    count: int
    length: float
    undirected: int
    assumed: int
    pipes: dict[str, Any]
    nodes: tuple[TracedNode, ...]
    valves: tuple[ValveToClose, ...]
    cut_off: CutOff | None
    warnings: tuple[Text, ...]
