"""Past states of layers as processes: who imported what, undo, names for states, what differs between two of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.catalogue import Layer, Text
from layers.cql2 import Cql2Error, parse
from layers.crs import CRS84, parse_crs
from layers.database import Reader
from layers.features import RowDenied
from layers.processing import CityCrs, FileResult, Job, Workspace, process
from layers.query import Box, FeatureQuery, Filter
from layers.registry import LayerNotFound, find_layer, load_layers
from layers.versions import names
from layers.versions.difference import PRESENT, Counts, count_changes, every_change
from layers.versions.files import write_changes
from layers.versions.history import State, states_of
from layers.versions.imports import Import, find_import, imports_of
from layers.versions.moments import moment_of
from layers.versions.names import NamedVersion
from layers.versions.people import require_staff, told_of
from layers.versions.undo import OnConflict, Undone
from layers.versions.undo import undo_import as undo

_LayerId = Annotated[str, Field(min_length=1, max_length=200)]
_Name = Annotated[str, Field(min_length=1, max_length=80)]
_Moment = Annotated[str, Field(min_length=1, max_length=80)]
_FilterText = Annotated[str, Field(min_length=1, max_length=20_000)]
#: Features fetched at a time when a whole difference is written.
_PAGE = 2000


@process(keywords=("历史 history", "版本 versions"), example={"layer": "buildings", "feature": 1})
def feature_history(
    conn: Connection,
    principal: Principal,
    city: CityCrs,
    layer: _LayerId,
    feature: Annotated[int, Field(ge=0, lt=2**63)],
    crs: _LayerId | None = None,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
) -> tuple[State, ...]:
    """要素历史 | The history of a feature

    要素的每个状态：起止时间、由谁、改了哪些字段与几何。 | Every state of a feature: from when to when, by whom, and
    what each edit changed, field by field and of the geometry.

    layer: 图层的编号 | Id of the layer
    feature: 要素的编号 | Id of the feature
    crs: 坐标系 | CRS
    limit: 最多状态数 | States at most
    returns: 状态；最新的在前 | States; the newest first
    """
    chosen = find_layer(conn, layer)
    system = parse_crs(crs, {*city.offered, chosen.srid}) if crs else CRS84
    found = states_of(_reader(conn), chosen, feature, system, limit=limit)
    return tuple(told_of(principal, chosen, found))


@dataclass(frozen=True, slots=True)
class Differing:
    """How many features of a layer differ between two instants."""

    layer: str
    begin: datetime
    end: datetime | None
    counts: Counts


@process(
    keywords=("差异 difference", "版本 versions"),
    example={"layer": "land-use", "begin": "2026-01-01", "bbox": [114.8, 30.3, 115.0, 30.5]},
)
def layer_difference(
    conn: Connection,
    job: Job,
    workspace: Workspace,
    city: CityCrs,
    layer: _LayerId,
    begin: _Moment,
    end: _Moment | None = None,
    filter: _FilterText | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    crs: _LayerId | None = None,
    counts_only: bool = False,
) -> Differing | FileResult:
    """图层差异 | What differs in a layer

    两个时刻（或命名版本）之间新增、修改、删除的要素，含前后状态，写成 GeoJSON。 | The features that were added,
    changed and deleted between two instants or named versions, with both states, as GeoJSON.

    layer: 图层的编号 | Id of the layer
    begin: 起；时刻或版本名 | Begin; an instant or the name of a version
    end: 止；时刻或版本名，缺省为现在 | End; an instant or the name of a version, by default now
    filter: 条件；CQL2 文本，前后状态之一符合 | Filter; CQL2 text that either state meets
    bbox: 范围；西、南、东、北 [°] | Box; west, south, east, north [°]
    crs: 坐标系 | CRS
    counts_only: 只要数目 | Only the counts
    returns: 差异 | The difference
    """
    chosen = find_layer(conn, layer)
    reader = _reader(conn)
    since = moment_of(reader, begin, layer)
    until = moment_of(reader, end, layer) if end else PRESENT
    system = parse_crs(crs, {*city.offered, chosen.srid}) if crs else CRS84
    condition = _filter(filter, city.projected) if filter else None
    query = FeatureQuery(limit=_PAGE, box=Box(*bbox) if bbox else None, filter=condition, crs=system)
    counts = count_changes(reader, chosen, since, until, query)
    if counts_only:
        return Differing(layer, since, until if end else None, counts)
    path = workspace / "difference.geojson"
    total = max(counts.added + counts.changed + counts.deleted, 1)

    def tell(written: int) -> None:
        job.progress(99 * written / total, Text(f"已写 {written} 个", f"{written} written"))

    write_changes(every_change(reader, chosen, since, until, query), path, tell)
    return FileResult(path, "application/geo+json", f"{layer}-difference.geojson")


@process(keywords=("导入 import", "撤销 undo"), example={"layer": "buildings"})
def list_imports(
    conn: Connection,
    principal: Principal,
    layer: _LayerId,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
) -> tuple[Import, ...]:
    """导入清单 | The imports of a layer

    谁在何时用哪个文件导入了多少要素。 | Who imported how many features from which file, and when.

    layer: 图层的编号 | Id of the layer
    limit: 最多几次 | Imports at most
    returns: 导入；最新的在前 | Imports; the newest first
    """
    chosen = find_layer(conn, layer)
    require_staff(principal, chosen)
    return tuple(imports_of(conn, layer, limit))


@process(edits=True, keywords=("撤销 undo", "导入 import"), example={"number": 1, "on_conflict": "refuse"})
def undo_import(
    conn: Connection,
    job: Job,
    number: Annotated[int, Field(ge=1, lt=2**63)],
    on_conflict: OnConflict = "refuse",
) -> Undone:
    """撤销导入 | Undo an import

    图层恢复到该次导入之前。之后又改过的要素默认使撤销被拒绝并逐一列出；撤销本身也可撤销。 | The layer is as it was
    before the import. Features that were edited since refuse it, by name, unless told otherwise; undoing can be
    undone too.

    number: 导入的编号 | Number of the import
    on_conflict: 之后改过的要素；refuse 拒绝，keep 保留，overwrite 一并恢复 | Edited since; refuse, keep, or overwrite
    returns: 做了什么 | What was done
    """
    done = find_import(conn, number)
    layer = load_layers(conn).get(done.layer)
    if layer is None:
        raise LayerNotFound(f"there is no layer {done.layer!r}")
    if not layer.editable:
        raise RowDenied(f"layer {layer.id!r} is read-only: it is derived from other layers or closed by its steward")
    return undo(conn, layer, number, on_conflict, lambda percent: job.progress(percent))


@process(
    edits=True,
    keywords=("版本 versions",),
    example={"name": "2026版控规", "layers": ["control-plan", "control-lines"], "note": "经市政府批准"},
)
def name_version(
    conn: Connection,
    name: _Name,
    layers: Annotated[list[_LayerId], Field(min_length=1, max_length=100)],
    at: datetime | None = None,
    note: Annotated[str, Field(max_length=2000)] = "",
) -> NamedVersion:
    """命名版本 | Name a version

    给图层某一时刻的状态起名，如 2026版控规；之后可在 as-of 处用名字读取。 | Give a name to the state of layers at an
    instant, such as 2026版控规; by that name it is read wherever as-of is taken.

    name: 版本名 | Name
    layers: 图层的编号 | Ids of the layers
    at: 时刻；缺省为现在 | Instant; by default now
    note: 说明 | Note
    returns: 版本 | The version
    """
    _require_layers(conn, layers)
    return names.name_version(conn, name, layers, at, note)


@process(keywords=("版本 versions",), example={"layer": "control-plan"})
def list_versions(conn: Connection, principal: Principal, layer: _LayerId | None = None) -> tuple[NamedVersion, ...]:
    """版本清单 | The named versions

    图层的命名版本。 | The named versions of a layer, or of all layers.

    layer: 图层的编号 | Id of the layer
    returns: 版本；最新的在前 | Versions; the latest first
    """
    found = names.versions(conn, layer)
    return tuple(found if principal.account else (replace(version, actor=None) for version in found))


@process(edits=True, keywords=("版本 versions",), example={"name": "2026版控规"})
def forget_version(conn: Connection, name: _Name) -> NamedVersion:
    """删除版本名 | Delete the name of a version

    只删名字，图层的历史仍在。 | Only the name goes; the history of the layers stays.

    name: 版本名 | Name
    returns: 所删的版本 | What was deleted
    """
    return names.forget_version(conn, name)


def _reader(conn: Connection) -> Reader:
    """Reads in the process's own transaction, with its rights."""
    raw: Any = conn.connection.driver_connection
    return Reader(raw)


def _require_layers(conn: Connection, wanted: list[str]) -> None:
    known: dict[str, Layer] = load_layers(conn)
    for name in wanted:
        if name not in known:
            raise LayerNotFound(f"there is no layer {name[:80]!r}")


def _filter(text: str, measured_in: int) -> Filter:
    try:
        return Filter(orjson.dumps(parse(text, "cql2-text")).decode(), CRS84, measured_in)
    except Cql2Error as error:
        raise Cql2Error(f"input 'filter': {error}") from None
