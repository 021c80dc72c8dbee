"""Processes on coverages: images in, and out again."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import Job, UploadedFile, process
from layers.raster.coverage import Coverage, ImageNature, coverage
from layers.raster.images import find_image, remove
from layers.raster.imported import ImportedImage
from layers.raster.registry import create_coverage, load_coverage
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound, fit_extent

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]
_Names = Annotated[tuple[_ShortText, ...], Field(max_length=32)]
_Moment = AwareDatetime | date


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What a file became, image by image."""

    file: str
    layer: str
    dry_run: bool
    images: tuple[ImportedImage, ...]


@dataclass(frozen=True, slots=True)
class RemovedImage:
    """Which image was taken out; reads as of earlier still find it, as long as its files are kept."""

    layer: str
    image: int
    name: str


@process(
    edits=True,
    keywords=("影像 imagery", "高程 elevation", "导入 import"),
    example={
        "upload": "00000000-0000-0000-0000-000000000000",
        "layer": "imagery",
        "acquired": "2024-05-01",
        "dry_run": True,
    },
)
def import_image(
    conn: Connection,
    job: Job,
    store: RasterStore,
    upload: UploadedFile,
    layer: _ShortText = "imagery",
    acquired: _Moment | None = None,
    acquired_until: _Moment | None = None,
    name: _ShortText | None = None,
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0,
    bands: _Names = (),
    vertical_datum: _ShortText | None = None,
    crs: _ShortText | None = None,
    towgs84: Annotated[tuple[float, ...], Field(max_length=7)] = (),
    replaces: Annotated[int, Field(ge=1)] | None = None,
    nature: ImageNature | None = None,
    title: _ShortText | None = None,
    dry_run: bool = False,
) -> ImageReport:
    """导入影像 | Import an image

    上传的栅格文件转成云优化 GeoTIFF，作为一幅有时间的影像进入图层；全部成功，否则不留痕迹。 | An uploaded raster file
    becomes a cloud-optimised GeoTIFF and a dated image of a layer, as a whole or not at all.

    upload: 上传文件的编号；PNG、JPEG 与坐标文件压缩在一起 | Id of the uploaded file; PNG, JPEG: a zip with world file
    layer: 图层的编号；如 imagery、dem，或新的 | Id of the layer; such as imagery, dem, or a new one
    acquired: 拍摄时间；日期或带时区的时刻 | Time of acquisition; a date, or an instant with its offset
    acquired_until: 拍摄结束；拍摄持续一段时间时 | End of acquisition; where it took a while
    name: 影像名称；缺省取自文件名 | Name of the image; by default the file's
    priority: 优先级；大者在上 | Priority; the higher lies on top
    bands: 波段名称；按文件中的顺序 | Names of the bands; in the file's order
    vertical_datum: 高程基准；如 1985国家高程基准 | Vertical datum; of elevation
    crs: 文件的坐标系；如 EPSG:4547 | CRS of the file; such as EPSG:4547
    towgs84: 七参数；西安 80 或北京 54 用（m，″，ppm） | Seven parameters; for Xian 80 or Beijing 54 (m, ″, ppm)
    replaces: 被替换影像的编号；旧的留在历史里 | Id of the image that it replaces; the old one stays in history
    nature: 新图层的种类；像元是颜色、高程或类别 | Nature of a new layer; its pixels are colours, heights or classes
    title: 新图层的名称 | Title of a new layer
    dry_run: 试运行；只报告，不改动 | Dry run; report, and change nothing
    returns: 导入报告 | Report
    """
    # GDAL takes a tenth of a second and 60 MB to load, which a server that only describes this need not spend.
    from layers.raster.ingest import ImageOptions, import_images

    options = ImageOptions(
        acquired=_instant(acquired),
        acquired_until=_instant(acquired_until),
        name=name,
        priority=priority,
        bands=bands,
        vertical_datum=vertical_datum,
        crs=crs,
        towgs84=towgs84,
        replaces=replaces,
        dry_run=dry_run,
    )
    into = _coverage(conn, layer, nature, title, dry_run=dry_run)
    done = import_images(conn, store, into, upload.path, options, lambda share, text: job.progress(100 * share, text))
    if replaces is not None and not dry_run:
        fit_extent(conn, into.layer)
    return ImageReport(upload.name, into.layer.id, dry_run, tuple(done))


@process(edits=True, keywords=("影像 imagery", "删除 remove"), example={"layer": "imagery", "image": 1})
def remove_image(conn: Connection, layer: _ShortText, image: Annotated[int, Field(ge=1)]) -> RemovedImage:
    """移除影像 | Remove an image

    影像退出图层；历史保留它，按以前时间读取仍可得到，直到文件过期。 | An image leaves its layer; history keeps it, and
    reads as of earlier find it until its files expire.

    layer: 图层的编号 | Id of the layer
    image: 影像的编号 | Id of the image
    returns: 被移除的影像 | The removed image
    """
    coverage = load_coverage(conn, layer)
    found = find_image(conn, coverage, image)
    remove(conn, coverage, image)
    fit_extent(conn, coverage.layer)
    return RemovedImage(layer, image, found.name)


def _instant(moment: datetime | date | None) -> datetime | None:
    """A date means its midnight in UTC."""
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def _coverage(
    conn: Connection, layer: str, nature: ImageNature | None, title: str | None, *, dry_run: bool
) -> Coverage:
    """The coverage of that id, or a new one where its nature is told."""
    try:
        return load_coverage(conn, layer)
    except LayerNotFound:
        if nature is None:
            raise
    made = coverage(layer, Text(title or layer, title or layer), Text("", ""), nature)
    if not dry_run:
        create_coverage(conn, made)
    return made
