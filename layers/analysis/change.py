"""Change detection 变化检测 between two dates of one place.

The later image is brought to the earlier one's light by a line per band through what did not change: the pixels where
the two agree best, found again after each fit (pseudo-invariant features; Du, Teillet and Cihlar 2002). Then either the
difference of an index, or the length of the change vector (CVA; Malila 1980), each measured in standard deviations of
what did not change, is compared with a threshold; patches smaller than the minimum mapping unit are left out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from layers.analysis.errors import AnalysisError

#: Rounds of fitting, and the share of pixels that each keeps as unchanged.
_ROUNDS, _KEPT = 5, 0.7
#: A normal distribution's standard deviation per median absolute deviation.
_MAD = 1.4826
#: Least number of pixels that both dates know, for a fit.
_LEAST = 50

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fit:
    """How the later image is brought to the earlier one's light: per band ``gain`` and ``offset``, and on the share of
    pixels that this rests on."""

    gain: Floats
    offset: Floats
    share: float


@dataclass(frozen=True, slots=True)
class Change:
    """``score`` (rows, columns): how many standard deviations a pixel departs from what did not change, NaN unknown;
    ``direction``: the signed difference of the index (NaN for vectors); ``threshold`` [standard deviations]."""

    score: Floats
    direction: Floats
    threshold: float


def normalise(before: Floats, after: Floats) -> tuple[Floats, Fit]:
    """The later image (bands, rows, columns; NaN unknown) in the earlier one's light.

    Raises :class:`AnalysisError` where the two know too few pixels in common, or one is uniform.
    """
    known = np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0)
    if known.sum() < _LEAST:
        raise AnalysisError(
            f"the two dates know only {int(known.sum())} pixels in common; choose another place or time"
        )
    one, two = before[:, known], after[:, known]
    unchanged = np.ones(one.shape[1], bool)
    gain, offset = np.ones(len(one)), np.zeros(len(one))
    for _ in range(_ROUNDS):
        gain, offset = _line(one[:, unchanged], two[:, unchanged])
        left = one - (gain[:, None] * two + offset[:, None])
        far = np.sqrt(((left / np.maximum(_spread(left[:, unchanged]), 1e-12)[:, None]) ** 2).sum(axis=0))
        unchanged = far <= np.quantile(far, _KEPT)
    share = float(unchanged.mean())
    return gain[:, None, None] * after + offset[:, None, None], Fit(gain, offset, share)


def index_change(before: Floats, after: Floats, threshold: float | None) -> Change:
    """By the difference of a normalised index (a − b) / (a + b) of the first two bands."""
    difference = _index(after) - _index(before)
    known = difference[np.isfinite(difference)]
    centre = float(np.median(known))
    spread = max(float(np.median(np.abs(known - centre))) * _MAD, 1e-12)
    score = np.abs(difference - centre) / spread
    return Change(score, difference, threshold if threshold is not None else _otsu(score))


def vector_change(before: Floats, after: Floats, threshold: float | None) -> Change:
    """By the length of the change vector, each band in its own standard deviations of what did not change."""
    difference = after - before
    flat = difference[:, np.isfinite(difference).all(axis=0)]
    centre = np.median(flat, axis=1)[:, None, None]
    spread = np.maximum(_spread(flat), 1e-12)[:, None, None]
    score = np.sqrt((((difference - centre) / spread) ** 2).mean(axis=0))
    return Change(score, np.full(score.shape, np.nan), threshold if threshold is not None else _otsu(score))


def changed_patches(change: Change, least_cells: float, *, smooth: bool) -> tuple[NDArray[np.int32], int]:
    """Numbers of patches (rows, columns; 0: none) of changed pixels that touch at a side or corner, and how many.

    ``smooth`` asks of each pixel that most of its nine neighbours changed too. Patches of fewer cells are left out.
    """
    found = np.nan_to_num(change.score, nan=0.0) >= change.threshold
    if smooth:
        found = ndimage.uniform_filter(found.astype(np.float64), 3, mode="constant") >= 5 / 9 - 1e-9
        found &= np.isfinite(change.score)
    label, count = ndimage.label(found, structure=np.ones((3, 3)))
    sizes = np.bincount(label.ravel(), minlength=count + 1)
    kept = np.flatnonzero(sizes >= least_cells)
    kept = kept[kept > 0]
    number = np.zeros(count + 1, np.int32)
    number[kept] = np.arange(1, len(kept) + 1)
    return number[label], len(kept)


def confidence(score: Any, threshold: float) -> float:
    """How sure a change is, 0 … 1: 0.5 at the threshold, nearer to 1 the farther beyond it, on the mean of a patch.

    A rank, no probability: nobody has looked at the ground.
    """
    return float(1 - 0.5 * threshold / max(float(np.mean(score)), threshold))


def _line(one: Floats, two: Floats) -> tuple[Floats, Floats]:
    """Per band the line from the later to the earlier image by least squares."""
    mean_one, mean_two = one.mean(axis=1), two.mean(axis=1)
    left, right = two - mean_two[:, None], one - mean_one[:, None]
    variance = (left**2).sum(axis=1)
    if (variance <= 0).any():
        raise AnalysisError("a band of the later date is uniform, so the two cannot be brought to one light")
    gain = (left * right).sum(axis=1) / variance
    return gain, mean_one - gain * mean_two


def _spread(values: Floats) -> Floats:
    """Robust standard deviation of each band."""
    centre = np.median(values, axis=1)[:, None]
    return np.asarray(np.median(np.abs(values - centre), axis=1) * _MAD)


def _index(bands: Floats) -> Floats:
    a, b = bands[0], bands[1]
    total = a + b
    index: Floats = np.divide(a - b, total, out=np.full(a.shape, np.nan), where=np.abs(total) > 1e-9)
    return index


def _otsu(score: Floats) -> float:
    """The threshold that parts a histogram best in two (Otsu 1979), and three standard deviations at least."""
    known = score[np.isfinite(score)]
    top = float(np.quantile(known, 0.999))
    counts, edges = np.histogram(np.minimum(known, top), bins=256)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return max(3.0, float(edges[1 + int(np.nan_to_num(between).argmax())]))
