"""A point cloud into the coverages of the surface and of the ground, within the caller's transaction."""

from pathlib import Path

from sqlalchemy import Connection

from layers.catalogue import Text
from layers.raster.imported import ImportedImage
from layers.raster.ingest import ImageOptions, Progress, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from layers.three_d.answers import PointCloudReport
from layers.three_d.point_cloud import grids, look, write_grid

_NO_GROUND = Text(
    "文件没有地面类（2）的点，只导入了地表模型", "no point is classified as ground (2): only the surface came in"
)


def import_survey(
    conn: Connection,
    store: RasterStore,
    folder: Path,
    path: Path,
    resolution: float,
    crs: str | None,
    into: tuple[str, str],
    options: ImageOptions,
    progress: Progress,
) -> PointCloudReport:
    """Import LAS or LAZ as images of two coverages of elevation, the surface's and the ground's.

    ``folder`` is where grids are written meanwhile. Raises :class:`layers.importing.errors.ImportRefused` and its
    kinds, :class:`layers.registry.LayerNotFound`, and what ``progress`` raises; the caller then rolls back.
    """
    cloud = look(path, crs)
    coverages = [load_coverage(conn, layer) for layer in into]
    reading = Text("正在读点云", "Reading the point cloud")
    made = grids(cloud, resolution, lambda share: progress(0.6 * share, reading))
    images: list[ImportedImage] = []
    wanted = [(coverages[0], made.surface), *([(coverages[1], made.ground)] if made.ground_points else [])]
    for number, (coverage, values) in enumerate(wanted):
        file = folder / f"{coverage.layer.id}.tif"
        write_grid(values, made, cloud.crs, file)
        start = 0.6 + 0.2 * number

        def tell(share: float, text: Text, start: float = start) -> None:
            progress(start + 0.2 * share, text)

        images += import_images(conn, store, coverage, file, options, tell)
    return PointCloudReport(
        file=path.name,
        points=made.used,
        ground_points=made.ground_points,
        crs=cloud.crs.to_string()[:80],
        resolution=resolution,
        surface=images[0],
        ground=images[1] if made.ground_points else None,
        warnings=() if made.ground_points else (_NO_GROUND,),
    )
