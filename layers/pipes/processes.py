"""Processes on the pipe network: trace, and import of surveys. Sections and clearances have modules of their own.

What computes is imported where it is used: a server that only describes processes need not load SciPy for it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.importing.options import Mode
from layers.importing.report import LoadReport
from layers.pipes.answers import CutOff, TraceAnswer, TracedNode, ValveToClose
from layers.pipes.column import Column
from layers.pipes.errors import PipeError, PipesTooMany
from layers.processing import CityCrs, Job, UploadedFile, process

if TYPE_CHECKING:
    from layers.pipes.network import PipeNetwork
    from layers.pipes.trace import Burst, Reached

_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Most pipes of an answer, and most nodes that it lists.
MAX_PIPES, MAX_NODES = 20_000, 2000
#: Nodes that a trace lists: where something is done, or comes in or goes out.
_NOTABLE = ("valve", "outfall", "source", "tank", "pump", "plant", "regulator", "hydrant")


@process(
    keywords=("管线追踪 pipe trace", "爆管分析 burst", "连通分析 connectivity"),
    example={"point": [114.887, 30.392], "kind": "YS", "mode": "downstream", "reach": 500},
)
def pipe_trace(
    conn: Connection,
    city: CityCrs,
    mode: Literal["upstream", "downstream", "connected", "burst"],
    pipe: int | None = None,
    node: _Name | None = None,
    point: tuple[_Longitude, _Latitude] | None = None,
    kind: _Name | None = None,
    reach: Annotated[float, Field(gt=0, le=5000)] = 50.0,
    broken: Annotated[tuple[_Name, ...], Field(max_length=200)] = (),
    through_closed: bool = False,
) -> TraceAnswer:
    """管线追踪 | Trace pipes

    上游、下游、连通管线，或爆管时应关闭的阀门与受影响的用户。排水流向取自测量流向，其次为管底高程。 | The pipes
    upstream, downstream or connected; or, of a burst, the valves to close and the customers cut off. Drains run as
    surveyed, else down their inverts.

    mode: 方式；upstream 上游，downstream 下游，connected 连通，burst 爆管 | Mode; burst tells the valves to close
    pipe: 管线的编号 | Pipe; id of the feature
    node: 管点点号 | Node; its number
    point: 点；取最近的管线，经度和纬度 [°] | Point; means the nearest pipe, longitude and latitude [°]
    kind: 种类；点附近只取此类管线，如 YS 或 PS | Kind; of the pipe near the point, such as YS or PS
    reach: 最大距离；点到管线 [m] | Reach; how far the point may lie from a pipe [m]
    broken: 不能关闭的阀门；点号 | Broken; numbers of valves that cannot be closed
    through_closed: 穿过已关闭的阀门 | Through closed; go on beyond closed valves
    returns: 管线、相关管点；爆管时的阀门与停供范围 | Pipes and nodes; of a burst the valves and who is cut off
    """
    from layers.pipes.current import current_pipes
    from layers.pipes.locating import locate
    from layers.pipes.trace import burst, trace

    network = current_pipes(conn)
    start = locate(network, pipe, node, point, kind, reach, city.projected)
    if mode != "burst":
        return _traced(network, mode, trace(network, start, mode, through_closed=through_closed))
    if start.pipe < 0:
        raise PipeError("a burst is of a pipe: give the input 'pipe' or 'point', not 'node'")
    if network.gravity[start.pipe]:
        raise PipeError("the pipe runs by gravity, no valve shuts it; ask for what is upstream or downstream of it")
    return _burst(network, start.pipe, burst(network, start.pipe, _broken(network, broken)))


def _broken(network: "PipeNetwork", names: tuple[str, ...]) -> Any:
    from layers.pipes.locating import node_row

    found = network.valve & False
    for name in names:
        row = node_row(network, name)
        if not network.valve[row]:
            raise PipeError(f"input 'broken': {name[:60]!r} is no valve")
        found[row] = True
    return found


def _traced(network: "PipeNetwork", mode: str, found: "Reached") -> TraceAnswer:
    notable = [n for n in found.nodes.tolist() if network.fitting(n) in _NOTABLE]
    return _answer(network, mode, found.pipes, found.distance, notable, (), None)


def _burst(network: "PipeNetwork", pipe: int, found: "Burst") -> TraceAnswer:
    import numpy as np

    record = network.topology.record
    rows = record[found.cut_off]
    rows = rows[rows >= 0]
    customers, demand = (np.nan_to_num(network.nodes[name][rows]) for name in ("customers", "demand"))
    affected = [n for n in found.cut_off.tolist() if _has_customers(network, n)]
    cut = CutOff(
        nodes=len(found.cut_off), customers=int(customers.sum()), demand=round(float(demand.sum()), 3), fed=found.fed,
        affected=tuple(_node(network, n) for n in affected[:MAX_NODES]),
    )  # fmt: skip
    valves = tuple(
        _valve(network, n, needed=bool(needed)) for n, needed in zip(found.valves.tolist(), found.needed, strict=True)
    )
    told = _answer(network, "burst", found.pipes, np.zeros(len(found.pipes)), [], valves, cut)
    if not found.fed:
        said = Text(
            "管网没有已知的水源，无法判断阀外的停供",
            "no source is known, so who is cut off beyond the valves is not told",
        )
        return TraceAnswer(**{**_members(told), "warnings": (said,)})
    return told


def _answer(
    network: "PipeNetwork", mode: str, rows: Any, distance: Any, nodes: list[int],
    valves: tuple[ValveToClose, ...], cut: CutOff | None,
) -> TraceAnswer:  # fmt: skip
    from layers.pipes.geojson import pipe_collection

    if len(rows) > MAX_PIPES:
        raise PipesTooMany(
            f"{len(rows)} pipes were reached, more than the {MAX_PIPES} of one answer; begin further along, or close in"
        )
    by = network.directed[1][rows]
    followed = mode in ("upstream", "downstream")
    return TraceAnswer(
        mode=mode, count=len(rows), length=round(float(network.length[rows].sum()), 2),
        undirected=int((by == 3).sum()) if followed else 0, assumed=int((by == 2).sum()) if followed else 0,
        pipes=pipe_collection(network, rows, distance=distance),
        nodes=tuple(_node(network, n) for n in nodes[:MAX_NODES]), valves=valves, cut_off=cut, warnings=(),
    )  # fmt: skip


def _members(answer: TraceAnswer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in TraceAnswer.__dataclass_fields__}


def _node(network: "PipeNetwork", node: int) -> TracedNode:
    name, feature, lon, lat = _known(network, node)
    return TracedNode(name, feature, network.fitting(node), lon, lat)


def _valve(network: "PipeNetwork", node: int, *, needed: bool) -> ValveToClose:
    name, feature, lon, lat = _known(network, node)
    return ValveToClose(name, feature, lon, lat, needed, bool(network.shut[node]))


def _known(network: "PipeNetwork", node: int) -> tuple[str | None, int | None, float, float]:
    record = int(network.topology.record[node])
    lon, lat = network.topology.place[node].round(8).tolist()
    return network.topology.name[node], int(network.nodes.feature[record]) if record >= 0 else None, lon, lat


def _has_customers(network: "PipeNetwork", node: int) -> bool:
    record = int(network.topology.record[node])
    return record >= 0 and any(network.nodes[name][record] > 0 for name in ("customers", "demand"))


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """What became of the features of each layer."""

    layers: tuple[LoadReport, ...]


@process(
    edits=True,
    keywords=("管线入库 pipe survey", "EPANET"),
    example={
        "upload": "00000000-0000-0000-0000-000000000000", "layer": "pipelines",
        "mapping": {
            "source_id": {"column": "STM-{STM_MN_ID}"}, "kind": {"value": "YS"},
            "diameter": {"column": "DIAMETER", "unit": "in", "empty": [0]},
        },
    },
)  # fmt: skip
def import_pipes(
    conn: Connection,
    job: Job,
    upload: UploadedFile,
    layer: Literal["pipelines", "pipe-nodes"] = "pipelines",
    mapping: dict[str, Column] | None = None,
    source_layer: _Name | None = None,
    crs: _Name | None = None,
    encoding: _Name | None = None,
    kind: _Name = "JP",
    prefix: Annotated[str, Field(max_length=40)] = "",
    mode: Mode = "append",
    dry_run: bool = False,
) -> SurveyReport:
    """管线成果入库 | Import a survey of pipes

    管线或管点的表（Shapefile 等）按字段对应入库，可换算单位、代码与点号；EPANET 文件（.inp）同时填充两个图层。 | A
    table of pipes or nodes (shapefile and others) by a mapping of columns, with units, codes and numbers made of
    several columns; an EPANET file (.inp) fills both layers.

    upload: 上传文件的编号；由 POST /uploads 得到 | Id of the uploaded file; POST /uploads gives it
    layer: 图层；EPANET 文件不需要 | Layer; not needed for an EPANET file
    mapping: 字段对应；图层字段到文件的列、单位与代码 | Mapping; from fields to columns, units and codes
    source_layer: 源图层；文件有多个时选一个 | Source layer; the one to take of several in the file
    crs: 坐标系；EPANET 文件必填 | CRS; needed for an EPANET file, which tells none
    encoding: 字符编码 | Character encoding
    kind: 种类；EPANET 管网的管线种类 | Kind; of the pipes of an EPANET file
    prefix: 前缀；EPANET 编号前所加 | Prefix; put before the numbers of an EPANET file
    mode: 方式；append 追加，replace 替换，update 更新 | Mode; append, replace or update
    dry_run: 试运行；只报告，不改动 | Dry run; report, and change nothing
    returns: 报告；每个图层的要素去向 | Report; what became of the features of each layer
    """
    from layers.importing.source import ReadOptions
    from layers.pipes.importing import import_epanet, import_survey

    job.progress(1, Text("正在读取文件", "Reading the file"))
    if upload.path.suffix.lower() == ".inp":
        return SurveyReport(import_epanet(conn, upload.path, crs, kind, prefix, mode, dry_run=dry_run))
    options = ReadOptions(source_layer, encoding, crs)

    def tell(count: int) -> None:
        job.progress(99 * count / (count + 50_000), Text(f"已读 {count} 个要素", f"{count} features read"))

    done = import_survey(conn, upload.path, layer, mapping or {}, options, mode, tell, dry_run=dry_run)
    return SurveyReport((done,))
