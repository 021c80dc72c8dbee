"""Overlay 叠加 of two sets of features on the plane: what of one lies in the other, with the attributes of both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import Features, Objects

How = Literal["intersection", "union", "difference", "symmetric-difference", "clip"]
#: Most pairs of features that meet.
MAX_PAIRS = 500_000

type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of the result: their ``shapes``, and of which feature of either set each is (-1: none)."""

    shapes: Objects
    of: Ints
    and_of: Ints


def overlay(features: Features, other: Features, how: How) -> Pieces:
    """The pieces of an overlay, each of the dimension of the feature it is cut from.

    ``intersection``: of every pair that meets, what both cover. ``clip``: what the ``other`` ones together cover.
    ``difference``: what they do not. ``symmetric-difference``: what one of the two sets covers alone; ``union``: that
    and the intersection. Features of one set that overlap each other stay so. The latter two, and whatever is laid
    over, need areas. Raises :class:`AnalysisError`, :class:`TooMuch`.
    """
    _check(features, other, how)
    one, two = features.shapes, other.shapes
    pairs = _pairs(one, two)
    parts = list(_parts(one, two, pairs, how))
    return _trimmed(parts, shapely.get_dimensions(one), shapely.get_dimensions(two))


def joined_properties(features: Features, other: Features, pieces: Pieces) -> list[dict[str, Any]]:
    """The attributes of each piece: those of both features; where names clash the second's end in ``_2``."""
    names = {name for about in features.properties[:1] for name in about}
    renamed = [{f"{k}_2" if k in names else k: v for k, v in about.items()} for about in other.properties]
    empty_one = dict.fromkeys(features.properties[0]) if len(features) else {}
    empty_two = dict.fromkeys(renamed[0]) if renamed else {}
    found = []
    for one, two in zip(pieces.of.tolist(), pieces.and_of.tolist(), strict=True):
        ids = {"id": None if one < 0 else features.ids[one], "id_2": None if two < 0 else other.ids[two]}
        about = features.properties[one] if one >= 0 else empty_one
        found.append({**about, **(renamed[two] if two >= 0 else empty_two), **ids})
    return found


def _check(features: Features, other: Features, how: How) -> None:
    if not other.of_dimension(2):
        raise AnalysisError("input 'other' has features that are no areas; overlay lays areas over features")
    if how in ("union", "symmetric-difference") and not features.of_dimension(2):
        raise AnalysisError(f"input 'features' has features that are no areas, and the {how} is of areas")


def _pairs(one: Objects, two: Objects) -> tuple[Ints, Ints]:
    first, second = shapely.STRtree(two).query(one, predicate="intersects")
    if len(first) > MAX_PAIRS:
        raise TooMuch(f"{len(first)} pairs of features meet, more than {MAX_PAIRS}; ask for fewer features")
    return first, second


def _parts(one: Objects, two: Objects, pairs: tuple[Ints, Ints], how: How) -> Iterator[Pieces]:
    first, second = pairs
    if how in ("intersection", "union"):
        yield Pieces(np.asarray(shapely.intersection(one[first], two[second])), first, second)
    if how == "clip":
        met, cover = _covers(two, first, second)
        yield Pieces(np.asarray(shapely.intersection(one[met], cover)), met, np.full(len(met), -1))
    if how in ("difference", "symmetric-difference", "union"):
        yield _left(one, two, first, second)
    if how in ("symmetric-difference", "union"):
        rest = _left(two, one, second, first)
        yield Pieces(rest.shapes, rest.and_of, rest.of)


def _left(one: Objects, two: Objects, first: Ints, second: Ints) -> Pieces:
    """What of each of the first is not covered by the second."""
    met, cover = _covers(two, first, second)
    shapes = one.copy()
    shapes[met] = shapely.difference(one[met], cover)
    return Pieces(shapes, np.arange(len(one)), np.full(len(one), -1))


def _covers(two: Objects, first: Ints, second: Ints) -> tuple[Ints, Objects]:
    """The numbers of the first that meet some of the second, and what these cover together."""
    order = np.argsort(first, kind="stable")
    met, start = np.unique(first[order], return_index=True)
    groups = np.split(second[order], start[1:]) if len(met) else []
    cover = np.empty(len(met), dtype=object)
    for i, group in enumerate(groups):
        cover[i] = shapely.union_all(two[group]) if len(group) > 1 else two[group[0]]
    return met, cover


def _trimmed(parts: list[Pieces], one: NDArray[Any], two: NDArray[Any]) -> Pieces:
    """All pieces, each only as far as it has the dimension of the feature that it is cut from, without empty ones."""
    shapes = np.concatenate([part.shapes for part in parts])
    of, and_of = (np.concatenate([getattr(part, name) for part in parts]) for name in ("of", "and_of"))
    wanted = np.where(of >= 0, one[of], two[and_of]) if len(shapes) else np.zeros(0, int)
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)  # GeometryCollection
    for i in mixed.tolist():
        inner = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(inner[shapely.get_dimensions(inner) == wanted[i]])
    kept = ~shapely.is_empty(shapes) & (shapely.get_dimensions(shapes) == wanted)
    return Pieces(shapes[kept], of[kept], and_of[kept])
