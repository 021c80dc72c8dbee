"""DXF drawings (AutoCAD, CASS): bulges become arcs, closed outlines areas, texts and block references points.

Chinese drawings before AutoCAD 2007 are GBK (``ANSI_936``), which the header says. A drawing has no CRS.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ezdxf
import ezdxf.recover
import geopandas as gpd
import shapely
from ezdxf.lldxf.const import DXFError
from ezdxf.path import make_path

from layers.catalogue import Text
from layers.importing.dbf_encoding import told_encoding
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_DRAWING, READ_ROWS
from layers.importing.source import ReadOptions, Source, SourceField
from layers.importing.source_crs import parse_crs

#: Greatest distance of a chord from its arc, in drawing units (metres in survey drawings).
SAGITTA = 0.01

_CURVES = {"LINE", "LWPOLYLINE", "POLYLINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE"}
_FIELDS = ("handle", "layer", "entity", "text", "block", "attributes")


def open_dxf(path: Path, options: ReadOptions) -> Source:
    """The model space of a drawing as one table; ``options.layer`` picks one of its layers."""
    if path.stat().st_size > MAX_DRAWING:
        raise UnsafeFile(f"{path.name} 超过 {MAX_DRAWING} 字节", f"{path.name} exceeds {MAX_DRAWING} bytes")
    if not options.crs:
        raise UnknownCrs(
            f"{path.name} 是 DXF，没有坐标系，请用 crs 指明，如 EPSG:4547",
            f"{path.name} is a DXF and has no CRS: give it by crs, such as EPSG:4547",
        )
    crs = parse_crs(options.crs, options.towgs84)
    skipped: Counter[str] = Counter()
    try:
        drawing = _read(path, options)
        layers = {entity.dxf.layer for entity in drawing.modelspace()}
        rows = list(_rows(drawing, options.layer, skipped))
    except ImportRefused:
        raise
    except Exception as error:  # ezdxf lets out whatever its parsing meets: IndexError, StopIteration, struct.error …
        raise UnreadableFile(f"{path.name} 不是完好的 DXF：{error}", f"{path.name} is no sound DXF: {error}") from error
    if options.layer is not None and options.layer not in layers:
        shown = ", ".join(sorted(layers)[:20])
        raise ImportRefused(
            f"图中没有图层 {options.layer}，有：{shown}",
            f"there is no layer {options.layer}; there are {shown}",
        )

    def batches() -> Iterator[Any]:
        for start in range(0, len(rows), READ_ROWS):
            part = rows[start : start + READ_ROWS]
            columns = {name: [row[i] for row in part] for i, name in enumerate(_FIELDS)}
            yield gpd.GeoDataFrame(columns, geometry=[row[-1] for row in part], crs=crs)

    kinds = {row[-1].geom_type for row in rows}
    return Source(
        name=options.layer or path.stem,
        format="dxf",
        fields=tuple(SourceField(name, "string") for name in _FIELDS),
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        count=len(rows),
        crs=crs,
        encoding=drawing.encoding,
        batches=batches,
        warnings=_skipped(skipped),
        key="handle",
    )


def _read(path: Path, options: ReadOptions) -> Any:
    encoding = told_encoding(options.encoding).lower() if options.encoding else None
    try:
        return ezdxf.readfile(path, encoding=encoding)
    except (DXFError, UnicodeError, ValueError):
        drawing, _auditor = ezdxf.recover.readfile(path)
        return drawing


def _rows(drawing: Any, layer: str | None, skipped: Counter[str]) -> Iterator[tuple[Any, ...]]:
    for entity in drawing.modelspace():
        if layer is not None and entity.dxf.layer != layer:
            continue
        shape = _shape(entity)
        if shape is None:
            skipped[entity.dxftype()] += 1
            continue
        kind = entity.dxftype()
        block = attributes = None
        if kind == "INSERT":
            block = entity.dxf.name
            attributes = "; ".join(f"{a.dxf.tag}={a.dxf.text}" for a in entity.attribs) or None
        yield entity.dxf.handle, entity.dxf.layer, kind, _text(entity), block, attributes, shape


def _text(entity: Any) -> str | None:
    if entity.dxftype() == "MTEXT":
        return str(entity.plain_text())
    return str(entity.dxf.text) if entity.dxftype() in ("TEXT", "ATTDEF") else None


def _shape(entity: Any) -> Any:
    """The entity's geometry in drawing coordinates (east, north); None for what has none on a map."""
    kind = entity.dxftype()
    if kind == "POINT":
        return shapely.Point(entity.dxf.location.x, entity.dxf.location.y)
    if kind in ("INSERT", "TEXT", "MTEXT"):
        return shapely.Point(entity.dxf.insert.x, entity.dxf.insert.y)
    if kind not in _CURVES:
        return None
    try:
        points = [(p.x, p.y) for p in make_path(entity).flattening(SAGITTA)]
    except (DXFError, TypeError, ValueError, ZeroDivisionError):
        return None
    if len(points) < 2:
        return None
    closed = kind == "CIRCLE" or bool(getattr(entity, "is_closed", False)) or bool(getattr(entity, "closed", False))
    return shapely.Polygon(points) if closed and len(points) >= 4 else shapely.LineString(points)


def _skipped(skipped: Counter[str]) -> list[Text]:
    if not skipped:
        return []
    shown = ", ".join(f"{kind} {count}" for kind, count in skipped.most_common(10))
    return [Text(f"未读取的实体：{shown}", f"entities not read: {shown}")]
