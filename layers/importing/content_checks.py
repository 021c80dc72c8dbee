"""Looks into files whose format allows tricks, before GDAL reads them."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import defusedxml.ElementTree as safe_xml  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_FIELDS

_CHUNK = 4 * 2**20
_LINKED_CRS = re.compile(rb'"crs"\s*:\s*\{[^{}]*(\{[^{}]*)?"(link|href)"')


def feature_tables(path: Path) -> list[str]:
    """The vector layers of a GeoPackage. Raises :class:`UnsafeFile` where reading one would run more than a table scan.

    A view, a virtual table or a generated column calls SQL functions, some of which GDAL lets open other files.
    """
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise UnreadableFile(
                f"{path.name} 正被别的程序打开，请先关闭",
                f"{path.name} is open in another program ({beside.name}): close it first",
            )
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.set_authorizer(_only_reading)
            objects = {
                str(name).lower(): (kind, str(definition or ""))
                for name, kind, definition in database.execute("SELECT name, type, sql FROM sqlite_master")
                if kind in ("table", "view")
            }
            _refuse_programs(objects)
            names = [
                str(row[0])
                for row in database.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features'")
            ]
            for name in names:
                _refuse_generated_columns(database, name, objects)
            return names
    except sqlite3.DatabaseError as error:
        raise UnreadableFile(
            f"{path.name} 不是完好的 GeoPackage：{error}", f"{path.name} is no sound GeoPackage: {error}"
        ) from error


def _only_reading(action: int, *_details: object) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _refuse_programs(objects: dict[str, tuple[str, str]]) -> None:
    for name, (kind, definition) in objects.items():
        virtual = re.match(r"\s*CREATE\s+VIRTUAL\s+TABLE\b", definition, re.IGNORECASE)
        if virtual and not re.search(r"\bUSING\s+\"?rtree\"?\s*\(", definition, re.IGNORECASE):
            raise UnsafeFile(f"GeoPackage 中有虚拟表 {name}", f"the GeoPackage has the virtual table {name}")
        if kind == "view" and name.startswith(("gpkg_", "ogr_", "sqlite_", "layer_styles", "rtree_")):
            raise UnsafeFile(f"GeoPackage 的系统表 {name} 是视图", f"the GeoPackage's system table {name} is a view")


def _refuse_generated_columns(database: sqlite3.Connection, name: str, objects: dict[str, tuple[str, str]]) -> None:
    if objects.get(name.lower(), ("missing", ""))[0] != "table":
        raise UnsafeFile(
            f"图层 {name} 是视图，请导出成表后再导入",
            f"the layer {name} is a view: export it as a table and import that",
        )
    columns = database.execute(f'PRAGMA table_xinfo("{name.replace(chr(34), chr(34) * 2)}")').fetchall()
    if any(column[6] in (2, 3) for column in columns):
        raise UnsafeFile(f"图层 {name} 有计算列", f"the layer {name} has generated columns")
    if len(columns) > MAX_FIELDS:
        raise UnsafeFile(
            f"图层 {name} 有 {len(columns)} 列，最多 {MAX_FIELDS} 列",
            f"the layer {name} has {len(columns)} columns; the bound is {MAX_FIELDS}",
        )


def check_kml(path: Path) -> None:
    """Refuse KML with a DTD, entities, links to other documents, or absurd depth or size."""
    depth = count = 0
    try:
        for event, element in safe_xml.iterparse(str(path), events=("start", "end"), forbid_dtd=True):
            if event == "end":
                depth -= 1
                element.clear()
                continue
            depth += 1
            count += 1
            if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                raise UnsafeFile("KML 嵌套过深或过大", "the KML is nested too deep or too large")
            if element.tag.rpartition("}")[2] in ("NetworkLink", "NetworkLinkControl"):
                raise UnsafeFile("KML 引用了别的文档（NetworkLink）", "the KML refers to other documents (NetworkLink)")
    except DefusedXmlException as error:
        raise UnsafeFile("KML 含有 DTD 或实体定义", "the KML has a DTD or entities") from error
    except (safe_xml.ParseError, LookupError, ValueError) as error:
        if isinstance(error, UnsafeFile):
            raise
        raise UnreadableFile(f"KML 有语法错误：{error}", f"the KML is not well-formed: {error}") from error


def check_geojson(path: Path) -> None:
    """Refuse a GeoJSON whose ``crs`` is a link that GDAL would fetch, wherever in the file it stands."""
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if _LINKED_CRS.search(tail + chunk):
                raise UnsafeFile("GeoJSON 的坐标系是外部链接", "the GeoJSON's crs is a link to elsewhere")
            tail = chunk[-1024:]
