"""COPY of GeoDataFrame batches into a layer's table, in one transaction.

The caller's connection stays in its transaction: a refused or dry run leaves it as it was (a savepoint).
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import psycopg2.errors
import pyarrow as pa
import pyarrow.csv
import shapely
from geopandas import GeoDataFrame
from psycopg2 import sql
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer, Text
from layers.features import RowDenied
from layers.importing.columns import as_text, column, is_null
from layers.importing.errors import ImportRefused, StrictRefusal, UnknownCrs
from layers.importing.geometries import fitted, flat, readable, repaired
from layers.importing.options import Mode
from layers.importing.plausible import check_coordinates
from layers.importing.report import Findings, LoadReport, Remark
from layers.importing.source_crs import transform_to
from layers.importing.staging import STAGE, Relay, Staging
from layers.three_d.shells import SHELL, Drawn, drawn, keep_shells
from layers.versions.imports import Counted, noted

#: Rows sent by one COPY.
BATCH_ROWS = 50_000
#: Bound of one statement of a load [s]; the pool's own bound is meant for requests.
STATEMENT_TIMEOUT = 3600

Progress = Callable[[int], None]


@dataclass(slots=True)
class _Run:
    """What one load knows so far."""

    layer: Layer
    findings: Findings = field(default_factory=Findings)
    read: int = 0
    loaded: int = 0
    fields: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    source_crs: str | None = None
    shells: list[Drawn] = field(default_factory=list)


def load(
    conn: Connection,
    layer: Layer,
    frames: Iterable[GeoDataFrame],
    mode: Mode,
    progress: Progress | None = None,
    *,
    prune: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    encoding: str | None = None,
    warnings: Sequence[Text] = (),
    unused: Sequence[str] = (),
    file: str | None = None,
) -> LoadReport:
    """Load batches into a layer and tell what became of every feature.

    Each frame has its CRS set, (east, north) coordinates, and columns named like the layer's fields; other columns are
    ignored and reported. All frames have the same columns; fields that they lack stay empty (``update``: stay as they
    are). Geometries are made two-dimensional, valid, of the layer's type, in its CRS.

    ``replace`` removes the layer's features first; ``append`` adds; ``update`` recognises features by the layer's key
    field, changes those that differ, leaves equal ones untouched, adds new ones, and with ``prune`` deletes those that
    the source no longer has. ``strict`` refuses instead of repairing or leaving out. ``dry_run`` undoes everything
    at the end. ``progress`` is called with the number of features read so far. ``encoding``, ``warnings`` and
    ``unused`` (source columns that were not handed on) go into the report; ``warnings`` may grow while frames come.
    With the name of the ``file`` the load stands in the layer's list of imports, and can be undone.

    Raises :class:`ImportRefused`, or :class:`RowDenied` where the principal may not edit, having changed nothing.
    """
    started = time.monotonic()
    run = _Run(layer, ignored=tuple(unused))
    savepoint = conn.begin_nested()
    try:
        with _noted(conn, layer, mode, file) as counted:
            inserted, updated, unchanged, deleted = _write(conn, run, frames, mode, prune, progress)
            keep_shells(conn, layer, run.shells)
            counted.inserted, counted.updated = inserted, updated
            counted.unchanged, counted.deleted = unchanged, deleted
            counted.rejected = run.findings.rejected_count
        if strict:
            _refuse_findings(run.findings)
    except psycopg2.errors.UniqueViolation as error:
        savepoint.rollback()
        raise ImportRefused(
            f"标识在文件中重复，或图层中已有：{error.diag.message_detail}请用 update 方式（只取第一个）或另选标识字段",
            f"a key repeats in the file or stands in the layer already: {error.diag.message_detail} "
            "Use the mode update, which takes the first, or another key field",
        ) from error
    except psycopg2.errors.InsufficientPrivilege:
        savepoint.rollback()
        raise RowDenied(f"some features would lie where you may not edit layer {layer.id!r}") from None
    except BaseException:
        savepoint.rollback()
        raise
    if dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    found = run.findings
    for warning in warnings:
        found.warn(warning)
    return LoadReport(
        layer=layer.id, mode=mode, dry_run=dry_run, read=run.read,
        inserted=inserted, updated=updated, unchanged=unchanged, deleted=deleted,
        repaired_count=found.repaired_count, rejected_count=found.rejected_count,
        repaired=tuple(found.repaired), rejected=tuple(found.rejected), warnings=tuple(found.warnings.values()),
        fields=run.fields or (), ignored_fields=run.ignored,
        encoding=encoding, source_crs=run.source_crs, seconds=round(time.monotonic() - started, 3),
        import_id=None if dry_run else counted.id or None,
    )  # fmt: skip


def _noted(conn: Connection, layer: Layer, mode: Mode, file: str | None) -> AbstractContextManager[Counted]:
    return nullcontext(Counted(0)) if file is None else noted(conn, layer.id, mode, file)


def _write(
    conn: Connection, run: _Run, frames: Iterable[GeoDataFrame], mode: Mode, prune: bool, progress: Progress | None
) -> tuple[int, int, int, int]:
    """Numbers of features inserted, updated, unchanged and deleted."""
    conn.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT * 1000:d}"))
    connection: Any = conn.connection.driver_connection
    target = sql.Identifier(DATA_SCHEMA, run.layer.table)
    with connection.cursor() as cursor:
        if mode == "update":
            staging = Staging(cursor, run.layer, target)
            for batch in _batches(run, frames, progress):
                _copy(cursor, run, batch, sql.Identifier(STAGE), staged=True)
            _refuse_nothing(run)
            return staging.merge(run.fields or (), run.findings, prune=prune)
        deleted = 0
        if mode == "replace":
            cursor.execute(sql.SQL("DELETE FROM {}").format(target))
            deleted = cursor.rowcount
            cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(target))
            if cursor.fetchone()[0]:  # policies pass over what may not be deleted
                raise RowDenied(f"layer {run.layer.id!r} cannot be replaced: it has features that you may not delete")
        guarded = Relay(cursor, target)
        relay = guarded if guarded.needed() else None
        for batch in _batches(run, frames, progress):
            _copy(cursor, run, batch, target, staged=False, relay=relay)
        _refuse_nothing(run)
        return run.loaded, 0, 0, deleted


def _batches(run: _Run, frames: Iterable[GeoDataFrame], progress: Progress | None) -> Iterator[GeoDataFrame]:
    for frame in frames:
        for start in range(0, len(frame), BATCH_ROWS):
            batch = frame.iloc[start : start + BATCH_ROWS]
            yield batch
            run.read += len(batch)
            if progress is not None:
                progress(run.read)


def _copy(
    cursor: Any, run: _Run, frame: GeoDataFrame, target: sql.Identifier, *, staged: bool, relay: Relay | None = None
) -> None:
    """Send one batch; features without a usable geometry, or in a staged load without a key, are rejected."""
    _settle_columns(run, frame)
    ids = _ids(frame, run)
    frame, geometries, ids = _fit_geometries(frame, run, ids)
    geometries = shapely.to_wkb(shapely.set_srid(geometries, run.layer.srid), hex=True, include_srid=True)
    if SHELL in frame and "height" in frame and run.layer.field("height"):
        run.shells += drawn(geometries, frame["height"], frame[SHELL].to_numpy(), transform_to(frame.crs, CGCS2000))
    declared = [f for f in run.layer.fields if f.name in (run.fields or ())]
    columns = [pa.array(geometries, type=pa.string())]
    columns += [column(frame[f.name], f, ids, run.findings) for f in declared]
    names = ["geom", *(f.name for f in declared)]
    table = pa.table(columns, names=names)
    if staged:
        table = _keyed(table, run, ids)
    buffer = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    pa.csv.write_csv(table, buffer, options)
    buffer.seek(0)

    def send(into: sql.Identifier) -> None:
        command = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')")
        cursor.copy_expert(command.format(into, sql.SQL(", ").join(map(sql.Identifier, names))), buffer)

    if relay:
        relay.copy(names, send)
    else:
        send(target)
    run.loaded += table.num_rows


def _keyed(table: pa.Table, run: _Run, ids: list[str]) -> pa.Table:
    """The rows that have a key."""
    key = run.layer.key_field
    if key not in table.column_names:
        return table
    has_key = table[key].is_valid()
    missing = Text("没有标识值", "it has no key")
    run.findings.reject([Remark(ids[i], missing) for i, has in enumerate(has_key.to_pylist()) if not has])
    return table.filter(has_key)


def _settle_columns(run: _Run, frame: GeoDataFrame) -> None:
    names = [name for name in frame.columns if name not in (frame.geometry.name, SHELL)]
    known = tuple(f.name for f in run.layer.fields if f.name in names)
    if run.fields is None:
        run.fields = known
        run.ignored += tuple(str(name) for name in names if name not in known)
        key = run.layer.key_field
        if key and key not in known:
            run.findings.warn(Text(f"文件没有标识字段 {key}", f"the file has no key field {key}"))
    elif run.fields != known:
        raise ImportRefused("文件各部分的字段不一致", "the parts of the file have different fields")


def _ids(frame: GeoDataFrame, run: _Run) -> list[str]:
    """How remarks call each feature: its key, or its place in the file."""
    places = [f"#{run.read + i + 1}" for i in range(len(frame))]
    key = run.layer.key_field
    if key is None or key not in frame.columns:
        return places
    keys = frame[key].array
    return [place if is_null(value) else as_text(value) for place, value in zip(places, keys, strict=True)]


def _fit_geometries(frame: GeoDataFrame, run: _Run, ids: list[str]) -> tuple[GeoDataFrame, Any, list[str]]:
    """The rows with usable geometries, these geometries in the layer's CRS, and the rows' ids."""
    if frame.crs is None:
        raise UnknownCrs(
            "数据没有坐标系，请用 crs 指明，如 EPSG:4490",
            "the data has no CRS: give it by crs, such as EPSG:4490",
        )
    layer, findings = run.layer, run.findings
    transform = transform_to(frame.crs, layer.srid)
    run.source_crs = run.source_crs or _crs_name(frame.crs)

    geometries = frame.geometry.to_numpy()
    usable = readable(geometries, ids, findings)
    frame, geometries, ids = _only(usable, frame, geometries, ids)
    usable = check_coordinates(geometries, frame.crs, ids, findings)
    frame, geometries, ids = _only(usable, frame, flat(geometries, findings), ids)
    if transform is not None:
        geometries = shapely.transform(geometries, transform, interleaved=False)
        usable = readable(geometries, ids, findings)
        frame, geometries, ids = _only(usable, frame, geometries, ids)
    geometries = repaired(geometries, ids, findings)
    geometries, usable = fitted(geometries, layer.geometry_type, ids, findings)
    return _only(usable, frame, geometries, ids)


def _only(usable: Any, frame: GeoDataFrame, geometries: Any, ids: list[str]) -> tuple[GeoDataFrame, Any, list[str]]:
    if usable.all():
        return frame, geometries, ids
    return frame[usable], geometries[usable], [name for name, keep in zip(ids, usable, strict=True) if keep]


def _crs_name(crs: Any) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.name)


def _refuse_nothing(run: _Run) -> None:
    if run.loaded == 0:
        raise ImportRefused(
            f"没有可入库的要素（读到 {run.read} 个），图层保持原样",
            f"there is no feature to load ({run.read} read); the layer stays as it is",
        )


def _refuse_findings(findings: Findings) -> None:
    remarks: list[Remark] = [*findings.rejected, *findings.repaired]
    if remarks:
        first, count = remarks[0], findings.rejected_count + findings.repaired_count
        raise StrictRefusal(
            f"严格模式：{count} 处问题，第一处是要素 {first.id}：{first.reason.zh}",
            f"strict mode: {count} problems, the first at feature {first.id}: {first.reason.en}",
        )
