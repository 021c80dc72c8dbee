"""Criteria and limits of a site selection, and what a distance is worth. No I/O."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from layers.catalogue import Text

_Id = Annotated[str, Field(min_length=1, max_length=60)]
_Metres = Annotated[float, Field(ge=0, le=20_000)]


@dataclass(frozen=True, slots=True)
class Limit:
    """A hard limit: features of a layer (those whose ``field`` has the ``value``) lie within ``distance`` [m], or none
    does."""

    layer: _Id
    distance: _Metres
    rule: Literal["within", "beyond"]
    field: _Id | None = None
    value: Annotated[str, Field(max_length=200)] | None = None

    def holds(self, distance: float | None) -> bool:
        """Whether the nearest feature's distance [m] satisfies it; None where there is none that near."""
        near = distance is not None and distance <= self.distance
        return near if self.rule == "within" else not near or distance == self.distance

    @property
    def reach(self) -> float:
        """How far features matter [m]."""
        return self.distance


@dataclass(frozen=True, slots=True)
class Criterion:
    """The distance [m] to the nearest feature of a layer: worth 1 at ``best`` and 0 at ``worst``, straight between.

    ``best`` below ``worst`` wants it near, above it far.
    """

    layer: _Id
    best: _Metres
    worst: _Metres
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    field: _Id | None = None
    value: Annotated[str, Field(max_length=200)] | None = None

    def score(self, distance: float | None) -> float:
        """0 to 1; None: farther than both."""
        if distance is None:
            return 1.0 if self.best > self.worst else 0.0
        if self.best == self.worst:
            return 1.0 if distance <= self.best else 0.0
        return min(1.0, max(0.0, (self.worst - distance) / (self.worst - self.best)))

    @property
    def reach(self) -> float:
        """How far features matter [m]."""
        return max(self.best, self.worst)


@dataclass(frozen=True, slots=True)
class Reason:
    """What one criterion gave: the distance [m] (None: farther than it looks), its score and weight."""

    layer: str
    value: str | None
    distance: float | None
    score: float
    weight: float
    text: Text


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate by its score (0 to 1, the weighted mean), with the reasons. ``area`` [m²] on the ellipsoid."""

    rank: int
    id: int
    name: str | None
    land_code: str | None
    area: float
    score: float
    reasons: tuple[Reason, ...]
    geometry: dict[str, Any]


def reason(criterion: Criterion, distance: float | None) -> Reason:
    """What a criterion says of a distance."""
    of = f"{criterion.layer}" + (f"（{criterion.value}）" if criterion.value else "")
    of_en = f"{criterion.layer}" + (f" ({criterion.value})" if criterion.value else "")
    score = round(criterion.score(distance), 4)
    far = f"超过 {criterion.reach:g} 米", f"more than {criterion.reach:g} m"
    zh, en = far if distance is None else (f"{distance:.0f} 米", f"{distance:.0f} m")
    shown = None if distance is None else round(distance, 2)
    text = Text(f"距 {of} {zh}，得 {score:.2f}", f"{en} from {of_en}, worth {score:.2f}")
    return Reason(criterion.layer, criterion.value, shown, score, criterion.weight, text)
