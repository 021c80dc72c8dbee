"""``tracking``: the gateways of vehicle terminals."""

from pydantic import Field

from geoserver.settings.groups import Group, Port


class Jt808(Group):
    """The gateway of JT/T 808 vehicle terminals."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 7808


class Tracking(Group):
    """车辆定位 vehicle tracking."""

    jt808: Jt808 = Jt808()
