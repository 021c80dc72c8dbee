"""The process that finds what changed between two dates of a coverage."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.analysis.answers import FeatureAnswer, answered
from layers.analysis.errors import AnalysisError
from layers.catalogue import Text
from layers.processing import CityCrs, FileResult, Job, Workspace, process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Area, area_in

if TYPE_CHECKING:
    from layers.analysis.dates import TwoDates

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]


@dataclass(frozen=True, slots=True)
class BandFit:
    """The line by which the later date's values were brought to the earlier one's light."""

    band: str
    gain: float
    offset: float


@dataclass(frozen=True, slots=True)
class Transition:
    """Ground whose class changed [m²]."""

    from_class: str
    to_class: str
    area: float


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """Changed patches with ``area`` [m²] and ``confidence`` (a rank, 0 … 1), how much changed of what both dates know
    [m²], and by which threshold [standard deviations] and fit; of classes the ``transitions``, patches too small to be
    listed included."""

    patches: FeatureAnswer
    changed_area: float
    judged_area: float
    threshold: float | None
    fit: tuple[BandFit, ...]
    transitions: tuple[Transition, ...]


@process(
    keywords=("变化检测 change detection", "影像 imagery", "地表覆盖 land cover"),
    example={
        "coverage": "imagery",
        "before": ["1985-01-01T00:00:00Z", "1985-12-31T23:59:59Z"],
        "after": ["2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z"],
        "method": "vector",
        "minimum_area": 20000,
    },
)
def change_detection(
    conn: Connection,
    job: Job,
    store: RasterStore,
    city: CityCrs,
    workspace: Workspace,
    before: tuple[datetime, datetime],
    after: tuple[datetime, datetime],
    coverage: _LayerId = "imagery",
    area: Area | None = None,
    method: Literal["vector", "index", "classes"] | None = None,
    bands: Annotated[tuple[_LayerId, ...], Field(max_length=16)] = (),
    threshold: Annotated[float, Field(gt=0, le=100)] | None = None,
    minimum_area: Annotated[float, Field(ge=0, le=1e9)] = 400.0,
    smooth: bool = True,
    resolution: Annotated[float, Field(ge=0.01, le=10_000)] | None = None,
    file: bool = False,
) -> ChangeAnswer | FileResult:
    """变化检测 | Detect changes

    同一地区两个时期影像之间变化的图斑：辐射归一化后按变化向量或指数差判定；分类栅格按类别变化判定。 | The patches that
    changed between two dates: by the change vector or the difference of an index after both are brought to one light;
    of classes by the change of class.

    before: 前一时期；起止时间 | Before; begin and end of the earlier date
    after: 后一时期；起止时间 | After; begin and end of the later date
    coverage: 栅格图层的编号 | Coverage; id of the layer
    area: 范围；缺省为后期影像的范围 | Area; by default that of the later images
    method: 方法；vector 变化向量，index 归一化指数差，classes 类别 | Method; vector, index or classes
    bands: 波段；index 取两个，如近红外与红 | Bands; of an index two, such as near infrared and red
    threshold: 阈值；未变化像元标准差的倍数，缺省自动 | Threshold; in standard deviations, found by itself if not given
    minimum_area: 最小图斑面积 [m²] | Minimum mapping unit [m²]
    smooth: 平滑；去除孤立像元 | Smooth; leave out lone pixels
    resolution: 分辨率；缺省取后期影像的像元 [m] | Resolution; by default the later image's pixels [m]
    file: 写成文件；以异步任务执行 | File; write one, run as a job
    returns: 变化图斑与面积 [m²] | Changed patches and areas [m²]
    """
    from layers.analysis.dates import read_two
    from layers.analysis.times import interval

    ground = area_in(area, city.projected, "area") if area is not None else None
    times = (interval(*before), interval(*after))
    found = read_two(conn, store, coverage, *times, ground, city.projected, bands, resolution)
    job.progress(40, Text("正在比较", "Comparing"))
    classes = found.nature == "classes"
    if (method or ("classes" if classes else "vector")) == "classes":
        if not classes:
            raise AnalysisError(f"input 'method': the pixels of {coverage!r} are no classes")
        return _of_classes(found, city.projected, minimum_area, workspace if file else None)
    if classes:
        raise AnalysisError(f"input 'method': the pixels of {coverage!r} are classes; take 'classes'")
    return _of_images(
        found, city.projected, method == "index", threshold, minimum_area, smooth, workspace if file else None
    )


def _of_images(
    found: "TwoDates", srid: int, index: bool, threshold: float | None, least: float, smooth: bool,
    workspace: Workspace | None,
) -> ChangeAnswer | FileResult:  # fmt: skip
    import numpy as np

    from layers.analysis.change import changed_patches, confidence, index_change, normalise, vector_change
    from layers.analysis.patches import outlines

    if index and len(found.bands) != 2:
        raise AnalysisError(f"input 'bands': an index is of two bands, not {len(found.bands)}; name them")
    before, after = (values.astype(np.float64).filled(np.nan) for values in (found.before, found.after))
    after, fit = normalise(before, after)
    change = (index_change if index else vector_change)(before, after, threshold)
    label, count = changed_patches(change, least / found.cell_area, smooth=smooth)
    shapes = outlines(label, count, found.grid, srid)
    sums = [
        np.bincount(label.ravel(), np.nan_to_num(v).ravel(), count + 1)[1:] for v in (change.score, change.direction)
    ]
    cells = np.bincount(label.ravel(), minlength=count + 1)[1:]
    properties = []
    for score, direction, size in zip(*sums, cells, strict=True):
        about: dict[str, Any] = {
            "confidence": round(confidence(score / size, change.threshold), 3), "score": round(float(score / size), 3),
            "pixels": int(size),
        }  # fmt: skip
        properties.append(about | ({"change": round(float(direction / size), 4)} if index else {}))
    patches = answered(shapes, properties, srid, workspace, "changes")
    if isinstance(patches, FileResult):
        return patches
    lines = zip(found.bands, fit.gain.tolist(), fit.offset.tolist(), strict=True)
    return ChangeAnswer(
        patches, round(float(cells.sum()) * found.cell_area, 1),
        round(float(np.isfinite(change.score).sum()) * found.cell_area, 1), round(change.threshold, 4),
        tuple(BandFit(band, round(gain, 6), round(offset, 4)) for band, gain, offset in lines), (),
    )  # fmt: skip


def _of_classes(found: "TwoDates", srid: int, least: float, workspace: Workspace | None) -> ChangeAnswer | FileResult:
    import numpy as np

    from layers.analysis.patches import class_patches, transitions

    one, two = found.before[0], found.after[0]
    shapes, told = class_patches(one, two, found.grid, srid, least)
    patches = answered(shapes, told, srid, workspace, "changes")
    if isinstance(patches, FileResult):
        return patches
    moved = [Transition(str(a), str(b), round(n * found.cell_area, 1)) for a, b, n in transitions(one, two)]
    judged = ~(np.ma.getmaskarray(one) | np.ma.getmaskarray(two))
    return ChangeAnswer(
        patches, round(sum(t.area for t in moved), 1), round(float(judged.sum()) * found.cell_area, 1), None, (),
        tuple(moved),
    )  # fmt: skip
