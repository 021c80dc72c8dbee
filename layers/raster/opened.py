"""Files of the store that stay open: opening a COG and reading its directory costs more than reading a tile of it.

The store's files never change, so an open one is good for ever; that it was removed meanwhile does no harm.
"""

import atexit
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio

#: Files that stay open while nobody reads them.
MOST_IDLE = 96


class OpenFiles:
    """A pool, safe for threads: GDAL's datasets are not, so each is lent to one reader at a time."""

    def __init__(self, most: int = MOST_IDLE) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: OrderedDict[Path, list[Any]] = OrderedDict()
        self._count = 0

    @contextmanager
    def dataset(self, path: Path) -> Iterator[Any]:
        """The opened file, for the block. One that fails in the block is closed."""
        dataset = self._taken(path) or rasterio.open(path)
        try:
            yield dataset
        except BaseException:
            dataset.close()
            raise
        for surplus in self._given_back(path, dataset):
            surplus.close()

    def _taken(self, path: Path) -> Any:
        with self._lock:
            idle = self._idle.get(path)
            if not idle:
                return None
            self._count -= 1
            dataset = idle.pop()
            if not idle:
                del self._idle[path]
            return dataset

    def _given_back(self, path: Path, dataset: Any) -> list[Any]:
        """Keep the file open; answers with those that nobody has read for longest, if there are too many."""
        surplus = []
        with self._lock:
            self._idle.setdefault(path, []).append(dataset)
            self._idle.move_to_end(path)
            self._count += 1
            while self._count > self._most:
                oldest, idle = next(iter(self._idle.items()))
                surplus.append(idle.pop(0))
                self._count -= 1
                if not idle:
                    del self._idle[oldest]
        return surplus


    def close(self) -> None:
        """Close what nobody reads."""
        with self._lock:
            idle, self._idle, self._count = self._idle, OrderedDict(), 0
        for datasets in idle.values():
            for dataset in datasets:
                dataset.close()


OPEN = OpenFiles()
atexit.register(OPEN.close)
