"""The configuration's shape: small frozen groups, named as in pygeoapi where pygeoapi has the key.

A key that is not declared here is refused. ``tracking`` holds keys that installations may set already, and that
nothing reads yet. Reading files and the environment is :mod:`geoserver.config`'s work.
"""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from geoserver.settings.access import Access, Audit, Outbound
from geoserver.settings.data import Crs, DatabaseSettings, Rasters
from geoserver.settings.grid import Grid
from geoserver.settings.groups import Group
from geoserver.settings.metadata import Metadata
from geoserver.settings.planning import Planning
from geoserver.settings.server import Logging, Server
from geoserver.settings.tiles import Tiles
from geoserver.settings.tracking import Tracking


class Settings(Group):
    """The whole configuration of one server."""

    server: Server = Field(default_factory=Server)
    logging: Logging = Logging()
    outbound: Outbound = Outbound()
    metadata: Metadata = Metadata()
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    rasters: Rasters = Field(default_factory=Rasters)
    crs: Crs = Crs()
    access: Access = Field(default_factory=Access)
    audit: Audit = Audit()
    grid: Grid = Field(default_factory=Grid)
    planning: Planning = Planning()
    tracking: Tracking = Tracking()
    tiles: Tiles = Field(default_factory=Tiles)
    resources: dict[str, Any] = Field(
        default_factory=dict, description="pygeoapi's own resources beside the catalogue's layers"
    )

    @model_validator(mode="after")
    def _photos_lie_apart(self) -> "Settings":
        if Path(self.grid.photos.directory).is_relative_to(self.database.directory):
            raise ValueError("grid.photos.directory lies inside database.directory; choose another folder for photos")
        return self
