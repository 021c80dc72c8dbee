"""Rows as Arrow record batches with WKB geometries: what GDAL and Parquet take."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import LargeBinary, func

from layers.catalogue import Field, FieldType
from layers.exporting.selection import Row, Selection

GEOMETRY = "geom"

_TYPES: dict[FieldType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": pa.timestamp("ms", tz="UTC"),
    "string-array": pa.list_(pa.string()),
}
#: Turns the values of one column into what the format stores.
Convert = Callable[[Sequence[Any]], Sequence[Any]]


class ArrowRows:
    """A selection as a stream of record batches (id, fields, geometry).

    ``lists_as_json`` writes lists of texts as JSON, for formats without lists; ``names`` renames fields; ``convert``
    changes a field's values to texts. Field titles travel as GDAL's alternative names. ``directory`` is where the file
    grows: its bounds are checked at every batch. ``error`` keeps what went wrong while reading, because the C stream
    passes on its text only.
    """

    def __init__(
        self,
        selection: Selection,
        directory: Path,
        *,
        lists_as_json: bool = True,
        names: dict[str, str] | None = None,
        convert: dict[str, Convert] | None = None,
        with_geometry_only: bool = False,
    ) -> None:
        self.error: Exception | None = None
        self._selection = selection
        self._directory = directory
        self._with_geometry_only = with_geometry_only
        self._convert = dict(convert or {})
        texts = set(self._convert)
        if lists_as_json:
            arrays = [f.name for f in selection.fields if f.type == "string-array"]
            self._convert = dict.fromkeys(arrays, json_texts) | self._convert
            texts |= set(arrays)
        self.schema = _schema(selection.fields, texts, names or {})

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches."""
        wkb = func.ST_AsBinary(self._selection.geometry, type_=LargeBinary)
        try:
            for rows in self._selection.batches(wkb, with_geometry_only=self._with_geometry_only):
                self._selection.check_disk(self._directory)
                yield self._batch(rows)
        except Exception as error:
            self.error = error
            raise

    def reader(self) -> pa.RecordBatchReader:
        """The record batches as a stream that C libraries can read."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def _batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for i, field in enumerate(self._selection.fields, start=1):
            if field.name in self._convert:
                columns[i] = self._convert[field.name](columns[i])
        arrays = [pa.array(column, type=f.type) for column, f in zip(columns, self.schema, strict=True)]
        return pa.record_batch(arrays, schema=self.schema)


def _schema(fields: Sequence[Field], texts: set[str], names: dict[str, str]) -> pa.Schema:
    titles = [f.title.zh for f in fields]
    return pa.schema([
        pa.field("id", pa.int64(), nullable=False),
        *(
            pa.field(
                names.get(f.name, f.name),
                pa.string() if f.name in texts else _TYPES[f.type],
                # GeoPackage wants titles unique within a table.
                metadata={"GDAL:OGR:alternative_name": f.title.zh} if titles.count(f.title.zh) == 1 else None,
            )
            for f in fields
        ),
        pa.field(GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}),
    ])


def json_texts(values: Sequence[Any]) -> list[str | None]:
    """Lists as JSON texts."""
    return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]


def iso_texts(values: Sequence[Any]) -> list[str | None]:
    """Dates and times as ISO 8601 texts."""
    return [None if value is None else value.isoformat() for value in values]
