"""The most probable sequence of candidates (Viterbi 1967), over several chains at once where the track breaks."""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


class Viterbi:
    """Goes on from fix to fix: ``emission`` (n, k) and ``transition`` (n - 1, k, k) are logarithms, -inf for none."""

    def __init__(self) -> None:
        self._best: Floats | None = None
        self._back: list[Ints] = []
        self._begins: list[bool] = []
        self._ends: list[int] = []

    def go_on(self, emission: Floats, transition: Floats) -> None:
        """Add n fixes; ``transition[i]`` leads to the i-th of them, the first one from the fix before these."""
        for chances, steps in zip(emission, transition, strict=True):
            self._step(chances, steps)

    def _step(self, chances: Floats, steps: Floats) -> None:
        if self._best is not None:
            reach = self._best[:, None] + steps
            back = reach.argmax(axis=0)
            best = reach[back, np.arange(len(back))] + chances
            if best.max() > -np.inf:
                self._ends.append(int(self._best.argmax()))
                self._best = best
                self._back.append(back)
                self._begins.append(False)
                return
            self._ends.append(int(self._best.argmax()))
        self._best = chances
        self._back.append(np.zeros(len(chances), np.int64))
        self._begins.append(True)

    def chosen(self) -> tuple[Ints, NDArray[np.bool_]]:
        """The chosen candidate of each fix, and at which fixes a new chain begins: (n,)."""
        count = len(self._back)
        found = np.zeros(count, np.int64)
        if self._best is None:
            return found, np.zeros(0, bool)
        ends = [*self._ends, int(self._best.argmax())]
        at = ends[-1]
        for n in range(count - 1, -1, -1):
            found[n] = at
            at = ends[n - 1] if self._begins[n] and n else int(self._back[n][at])
        return found, np.array(self._begins)
