"""Surveys of pipelines into the layers: shapefiles and other tables by a mapping of columns, EPANET as it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import shapely
from geopandas import GeoDataFrame
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.importing.errors import ImportRefused, UnknownCrs
from layers.importing.loader import Progress, load
from layers.importing.options import Mode
from layers.importing.readers import open_sources
from layers.importing.report import LoadReport
from layers.importing.source import ReadOptions, Source
from layers.importing.source_crs import parse_crs
from layers.pipes.column import Column
from layers.pipes.epanet import EpanetNetwork, read_epanet
from layers.pipes.reading import NODES, PIPES
from layers.pipes.source_columns import check, columns_used, values_of
from layers.registry import LayerNotFound, fit_extent, load_layers


def import_survey(
    conn: Connection,
    path: Path,
    layer_id: str,
    mapping: Mapping[str, Column],
    options: ReadOptions,
    mode: Mode = "append",
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> LoadReport:
    """A table of pipes or of nodes into their layer.

    Raises :class:`ImportRefused` having changed nothing, and :class:`LayerNotFound`.
    """
    layer = _layer(conn, layer_id)
    with open_sources(path, options) as sources:
        if len(sources) != 1:
            names = ", ".join(source.name for source in sources[:20])
            raise ImportRefused(f"文件中有多个图层：{names}", f"the file has several layers, choose one: {names}")
        source = sources[0]
        known = [column.name for column in source.fields]
        check(layer, mapping, known)
        used = {name for column in mapping.values() for name in columns_used(column)}
        report = load(
            conn, layer, _mapped(source, layer, mapping), mode, progress, dry_run=dry_run, encoding=source.encoding,
            warnings=source.warnings, unused=[name for name in known if name not in used], file=path.name,
        )  # fmt: skip
    fit_extent(conn, layer)
    return report


def import_epanet(
    conn: Connection,
    path: Path,
    crs: str | None,
    kind: str = "JP",
    prefix: str = "",
    mode: Mode = "append",
    *,
    dry_run: bool = False,
) -> tuple[LoadReport, LoadReport]:
    """An EPANET network into both layers: the reports of the pipes and of the nodes.

    ``crs`` is that of its coordinates, which the file does not tell; ``prefix`` sets its numbers apart from those of
    other networks. Raises as :func:`import_survey`.
    """
    if crs is None:
        raise UnknownCrs("EPANET 文件不含坐标系，请用 crs 指明", "an EPANET file tells no CRS: give it by crs")
    system = parse_crs(crs)
    network = read_epanet(path)
    both = _epanet_frames(network, kind, prefix, path.name, system)
    savepoint = conn.begin_nested()
    try:
        reports = []
        for layer_id, frame in zip((PIPES, NODES), both, strict=True):
            layer = _layer(conn, layer_id)
            told = _warnings(network)
            reports.append(load(conn, layer, [frame], mode, dry_run=dry_run, warnings=told, file=path.name))
            fit_extent(conn, layer)
    except BaseException:
        savepoint.rollback()
        raise
    savepoint.commit()
    return reports[0], reports[1]


def _layer(conn: Connection, layer_id: str) -> Layer:
    layers = load_layers(conn)
    if layer_id not in layers:
        raise LayerNotFound(f"there is no layer {layer_id!r}")
    return layers[layer_id]


def _mapped(source: Source, layer: Layer, mapping: Mapping[str, Column]) -> Iterator[GeoDataFrame]:
    targets = [(field, mapping[field.name]) for field in layer.fields if field.name in mapping]
    for frame in source.batches():
        data: dict[str, Any] = {field.name: values_of(frame, field, column) for field, column in targets}
        yield GeoDataFrame(data, geometry=frame.geometry.array, crs=source.crs)


def _epanet_frames(
    network: EpanetNetwork, kind: str, prefix: str, source: str, crs: Any
) -> tuple[GeoDataFrame, GeoDataFrame]:
    pipes, nodes = network.pipes, network.nodes
    of_pipes = {
        "kind": kind, "from_node": [prefix + p.start for p in pipes], "to_node": [prefix + p.end for p in pipes],
        "diameter": [None if p.diameter is None else round(p.diameter, 2) for p in pipes],
        "flow": [p.flow for p in pipes], "status": "in_use", "source": source,
        "source_id": [prefix + p.id for p in pipes],
    }  # fmt: skip
    of_nodes = {
        "kind": kind, "fitting": [n.fitting for n in nodes], "closed": [n.closed for n in nodes],
        "bottom": [None if n.level is None else round(n.level, 3) for n in nodes],
        "demand": [round(n.demand, 4) for n in nodes], "status": "in_use", "source": source,
        "source_id": [prefix + n.id for n in nodes],
    }  # fmt: skip
    lines = [shapely.LineString(p.line) for p in pipes]
    return (
        GeoDataFrame(of_pipes, geometry=lines, crs=crs),
        GeoDataFrame(of_nodes, geometry=[shapely.Point(n.place) for n in nodes], crs=crs),
    )


def _warnings(network: EpanetNetwork) -> list[Text]:
    told = []
    for missing, zh, en in (
        (network.without_place, "没有坐标的节点", "nodes without a place"),
        (network.dropped, "因此略去的管段", "links left out for that"),
    ):
        if missing:
            shown = ", ".join(missing[:10])
            told.append(Text(f"{len(missing)} 个{zh}：{shown}", f"{len(missing)} {en}: {shown}"))
    return told
