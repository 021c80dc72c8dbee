"""What a coverage is: a layer whose features are the footprints of its images.

A coverage's layer is a feature table like any other (history, dirty boxes, as-of reads and access come with it). What
the layer cannot say of its pixels stands beside it in ``citymap.coverages``.
"""

from dataclasses import dataclass
from typing import Literal

from layers.catalogue import Field, Layer, Text

#: What pixels mean decides how they are resampled and drawn: colours, heights [m], or codes of classes.
ImageNature = Literal["imagery", "elevation", "classes"]
#: ``relief`` is the shape of the ground (hillshade, slope, aspect), worked out from heights when it is read.
Nature = Literal["imagery", "elevation", "classes", "relief"]
Resampling = Literal["nearest", "bilinear", "cubic", "average", "mode"]

#: The facts of an image, as fields of its footprint. ``folder`` is where its files are, below the store's directory.
IMAGE_FIELDS = (
    Field("name", "string", Text("名称", "Name"), role="title"),
    Field("acquired", "date-time", Text("拍摄时间", "Acquired")),
    Field("acquired_until", "date-time", Text("拍摄结束", "Acquired until")),
    Field("priority", "integer", Text("优先级", "Priority")),
    Field("resolution", "number", Text("分辨率", "Resolution"), unit="m"),
    Field("bands", "string-array", Text("波段", "Bands")),
    Field("dtype", "string", Text("像元类型", "Pixel type")),
    Field("nodata", "number", Text("无效值", "Nodata value")),
    Field("stretch", "string-array", Text("拉伸范围", "Stretch")),
    Field("vertical_datum", "string", Text("高程基准", "Vertical datum")),
    Field("crs", "string", Text("坐标系", "CRS")),
    Field("width", "integer", Text("列数", "Columns")),
    Field("height", "integer", Text("行数", "Rows")),
    Field("source_file", "string", Text("来源文件", "Source file")),
    Field("checksum", "string", Text("来源文件校验值", "Source file's SHA-256"), visibility="internal"),
    Field("folder", "string", Text("存放目录", "Folder"), visibility="internal"),
    Field("copies", "string-array", Text("对齐副本", "Aligned copies"), visibility="internal"),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A coverage: its layer, the nature of its pixels, and the bands that it declares.

    A coverage that declares bands (``dem``: one, in metres) takes only images with as many; one that declares none
    (``imagery``) takes images of any bands, which each image names itself.
    """

    layer: Layer
    nature: Nature
    bands: tuple[Field, ...] = ()

    @property
    def resampling(self) -> Resampling:
        """How pixels are resampled unless a request says otherwise: codes must not be mixed."""
        return "nearest" if self.nature == "classes" else "bilinear"


def coverage(
    id: str,
    title: Text,
    description: Text,
    nature: Nature,
    bands: tuple[Field, ...] = (),
    order: int = 100,
    inputs: tuple[str, ...] = (),
) -> Coverage:
    """A coverage with the layer of footprints that every coverage has (EPSG:4490); of a derived one it stays empty."""
    layer = Layer(
        id=id,
        title=title,
        description=description,
        geometry_type="MultiPolygon",
        fields=IMAGE_FIELDS,
        kind="coverage",
        editable=False,  # an image comes and goes with its files, by import-image and remove-image
        time_field="acquired",
        order=order,
        inputs=inputs,
    )
    return Coverage(layer, nature, bands)
