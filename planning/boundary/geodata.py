"""Parcels from drawings and geodata: DXF, Shapefile, GeoJSON, GeoPackage … by what :mod:`layers.importing` reads.

A DXF's closed outlines are areas, arcs (bulges) cut to chords within 1 cm; outlines within others of the same drawing
layer are holes. Drawing layers are told apart by their names (:func:`kind_of_layer`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from layers.crs import transformer
from layers.importing.errors import UnknownCrs
from layers.importing.plausible import check_coordinates
from layers.importing.readers import open_sources
from layers.importing.report import Findings as Remarks
from layers.importing.source import ReadOptions, Source
from layers.importing.source_crs import transform_to
from planning.boundary.model import BoundaryFile, Findings, Header, in_order
from planning.errors import PlanningError
from planning.survey.parcel import Parcel, parcel_of
from planning.survey.reasons import why_no_area
from planning.survey.zones import PREFIX, Zone, zone_at, zone_of_srid

#: Most features that are read of one file.
MAX_FEATURES = 5000
#: Ends of an open polyline that are nearer than this close it [m].
_CLOSED = 0.001
_DWG = re.compile(rb"AC10\d\d|AC1\.\d|AC2\.\d")
#: Kinds of drawing layers by words of their names; the first that fits.
_KINDS: tuple[tuple[str, str], ...] = (
    ("road", r"道路红线|道路规划|dlhx|road"),
    ("green", r"绿线|绿地|lx$|green"),
    ("blue", r"蓝线|河道|水系|blue"),
    ("purple", r"紫线|文物|历史|purple"),
    ("yellow", r"黄线|基础设施|yellow"),
    ("building", r"建筑|jzw|jmd|building"),
    ("parcel", r"红线|界址|地块|宗地|用地|jz[dx]|zd|redline|parcel|boundary"),
)
_SHAPES = {"Empty": "空的", "Point": "点", "MultiPoint": "点", "LineString": "线", "MultiLineString": "线"}
#: Attributes of a parcel by the usual names of columns.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "number": ("地块编号", "dkbh", "宗地代码", "zddm", "number", "code", "id", "编号"),
    "name": ("地块名称", "dkmc", "项目名称", "xmmc", "name", "名称"),
    "use": ("地块用途", "dkyt", "用途", "yt", "use"),
    "land_code": ("地类编码", "dlbm", "land_code", "ydxz", "用地性质"),
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """One polygon: how it is called to people, its drawing layer, and its attributes."""

    called: str
    polygon: Any
    facts: dict[str, str]


def kind_of_layer(name: str) -> str | None:
    """What a drawing layer holds, by its name: ``parcel``, ``road``, ``green`` …; None where the name tells nothing."""
    return next((kind for kind, words in _KINDS if re.search(words, name, re.IGNORECASE)), None)


def read_geodata(path: Path, options: ReadOptions) -> BoundaryFile:
    """The parcels of a drawing or of geodata. ``options.crs`` is needed where the file tells none.

    Raises :class:`PlanningError` for a DWG, and :class:`layers.importing.errors.ImportRefused`.
    """
    _refuse_dwg(path)
    findings = Findings()
    parcels: list[Parcel] = []
    if _cut_off(path):
        zh, en = (
            f"{path.name} 末尾没有 EOF，文件不完整：请重新保存或传送",
            f"{path.name} does not end in EOF: a part is missing",
        )
        findings.error(0, "truncated", zh, en)
    with open_sources(path, options) as sources:
        for source in sources:
            parcels += _parcels(source, options.layer, findings)
    if not parcels and not findings.errors:
        zh, en = f"{path.name} 中没有面要素或闭合线", f"{path.name} has no areas or closed outlines"
        findings.error(0, "no-parcels", zh, en)
    return BoundaryFile(Header(), tuple(parcels), in_order(findings.found))


def _refuse_dwg(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(6)
    if path.suffix.lower() == ".dwg" or _DWG.match(head):
        raise PlanningError(
            f"{path.name} 是 DWG，本系统不能直接读取：请在 CAD 中用“另存为”保存成 DXF（AutoCAD 2000 至 2018 均可），"
            "或用 ODA File Converter、LibreDWG 的 dwg2dxf 转换后再上传",
            f"{path.name} is a DWG, which cannot be read here: save it as DXF in the CAD program (AutoCAD 2000–2018),"
            " or convert it by ODA File Converter or LibreDWG's dwg2dxf, and upload that",
        )


def _cut_off(path: Path) -> bool:
    """Whether a DXF lacks its end, which every one has (AutoCAD DXF reference, EOF)."""
    if path.suffix.lower() != ".dxf":
        return False
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 64))
        return size > 0 and b"SECTION" in _head(path) and b"EOF" not in file.read()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _parcels(source: Source, chosen: str | None, findings: Findings) -> Iterator[Parcel]:
    count = 0
    for frame in source.batches():
        count += len(frame)
        if count > MAX_FEATURES:
            raise PlanningError(f"超过 {MAX_FEATURES} 个要素", f"the file has more than {MAX_FEATURES} features")
        shapes = list(_drawn(frame, chosen, findings)) if source.format == "dxf" else list(_features(frame, findings))
        for shape in shapes:
            zone, polygon = _in_zone(shape, source.crs)
            if not polygon.is_valid:
                why = why_no_area(polygon)
                findings.error(
                    0, "invalid", f"{shape.called}：边界不构成面：{why.zh}", f"{shape.called}: no area: {why.en}"
                )
                continue
            yield parcel_of(polygon, zone, **shape.facts)


def _features(frame: Any, findings: Findings) -> Iterator[_Shape]:
    columns = {str(name).lower(): name for name in frame.columns}
    picked = {fact: next((columns[n] for n in names if n in columns), None) for fact, names in _COLUMNS.items()}
    for place, (_, row) in enumerate(frame.iterrows(), 1):
        shape = row[frame.geometry.name]
        called = f"#{place}"
        if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
            kind = "Empty" if shape is None or shape.is_empty else shape.geom_type
            findings.error(
                0, "not-an-area", f"第 {place} 个要素不是面，是{_SHAPES.get(kind, kind)}",
                f"feature {place} is no area ({kind})",
            )  # fmt: skip
            continue
        facts = {fact: _text(row[name]) for fact, name in picked.items() if name is not None}
        parts = shapely.get_parts(shape)
        for number, part in enumerate(parts, 1):
            several = {"number": f"{facts.get('number', '')}-{number}".lstrip("-")} if len(parts) > 1 else {}
            yield _Shape(called, shapely.force_2d(part), facts | several)


def _drawn(frame: Any, chosen: str | None, findings: Findings) -> Iterator[_Shape]:
    """Closed outlines of a drawing, those within another of their layer as its holes."""
    names = {str(name) for name in frame["layer"]}
    wanted = {chosen} if chosen else {name for name in names if kind_of_layer(name) == "parcel"} or names
    for name in sorted(names - wanted):
        kind = kind_of_layer(name) or "其他 other"
        findings.warn(
            0, "layer-skipped", f"图层 {name}（{kind}）未作为地块读取", f"layer {name} ({kind}) was not read as parcels"
        )
    outlines: dict[str, list[tuple[str, Any]]] = {}
    for handle, layer, shape in zip(frame["handle"], frame["layer"], frame.geometry, strict=True):
        if layer not in wanted or shape.geom_type == "Point":
            continue
        polygon = _closed(shape)
        if polygon is None:
            findings.error(
                0, "open-outline", f"图层 {layer} 的多段线 {handle} 没有闭合，首末点相距 {_gap(shape):.3f} 米",
                f"polyline {handle} of layer {layer} is not closed: its ends are {_gap(shape):.3f} m apart",
            )  # fmt: skip
            continue
        outlines.setdefault(str(layer), []).append((str(handle), polygon))
    for layer, found in outlines.items():
        for handle, polygon in _with_holes(found):
            yield _Shape(f"{layer} {handle}", polygon, {"number": handle, "name": layer})


def _closed(shape: Any) -> Any:
    if shape.geom_type == "Polygon":
        return shape
    places = shapely.get_coordinates(shape)
    return shapely.Polygon(places) if len(places) > 3 and _gap(shape) < _CLOSED else None


def _gap(shape: Any) -> float:
    places = shapely.get_coordinates(shape)
    return float(np.hypot(*(places[0] - places[-1])))


def _with_holes(outlines: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Outlines at even depth, with those directly within them taken out."""
    shapes = np.array([polygon for _, polygon in outlines], dtype=object)
    sound, areas, tree = shapely.is_valid(shapes), shapely.area(shapes), shapely.STRtree(shapes)
    depth, holes = np.zeros(len(shapes), int), [[] for _ in shapes]  # type: ignore[var-annotated]
    for inner in np.flatnonzero(sound).tolist():
        around = tree.query(shapes[inner], predicate="within")
        around = around[(around != inner) & sound[around]]
        depth[inner] = len(around)
        if len(around):
            holes[around[np.argmin(areas[around])]].append(shapes[inner].exterior)
    for place, (handle, polygon) in enumerate(outlines):
        if depth[place] % 2 == 0:
            yield handle, shapely.Polygon(polygon.exterior, holes[place]) if holes[place] else polygon


def _in_zone(shape: _Shape, crs: Any) -> tuple[Zone, Any]:
    """The polygon in a zone: its own where the file is in one, else the 3° zone of its middle."""
    check_coordinates(np.array([shape.polygon], dtype=object), crs, [shape.called], Remarks())
    code = crs.to_epsg()
    zone = zone_of_srid(code) if code else None
    if zone is not None:
        offset = zone.number * PREFIX if code == zone.prefixed_srid else 0
        _check_zone(shape, zone, offset)
        return zone, shapely.transform(shape.polygon, lambda xy: xy - (offset, 0))
    try:
        to_degrees = transform_to(crs, 4490)
    except UnknownCrs:
        raise PlanningError(
            f"{crs.name} 不是 CGCS2000，没有通用的转换：请先用 transform-coordinates（给出本市七参数）转换，再导入",
            f"{crs.name} is not CGCS2000, and no shift holds everywhere: transform it first by transform-coordinates,"
            " with the city's seven parameters",
        ) from None
    degrees = shapely.transform(shape.polygon, to_degrees, interleaved=False) if to_degrees else shape.polygon
    try:
        zone = zone_at(float(degrees.centroid.x))
    except ValueError as error:
        raise PlanningError(
            f"{shape.called} 在东经 {degrees.centroid.x:.4f}°，不在中国的 3° 带内",
            f"{shape.called} lies at {degrees.centroid.x:.4f}°, outside China's 3° zones",
        ) from error
    return zone, shapely.transform(degrees, transformer(4490, zone.srid).transform, interleaved=False)


def _check_zone(shape: _Shape, zone: Zone, offset: int) -> None:
    east = float(shape.polygon.centroid.x)
    if not 100_000 <= east - offset < PREFIX:
        raise PlanningError(
            f"{shape.called} 的东坐标 {east:.3f} 不属于 {zone.number} 带：带号与坐标系矛盾",
            f"the easting {east:.3f} of {shape.called} is not of zone {zone.number}: it contradicts the CRS",
        )


def _text(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and np.isnan(value))
    return "" if missing else str(value).strip()[:200]
