"""Which ends of pipes meet: by the nodes that they name, else by place."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from layers.pipes.records import Floats, Ints, Objects, Records
from layers.pipes.standards import Standards

#: Ends that name no node meet what is within so much of them [m]. Surveys keep centimetres (CJJ 61: ±5 cm).
TOLERANCE = 0.05
_EARTH = 6_371_007.0
#: Kinds are kept apart by so much [m] in a further dimension.
_APART = 1e8


@dataclass(frozen=True, slots=True)
class Topology:
    """``tail`` and ``head`` (E,) node of each pipe's start and end; ``record`` (N,) row of the node's record or -1;
    ``place`` (N, 2) [°]; ``name`` (N,) the node's number or None."""

    tail: Ints
    head: Ints
    record: Ints
    place: Floats
    name: Objects


def topology_of(pipes: Records, nodes: Records, standards: Standards) -> Topology:
    """Join the ends of pipes with each other and with the nodes' records."""
    count, known = len(pipes), len(nodes)
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(pipes.shapes, end)) for end in (0, -1)]).reshape(-1, 2)
    points = np.vstack([ends, shapely.get_coordinates(nodes.shapes).reshape(-1, 2)])
    names = np.concatenate([pipes["from_node"], pipes["to_node"], nodes["source_id"]])
    number, _ = pd.factorize(names)  # -1 for None
    majors = [standards.kind(kind).major for kind in (*pipes["kind"], *pipes["kind"], *nodes["kind"])]
    links = np.vstack([_same_name(number), _same_place(points, np.unique(majors, return_inverse=True)[1], number)])
    size = len(points)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(size, size))
    node = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64) if size else np.zeros(0, np.int64)
    total = int(node.max()) + 1 if size else 0
    record = np.full(total, -1)
    record[node[2 * count :]] = np.arange(known)
    place, name = np.zeros((total, 2)), np.full(total, None, dtype=object)
    for part in (slice(0, 2 * count), slice(2 * count, None)):  # a record's own place and number come last
        place[node[part]] = points[part]
        told = np.flatnonzero(number[part] >= 0)
        name[node[part][told]] = names[part][told]
    return Topology(node[:count], node[count : 2 * count], record, place, name)


def _same_name(number: Ints) -> Ints:
    """Pairs of ends and records of one name, each with the first of them."""
    told = np.flatnonzero(number >= 0)
    _, first, of = np.unique(number[told], return_index=True, return_inverse=True)
    return np.column_stack([told[first[of]], told]).reshape(-1, 2)


def _same_place(points: Floats, major: Ints, number: Ints) -> Ints:
    """Pairs within the tolerance and of one major kind, of which one has no name."""
    loose = np.flatnonzero(number < 0)
    if not len(loose):
        return np.zeros((0, 2), np.int64)
    space = np.column_stack([_in_space(points), major * _APART])
    near = cKDTree(space[loose]).sparse_distance_matrix(cKDTree(space), TOLERANCE, output_type="ndarray")
    return np.column_stack([loose[near["i"]], near["j"]]).astype(np.int64)


def _in_space(lonlat: Floats) -> Floats:
    """Points on a sphere in space [m], where a short chord is the distance."""
    lon, lat = np.radians(lonlat).T
    flat = np.cos(lat)
    return np.asarray(_EARTH * np.column_stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)]))
