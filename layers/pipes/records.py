"""Rows of a layer in memory: ids, shapes in CGCS2000 degrees, and columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Records:
    """R rows: ``feature`` (R,) ids, ``shapes`` (R,) in degrees, ``columns`` by name, each (R,).

    Numbers are floats with NaN for null, all else objects with None.
    """

    feature: Ints
    shapes: Objects
    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.feature)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def take(self, rows: Ints) -> "Records":
        """The rows of these numbers, in this order."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Records(self.feature[rows], self.shapes[rows], columns)

    def joined(self, other: "Records") -> "Records":
        """These rows, then the other ones."""
        columns = {name: np.concatenate([values, other[name]]) for name, values in self.columns.items()}
        both = (np.concatenate([self.feature, other.feature]), np.concatenate([self.shapes, other.shapes]))
        return Records(*both, columns)

    def meeting(self, boxes: Sequence[tuple[float, float, float, float]]) -> Flags:
        """Whether each row's box meets one of these (west, south, east, north) [°]."""
        west, south, east, north = shapely.bounds(self.shapes).reshape(-1, 4).T
        found = np.zeros(len(self), dtype=bool)
        for box in boxes:
            found |= (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
        return found

    def row_of(self, feature: int) -> int:
        """The number of the row of that id; -1 for none."""
        found = np.flatnonzero(self.feature == feature)
        return int(found[0]) if len(found) else -1


def records_of(rows: Sequence[Sequence[Any]], numbers: Sequence[str], texts: Sequence[str]) -> Records:
    """Rows of id, WKB in degrees, numbers and texts, in that order of columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * (2 + len(numbers) + len(texts))
    found: dict[str, NDArray[Any]] = {
        name: np.array(values, dtype=np.float64) for name, values in zip(numbers, columns[2:], strict=False)
    }
    for name, values in zip(texts, columns[2 + len(numbers) :], strict=True):
        found[name] = _objects(values)
    shapes = shapely.from_wkb([bytes(wkb) for wkb in columns[1]])
    return Records(np.array(columns[0], dtype=np.int64), _objects(shapes), found)


def _objects(values: Any) -> Objects:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
