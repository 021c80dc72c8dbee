"""The documents of a tileset: implicit trees below explicit groups, or all tiles one by one."""

from collections.abc import Mapping
from typing import Any

from tiles.three_d.levels import GROUP, GROUP_ERROR, LEVELS, ROOT_ERROR, TILESET_ERROR, Address
from tiles.three_d.reading import Extent
from tiles.three_d.subtree import TILE_SCHEMA, region, with_above

type Json = dict[str, Any]

#: Of a tileset without a building.
_NOWHERE = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def tileset(roots: Mapping[Address, Extent], *, explicit: bool) -> Json:
    """``tileset.json`` of a layer: the roots that have something, gathered in groups."""
    groups: dict[Address, list[Json]] = {}
    extents: dict[Address, Extent] = {}
    for root, found in sorted(roots.items()):
        # the quarters of an implicit root are those of its region, so that is the whole cell
        extent = found if explicit else Extent(*root.box, found.low, found.high)
        group = root.above(GROUP)
        groups.setdefault(group, []).append(_outside(root, extent) if explicit else _implicit(root, extent))
        extents[group] = extents[group].with_(extent) if group in extents else extent
    children = [_node(extents[group], GROUP_ERROR, children) for group, children in groups.items()]
    whole: Extent | None = None
    for extent in extents.values():
        whole = whole.with_(extent) if whole else extent
    document: Json = {"asset": {"version": "1.1", "generator": "CityMap"}, "geometricError": TILESET_ERROR}
    if not explicit and roots:
        document["schema"] = TILE_SCHEMA
    root_node: Json = {
        "boundingVolume": {"region": region(whole) if whole else _NOWHERE},
        "geometricError": TILESET_ERROR,
        "refine": "ADD",
    }
    if children:
        root_node["children"] = children
    return {**document, "root": root_node}


def together(parts: Mapping[str, Json]) -> Json:
    """``tileset.json`` whose contents are other tilesets by their addresses (external tilesets, OGC 22-025r4)."""
    there = {uri: part for uri, part in parts.items() if part["root"].get("children")}
    boxes = [part["root"]["boundingVolume"]["region"] for part in there.values()]
    whole = [f(box[n] for box in boxes) for n, f in enumerate((min, min, max, max, min, max))] if boxes else _NOWHERE
    children = [
        {
            "boundingVolume": part["root"]["boundingVolume"], "geometricError": TILESET_ERROR,
            "content": {"uri": uri},
        }
        for uri, part in there.items()
    ]  # fmt: skip
    root: Json = {"boundingVolume": {"region": whole}, "geometricError": TILESET_ERROR, "refine": "ADD"}
    if children:
        root["children"] = children
    return {"asset": {"version": "1.1", "generator": "CityMap"}, "geometricError": TILESET_ERROR, "root": root}


def root_tileset(tiles: Mapping[Address, Extent], root: Address) -> Json:
    """``tileset.json`` of one root, its tiles one by one."""
    there = with_above(tiles, root)
    nodes: dict[Address, Json] = {}
    for tile in sorted(there, reverse=True):
        level, x, y = tile.place(root)
        node = _node(there[tile], 0.0 if level == LEVELS - 1 else ROOT_ERROR / 2**level, [])
        if tile in tiles:
            node["content"] = {"uri": f"{level}/{x}/{y}.glb"}
        nodes[tile] = node
    for tile, node in sorted(nodes.items(), reverse=True):
        if tile != root:
            nodes[tile.above(tile.z - 1)].setdefault("children", []).append(node)
    top = nodes.get(root) or {"boundingVolume": {"region": _NOWHERE}, "geometricError": 0.0}
    return {
        "asset": {"version": "1.1", "generator": "CityMap"},
        "geometricError": ROOT_ERROR,
        "root": {**top, "refine": "ADD"},
    }


def _node(extent: Extent, error: float, children: list[Json]) -> Json:
    node: Json = {"boundingVolume": {"region": region(extent)}, "geometricError": error}
    return {**node, "children": children} if children else node


def _implicit(root: Address, extent: Extent) -> Json:
    here = f"{root.row}/{root.column}"
    return {
        "boundingVolume": {"region": region(extent)},
        "geometricError": ROOT_ERROR,
        "refine": "ADD",
        "content": {"uri": f"{here}/{{level}}/{{x}}/{{y}}.glb"},
        "implicitTiling": {
            "subdivisionScheme": "QUADTREE",
            "subtreeLevels": LEVELS,
            "availableLevels": LEVELS,
            "subtrees": {"uri": f"{here}/{{level}}/{{x}}/{{y}}.subtree"},
        },
    }


def _outside(root: Address, extent: Extent) -> Json:
    """A root whose tree is a tileset of its own."""
    node = _node(extent, ROOT_ERROR, [])
    return {**node, "content": {"uri": f"{root.row}/{root.column}/tileset.json"}}
