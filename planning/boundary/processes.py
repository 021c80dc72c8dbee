"""Processes on boundary points: import from files, text, or a drawing on the map; export."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from layers.processing import UploadedFile, Workspace, process
from layers.terrain.geojson import Area
from planning.boundary.answers import GivenParcel, ImportedParcels, WrittenFile
from planning.errors import PlanningError

if TYPE_CHECKING:
    from planning.boundary.model import BoundaryFile

_Text = Annotated[str, Field(min_length=1, max_length=2_000_000)]
_ShortText = Annotated[str, Field(min_length=1, max_length=200)]
#: Files that are boundary points whatever else they could be.
_POINTS = (".txt", ".dat", ".csv")


@process(
    keywords=("界址点 boundary points", "勘测定界", "用地红线 red line"),
    example={"text": "J1 3364900.000 38586400.000\nJ2 3364900.000 38586500.000\nJ3 3364800.000 38586500.000"},
)
def import_boundary_points(
    text: _Text | None = None,
    file: UploadedFile | None = None,
    geometry: Area | None = None,
    zone: Annotated[int, Field(ge=13, le=45)] | None = None,
    crs: _ShortText | None = None,
    layer: _ShortText | None = None,
    encoding: _ShortText | None = None,
    renumber: bool = False,
) -> ImportedParcels:
    """导入界址点 | Import boundary points

    读取勘测定界界址点坐标 TXT、粘贴的坐标、DXF、Shapefile、GeoJSON 或图上绘制的面；每个矛盾都指出行号，有错误的
    地块不返回。不保存数据。 | Reads a boundary-point TXT, pasted coordinates, DXF, Shapefile, GeoJSON, or an area drawn
    on the map. Every contradiction is told with its line; a parcel with an error is kept out. Nothing is stored.

    text: 文本；界址点坐标文件的内容，或每行一点的坐标 | Text; the content of a file, or coordinates, a point per line
    file: 上传文件的编号；TXT、DXF、Shapefile（zip）、GeoJSON、GeoPackage | Id of an uploaded file; TXT, DXF,
     Shapefile (zip), GeoJSON, GeoPackage
    geometry: 图上绘制的面；GeoJSON，经度和纬度 [°] | Area drawn on the map; GeoJSON, longitude and latitude [°]
    zone: 带号；粘贴的坐标不带带号时 | Zone number; of pasted coordinates without one
    crs: 坐标系；DXF 等没有坐标系的文件，如 EPSG:4547 | CRS; of a file that tells none, such as a DXF: EPSG:4547
    layer: 图层；文件有多个图层时 | Layer; of several in the file
    encoding: 字符编码；DXF 或 DBF 没有说明或说错时 | Character encoding; where a DXF or DBF tells none or a wrong one
    renumber: 重新编号；J1 起，自西北角顺时针 | Renumber; from J1, clockwise from the north-west
    returns: 地块与检查结果 | The parcels, and what was found
    """
    from planning.boundary.answers import imported
    from planning.boundary.model import BoundaryFile

    given = [name for name, value in (("text", text), ("file", file), ("geometry", geometry)) if value is not None]
    if len(given) != 1:
        raise PlanningError("请给出 text、file、geometry 之一", "give one of the inputs 'text', 'file' and 'geometry'")
    if text is not None:
        found = _of_text(text, zone)
    elif file is not None:
        found = _of_file(file.path, crs, layer, encoding)
    else:
        assert geometry is not None
        found = _of_drawing(geometry)
    if renumber:
        parcels = tuple(parcel.renumbered() for parcel in found.parcels)
        found = BoundaryFile(found.header, parcels, found.findings, found.encoding, found.prefixed)
    return imported(found)


@process(
    keywords=("界址点 boundary points", "勘测定界"),
    example={
        "parcels": [
            {
                "zone": 38,
                "number": "420704-001",
                "name": "示范地块",
                "rings": [
                    [
                        {"name": "J1", "x": 3364900.0, "y": 586400.0},
                        {"name": "J2", "x": 3364900.0, "y": 586500.0},
                        {"name": "J3", "x": 3364800.0, "y": 586500.0},
                    ]
                ],
            }
        ]
    },
)
def export_boundary_points(
    workspace: Workspace,
    parcels: Annotated[tuple[GivenParcel, ...], Field(min_length=1, max_length=1000)],
    format: Literal["txt", "dxf"] = "txt",
    encoding: Literal["gbk", "utf-8"] = "gbk",
    prefixed: bool = True,
    closed: bool = True,
    renumber: bool = False,
    producer: Annotated[str, Field(max_length=200)] = "",
    produced: Annotated[str, Field(max_length=20)] = "",
) -> WrittenFile:
    """导出界址点 | Export boundary points

    写成界址点坐标 TXT（或 DXF），再导入时与原坐标毫米不差；面积按坐标重算，单位公顷。 | Writes a boundary-point TXT
    (or a DXF) that reads back identical to the millimetre. Areas are computed from the coordinates, in hectares.

    parcels: 地块；import-boundary-points 返回的点即可 | Parcels; the points as import-boundary-points gives them
    format: 格式 | Format
    encoding: 字符编码；DXF 总是 GBK | Character encoding; a DXF is always GBK
    prefixed: Y 坐标前加带号 | Zone number before Y
    closed: 末点重复首点 | Repeat the first point at the end of each ring
    renumber: 重新编号；J1 起，自西北角顺时针 | Renumber; from J1, clockwise from the north-west
    producer: 数据产生单位 | Producer of the data
    produced: 数据产生日期；如 2026-11-22 | Date of the data; such as 2026-11-22
    returns: 文件 | The file
    """
    from planning.boundary.drawing import write_dxf
    from planning.boundary.model import Header
    from planning.boundary.writer import Form, encoded, write_boundary_points

    found = [given.parcel() for given in parcels]
    found = [parcel.renumbered() for parcel in found] if renumber else found
    if format == "dxf":
        path = Path(workspace) / "parcels.dxf"
        write_dxf(found, path, prefixed=prefixed)
        content = path.read_bytes()
        shown = base64.b64encode(content).decode()
        return WrittenFile("parcels.dxf", "image/vnd.dxf", "gbk", content.decode("gbk"), shown)
    text = write_boundary_points(found, Header(producer=producer, produced=produced), Form(prefixed, closed))
    shown = base64.b64encode(encoded(text, encoding)).decode()
    return WrittenFile("parcels.txt", f"text/plain; charset={encoding}", encoding, text, shown)


def _of_text(text: str, zone: int | None) -> "BoundaryFile":
    from planning.boundary.pasted import is_pasted, read_pasted
    from planning.boundary.reader import read_boundary_points
    from planning.survey.zones import Zone

    if not is_pasted(text):
        return read_boundary_points(text)
    return read_pasted(text, None if zone is None else Zone(zone, 6 if zone < 25 else 3))


def _of_file(path: Path, crs: str | None, layer: str | None, encoding: str | None) -> "BoundaryFile":
    from layers.importing.source import ReadOptions
    from planning.boundary.geodata import read_geodata
    from planning.boundary.reader import read_boundary_points

    if path.suffix.lower() in _POINTS:
        return read_boundary_points(path.read_bytes())
    return read_geodata(path, ReadOptions(layer, encoding, crs))


def _of_drawing(area: Area) -> "BoundaryFile":
    import shapely

    from planning.boundary.model import BoundaryFile, Header
    from planning.drawn import drawn
    from planning.survey.parcel import parcel_of

    zone, shape = drawn(area)
    parcels = [parcel_of(part, zone) for part in shapely.get_parts(shape)]
    return BoundaryFile(Header(), tuple(parcels))
