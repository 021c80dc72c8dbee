"""``database``, ``rasters`` and ``crs``: where the data are, and their coordinates."""

from pydantic import Field, field_validator, model_validator

from geoserver.settings.groups import Epsg, FilePath, Group
from layers.coordinates.local_grid import LocalGrid, OldDatum, SevenParameters
from layers.processing import CityCrs


class DatabaseSettings(Group):
    """The PostGIS database."""

    url: str | None = Field(default=None, repr=False, description="postgresql://…; null: a private cluster")
    app_url: str | None = Field(
        default=None, repr=False, description="as citymap_app; null: url with that role and a password derived from it"
    )
    access_url: str | None = Field(default=None, repr=False, description="as citymap_access; null: likewise")
    directory: FilePath = Field(default="var/postgres", validate_default=True, description="of the private cluster")
    pool_size: int = Field(default=4, ge=1, le=200, description="connections, so requests at once, per worker")
    statement_timeout: float = Field(default=30, gt=0, le=3600, description="of a request's statement [s]")

    @field_validator("url", "app_url", "access_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        scheme, _, rest = (url or "postgresql://_").partition("://")
        if scheme not in ("postgresql", "postgres") or not rest:
            # The value may hold a password: it is not repeated.
            raise ValueError("is not an address such as 'postgresql://user:password@host:5432/citymap'")
        return f"postgresql://{rest}" if url else None


class Rasters(Group):
    """影像与高程 images of coverages."""

    directory: FilePath = Field(default="var/rasters", validate_default=True, description="of the images' files")
    keep_days: float = Field(
        default=365, gt=0, le=36_500, description="files of removed images serve reads of the past for [d]"
    )


class LocalGridSettings(Group):
    """地方独立坐标系 one of the city's own coordinate systems (docs/coordinates.md)."""

    proj: str | None = Field(default=None, max_length=500, description="PROJ text, such as +proj=tmerc +lon_0=114.5 …")
    towgs84: SevenParameters | None = Field(default=None, description="seven parameters of its datum [m, ″, ppm]")
    base: Epsg | None = Field(default=None, description="or: the projected system that it is moved from")
    east: float = Field(default=0.0, description="shift [m]")
    north: float = Field(default=0.0, description="shift [m]")
    rotation: float = Field(default=0.0, ge=-1_296_000, le=1_296_000, description="anticlockwise [″]")
    scale: float = Field(default=0.0, ge=-100_000, le=100_000, description="[ppm]")

    @model_validator(mode="after")
    def _is_usable(self) -> "LocalGridSettings":
        self.grid()
        return self

    def grid(self) -> LocalGrid:
        """The grid as processes take it."""
        return LocalGrid(**self.model_dump())


class OldDatums(Group):
    """Seven parameters (dx, dy, dz [m], rx, ry, rz [″], scale [ppm]; position vector) from old datums to CGCS2000."""

    xian80: SevenParameters | None = None
    beijing54: SevenParameters | None = None


class Crs(Group):
    """Coordinate reference systems, by EPSG code."""

    projected: Epsg = Field(default=4547, description="for lengths and areas; projected, in metres")
    offered: tuple[Epsg, ...] = Field(default=(4326, 4490, 4547, 3857, 4526), min_length=1, max_length=100)
    towgs84: OldDatums = OldDatums()
    local_grids: dict[str, LocalGridSettings] = Field(default_factory=dict, max_length=100)

    def for_processes(self) -> CityCrs:
        """The systems as processes take them."""
        declared: dict[OldDatum, SevenParameters | None] = {
            "xian80": self.towgs84.xian80,
            "beijing54": self.towgs84.beijing54,
        }
        known = {name: values for name, values in declared.items() if values}
        grids = {name: one.grid() for name, one in self.local_grids.items()}
        return CityCrs(self.projected, frozenset(self.offered), grids, known)

    @field_validator("projected")
    @classmethod
    def _is_projected_in_metres(cls, code: int) -> int:
        from pyproj import CRS  # 40 ms that only a configuration's check needs
        from pyproj.exceptions import CRSError

        try:
            crs = CRS.from_epsg(code)
        except CRSError as error:
            raise ValueError(f"EPSG:{code} is not in PROJ's database") from error
        if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
            raise ValueError(f"EPSG:{code} is not projected in metres, as EPSG:4547 is")
        return code
