"""``grid.open311``: what the service discovery of Open311 says."""

from pydantic import Field

from geoserver.settings.groups import Group


class Open311(Group):
    """Open311 GeoReport v2 at ``/open311/v2``."""

    jurisdiction_id: str = Field(
        default="", max_length=200, description="such as city.gov; if set, a request that names another is refused"
    )
    contact: str = Field(default="", max_length=500, description="whom developers of clients may ask")
