"""A query result on its way out: its columns, its bounds, and its rows batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, String, TextClause, cast, func, select, text
from sqlalchemy.types import TypeEngine

from layers.catalogue import Field, Layer
from layers.exporting.errors import ExportTooLarge

#: Rows fetched at once: the unit of memory.
BATCH_ROWS = 2000

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one export: rows, bytes of the result, and bytes of disk that must stay free while it is made."""

    rows: int = 5_000_000
    bytes: int = 8 * 2**30
    free_bytes: int = 2**30


class Selection:
    """The rows of one export.

    ``statement`` selects ``id``, fields of the layer and ``geom``; a plain text statement selects all fields.
    ``srid`` is the CRS of the geometries that come out, (east, north) order. The connection must stay in its
    transaction, and be used by nobody else, until the last batch is read.
    """

    def __init__(
        self, conn: Connection, statement: Select[Any] | TextClause, layer: Layer, srid: int, limits: Limits
    ) -> None:
        self.layer = layer
        self.srid = srid
        self.limits = limits
        self.rows = 0
        self._conn = conn
        selected = _typed(statement, layer) if isinstance(statement, TextClause) else statement
        self._source = selected.subquery("selected")
        self.fields: tuple[Field, ...] = tuple(f for f in layer.fields if f.name in self._source.c)
        #: The geometry in the asked CRS, NULL where there is none.
        self.geometry: ColumnElement[Any] = func.ST_Transform(cast(self._source.c.geom, Geometry), srid)

    def has_more_than(self, rows: int) -> bool:
        """Whether the result has more rows than that; counts no further."""
        few = select(self._source.c.id).limit(rows + 1).subquery()
        return bool(self._conn.execute(select(func.count()).select_from(few)).scalar_one() > rows)

    def batches(self, *geometry: ColumnElement[Any], with_geometry_only: bool = False) -> Iterator[Sequence[Row]]:
        """Rows of (id, the fields' values, the given geometry expressions).

        Raises ExportTooLarge at the first row too many. ``with_geometry_only`` leaves out rows without a geometry.
        """
        columns = self._source.c
        statement = select(columns.id, *(columns[f.name] for f in self.fields), *geometry)
        if with_geometry_only:
            statement = statement.where(cast(columns.geom, Geometry).is_not(None))
        statement = statement.limit(self.limits.rows + 1)
        # The whole result is read, so the planner must not prefer a plan with early first rows.
        self._conn.execute(text("SET LOCAL cursor_tuple_fraction = 1"))
        with self._conn.execute(statement, execution_options={"yield_per": BATCH_ROWS}) as result:
            for batch in result.partitions():
                self.rows += len(batch)
                if self.rows > self.limits.rows:
                    raise ExportTooLarge(
                        f"结果超过 {self.limits.rows} 行，请缩小范围或条件",
                        f"the result has more than {self.limits.rows} rows: narrow the area or the filter",
                    )
                yield batch

    def check_disk(self, directory: Path) -> None:
        """Raise ExportTooLarge if the files made in a directory exceed the bounds or leave too little room."""
        size = sum(file.stat().st_size for file in directory.iterdir())
        self.check_bytes(size)
        free = disk_usage(directory).free
        if free < self.limits.free_bytes:
            raise ExportTooLarge(
                f"临时目录 {directory} 剩余空间不足（{free} 字节）",
                f"the disk of the temporary directory {directory} has only {free} bytes left",
            )

    def check_bytes(self, size: int) -> None:
        """Raise ExportTooLarge if that is more than an export may have."""
        if size > self.limits.bytes:
            raise ExportTooLarge(
                f"结果超过 {self.limits.bytes} 字节，请缩小范围或条件",
                f"the result has more than {self.limits.bytes} bytes: narrow the area or the filter",
            )


def _typed(statement: TextClause, layer: Layer) -> Any:
    columns: dict[str, TypeEngine[Any]] = {f.name: String() for f in layer.fields}
    return statement.columns(id=BigInteger(), **columns, geom=Geometry())
