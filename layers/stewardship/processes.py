"""Processes of those who look after layers: preview a file, describe, change, remove a layer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.catalogue import Layer, Visibility, Zooms
from layers.features import RowDenied
from layers.importing.options import Coordinates
from layers.processing import UploadedFile, process
from layers.registry import drop_layer, find_layer, row_count, update_layer, whole_layer
from layers.stewardship.model import Changes, CityLayers, FieldChange, LayerAbout, about, changed
from layers.stewardship.simple_style import SimpleStyle

if TYPE_CHECKING:
    from layers.stewardship.preview import PreviewTable

_LayerId = Annotated[str, Field(min_length=1, max_length=200)]
_ShortText = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Removed:
    """A layer that is no more, and how many features went with it."""

    layer: str
    features: int


@dataclass(frozen=True, slots=True)
class FilePreview:
    """The tables of a file, each with its first rows and shapes."""

    file: str
    tables: tuple[dict[str, object], ...]


@process(
    keywords=("导入 import", "预览 preview"),
    example={"upload": "00000000-0000-0000-0000-000000000000", "encoding": "gbk", "crs": "EPSG:4547"},
)
def preview_upload(
    principal: Principal,
    upload: UploadedFile,
    source_layer: _ShortText | None = None,
    encoding: _ShortText | None = None,
    crs: _ShortText | None = None,
    coordinates: Coordinates | None = None,
    towgs84: Annotated[tuple[float, ...], Field(max_length=7)] = (),
) -> FilePreview:
    """预览上传文件 | Preview an uploaded file

    导入前先看文件里有什么：各图层的字段、识别的编码与坐标系、前几行属性与图形。 | What a file holds, before its import:
    its tables with their fields, the encoding and CRS that were found, the first rows and shapes.

    upload: 上传文件的编号；由 POST /uploads 得到 | Id of the uploaded file; POST /uploads gives it
    source_layer: 源图层；文件有多个时选一个 | Source layer; the one to take of several in the file
    encoding: 字符编码；文件没有说明或说错时 | Character encoding; where the file tells none or a wrong one
    crs: 坐标系；文件没有说明或说错时，如 EPSG:4547 | CRS; where the file tells none or a wrong one, such as EPSG:4547
    coordinates: 经纬度的种类；wgs84、cgcs2000、gcj02、bd09 | Kind of degrees; wgs84, cgcs2000, gcj02, bd09
    towgs84: 西安80或北京54的七参数；m，″，ppm | Seven parameters of Xian 80 or Beijing 54; m, ″, ppm
    returns: 各图层 | The tables
    """
    from dataclasses import asdict

    from layers.importing.source import ReadOptions
    from layers.stewardship.preview import preview

    if principal.account is None:
        raise RowDenied("a preview needs an account: sign in")
    found: tuple[PreviewTable, ...] = preview(
        upload.path, ReadOptions(source_layer, encoding, crs, coordinates, towgs84)
    )
    return FilePreview(upload.name, tuple(asdict(table) for table in found))


@process(keywords=("图层 layer", "元数据 metadata"), example={"layer": "buildings"})
def layer_settings(conn: Connection, principal: Principal, own: CityLayers, layer: _LayerId) -> LayerAbout:
    """图层设置 | Settings of a layer

    目录中一个图层的名称、字段别名、可见级别、样式与要素数，供管理者修改。 | What the catalogue says of a layer, for who
    looks after it: titles, aliases, visibility, style, features.

    layer: 图层的编号 | Id of the layer
    returns: 图层 | The layer
    """
    return _about(conn, principal, own, find_layer(conn, layer))


@process(
    edits=True,
    keywords=("图层 layer", "元数据 metadata", "样式 style"),
    example={"layer": "lamps", "fields": {"height": {"zh": "灯高", "unit": "m"}}, "style": {"color": "#d9822b"}},
)
def change_layer(
    conn: Connection,
    principal: Principal,
    own: CityLayers,
    layer: _LayerId,
    order: Annotated[int, Field(ge=0, le=10_000)] | None = None,
    visibility: Visibility | None = None,
    fields: Annotated[dict[str, FieldChange], Field(max_length=500)] | None = None,
    style: SimpleStyle | None = None,
    zooms: Zooms | None = None,
) -> LayerAbout:
    """修改图层 | Change a layer

    修改图层的次序、可见级别、字段别名与单位、样式；不给的部分不变，立即生效。名称与说明用 describe-layer。 | Changes
    order, visibility, aliases, units or style; what is not given stays. It counts at once. For titles and words see
    describe-layer.

    layer: 图层的编号 | Id of the layer
    order: 次序；大者在上 | Order; the greater lies above
    visibility: 可见级别；public、internal、sensitive、core | Visibility; public, internal, sensitive, core
    fields: 字段；别名、单位与可见级别，按字段名 | Fields; alias, unit and visibility by the field's name
    style: 样式；颜色、透明度、线宽、分类颜色、标注 | Style; colours, opacity, widths, colours of classes, label
    zooms: 显示级别；first 至 last，begin 为字段 by 各值的起始级 | Zooms; first to last; begin: where values of by begin
    returns: 图层 | The layer
    """
    seen = find_layer(conn, layer)
    _require(principal, seen)
    changes = Changes(order, visibility, fields, style, zooms)
    # Fields that the steward may not see stay as they are: the whole layer is stored, not the part that is seen.
    changed(seen, changes)  # names a field that the steward does not see as one that there is not
    made = changed(whole_layer(conn, layer), changes)
    _require(principal, made)
    update_layer(conn, made)
    return _about(conn, principal, own, find_layer(conn, layer))


@process(edits=True, keywords=("图层 layer", "删除 remove"), example={"layer": "lamps", "confirm": "lamps"})
def remove_layer(
    conn: Connection, principal: Principal, own: CityLayers, layer: _LayerId, confirm: _LayerId
) -> Removed:
    """删除图层 | Remove a layer

    删除图层及其要素与历史，不能恢复。系统自带的图层不能删除；只想不再公开的，改可见级别。 | Removes a layer with its
    features and their history, for good. Layers that the server itself works with stay; to withdraw a layer from the
    public change its visibility.

    layer: 图层的编号 | Id of the layer
    confirm: 确认；再写一次图层的编号 | Confirm; the id of the layer once more
    returns: 所删图层 | What was removed
    """
    found = find_layer(conn, layer)
    _require(principal, found)
    if found.id in own.ids:
        raise RowDenied(f"layer {found.id!r} is one that the server works with: change its visibility instead")
    if confirm != found.id:
        raise RowDenied(f"to remove layer {found.id!r}, give its id as 'confirm'")
    features = row_count(conn, found.id)
    drop_layer(conn, found.id)
    return Removed(found.id, features)


def _require(principal: Principal, layer: Layer) -> None:
    if not principal.may("manage", layer):
        raise RowDenied(f"you may not manage layer {layer.id!r} at visibility {layer.visibility!r}")


def _about(conn: Connection, principal: Principal, own: CityLayers, layer: Layer) -> LayerAbout:
    manageable = principal.may("manage", layer)
    return about(
        layer, row_count(conn, layer.id), removable=manageable and layer.id not in own.ids, manageable=manageable
    )
