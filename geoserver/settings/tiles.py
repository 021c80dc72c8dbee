"""``tiles``: the cache and further tile matrix sets."""

from pydantic import Field

from geoserver.settings.groups import FilePath, Group


class Tiles(Group):
    """瓦片 tiles."""

    cache_mb: int = Field(default=512, ge=16, le=1_048_576, description="finished tiles in memory, all workers [MB]")
    disk_mb: int = Field(default=4096, ge=0, le=100_000_000, description="finished tiles kept on disk [MB]; 0: none")
    directory: FilePath = Field(default="var/tiles", validate_default=True, description="of the tiles on disk")
    archives: FilePath | None = Field(
        default=None, description="folder whose PMTiles, MBTiles and COGs are served; those in internal/ to officials"
    )
    matrix_sets: tuple[FilePath, ...] = Field(
        default=(), max_length=50, description="JSON files of further tile matrix sets (OGC 17-083r4)"
    )
