"""What processes on surveys in three dimensions answer."""

from dataclasses import dataclass

from layers.catalogue import Text
from layers.raster.imported import ImportedImage


@dataclass(frozen=True, slots=True)
class PointCloudReport:
    """What a point cloud became: the images of the surface and of the ground, of so many points."""

    file: str
    points: int
    ground_points: int
    crs: str
    resolution: float
    surface: ImportedImage
    ground: ImportedImage | None
    warnings: tuple[Text, ...]
