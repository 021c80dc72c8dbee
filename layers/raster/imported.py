"""What a raster file became: said by the import, and answered by its process without loading GDAL."""

from dataclasses import dataclass

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """What one raster file became; ``id`` is its footprint's, None after a dry run. ``resolution`` [m]."""

    id: int | None
    name: str
    crs: str
    width: int
    height: int
    resolution: float
    bands: tuple[str, ...]
    dtype: str
    copies: tuple[str, ...]
    stored_bytes: int
    warnings: tuple[Text, ...] = ()
