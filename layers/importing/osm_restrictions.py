"""OpenStreetMap relations of ``type=restriction`` as rows of the layer ``turn-restrictions``.

Meaning of the members and tags: the OpenStreetMap wiki's page "Relation:restriction". Restrictions of some vehicles
only (``restriction:hgv``), at some hours only (``restriction:conditional``), or from which cars are exempt are left
out: the network knows neither. So are those by way of a road between (``via`` a way), which is no one junction.
"""

from itertools import product
from typing import Any

from layers.base_layers import TURN_KINDS
from layers.catalogue import Text
from layers.importing.osm_attributes import Attributes, Tags

TURNS_BY_WAY = Text("转向限制经由一段道路，不只一个路口", "the turn restriction is by way of a road between")
_CARS = {"motorcar", "motor_vehicle", "vehicle"}


def via_nodes(relation: Any) -> list[int]:
    """The nodes at which the relation restricts turns."""
    return [member.ref for member in relation.members if member.type == "n" and member.role == "via"]


def has_way_between(relation: Any) -> bool:
    """Whether a road lies between the two that are restricted."""
    return any(member.type == "w" and member.role == "via" for member in relation.members)


def restriction_rows(relation: Any, tags: Tags) -> list[tuple[int, Attributes]]:
    """The node and the attributes of each restricted pair of roads; several roads make several pairs."""
    kind = tags.get("restriction")
    exempt = {part.strip() for part in (tags.get("except") or "").split(";")}
    if kind not in TURN_KINDS or exempt & _CARS:
        return []
    ways: dict[str, list[int]] = {"from": [], "to": []}
    for member in relation.members:
        if member.type == "w" and member.role in ways:
            ways[member.role].append(member.ref)
    return [
        (node, {"kind": kind, "from_road": f"way/{came}", "to_road": f"way/{goes}"})
        for node in via_nodes(relation)
        for came, goes in product(ways["from"], ways["to"])
    ]
