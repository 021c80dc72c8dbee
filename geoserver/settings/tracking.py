"""``tracking``: the gateways of vehicle terminals."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from geoserver.settings.groups import FilePath, Group, Port


class Jt808(Group):
    """The gateway of JT/T 808 vehicle terminals."""

    enabled: bool = Field(default=True, description="`citymap up` runs it")
    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0 or :: for every interface")
    port: Port = Field(default=7808, description="of TCP and UDP")
    udp: bool = Field(default=True, description="take datagrams too")
    registration: bool = Field(
        default=True, description="a terminal that is in the layer devices gets a code when it registers"
    )
    connections: int = Field(default=30_000, ge=1, le=1_000_000, description="at once; more are refused")
    stranger_seconds: float = Field(
        default=60, ge=1, le=3600, description="in which a terminal must authenticate itself [s]"
    )
    silent_seconds: float = Field(default=900, ge=10, le=86_400, description="a silent connection is closed after [s]")


class Nmea(Group):
    """NMEA 0183 of GNSS receivers."""

    enabled: bool = Field(default=False, description="the gateway takes it")
    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0 or :: for every interface")
    port: Port = Field(default=10110, description="of TCP and UDP")


class Mqtt(Group):
    """OwnTracks over a broker of MQTT 3.1.1, such as Mosquitto."""

    enabled: bool = Field(default=False, description="the gateway takes positions from the broker")
    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 1883
    username: str | None = None
    password: str | None = Field(default=None, repr=False, description="better: password_file")
    password_file: FilePath | None = None
    tls: bool = Field(default=False, description="the broker proves itself by a certificate; its port is 8883 then")
    ca_file: FilePath | None = Field(default=None, description="who signed that; null: whom the system trusts")
    topic: str = Field(
        default="owntracks/+/+", pattern=r"^[^+#]*\+[^#]*#?$", description="the first + is the device's number"
    )
    client_id: str = Field(default="citymap-gateway", min_length=1, max_length=23, description="of one gateway only")

    @property
    def secret(self) -> str | None:
        """The password. Raises :class:`OSError`."""
        return Path(self.password_file).read_text("utf-8").strip() if self.password_file else self.password


class Alarms(Group):
    """What is too long for a vehicle, or too fast."""

    overspeed: float = Field(default=10, ge=0, le=86_400, description="faster than allowed for [s]")
    idling: float = Field(default=900, ge=1, le=86_400, description="standing with the engine on for [s]")
    stay: float = Field(default=7200, ge=1, le=604_800, description="standing in its duty hours for [s]")
    offline: float = Field(default=1800, ge=10, le=604_800, description="silent for [s]")
    road_limits: dict[str, Annotated[float, Field(gt=0, le=300)]] = Field(
        default_factory=dict,
        description="by class of road, for roads that tell no maxspeed [km/h]; without any, roads limit nobody",
        examples=[{"motorway": 120, "primary": 70, "secondary": 60, "residential": 40}],
    )
    road_tolerance: float = Field(default=10, ge=0, le=100, description="faster than a road allows by so much [%]")


class Tracking(Group):
    """车辆定位 vehicle tracking."""

    jt808: Jt808 = Jt808()
    nmea: Nmea = Nmea()
    mqtt: Mqtt = Mqtt()
    alarms: Alarms = Alarms()
    offline_seconds: float = Field(
        default=600, ge=10, le=86_400, description="a device that says nothing for so long is offline [s]"
    )
    stale_seconds: float = Field(
        default=900, ge=10, le=86_400, description="a position older than this is shown as out of date [s]"
    )
    keep_days: int = Field(default=1095, ge=1, le=36_500, description="raw positions are kept for [d]")
    thin_days: int = Field(default=365, ge=1, le=36_500, description="after so many days one in so many seconds stays")
    thin_seconds: float = Field(default=60, ge=1, le=86_400, description="of those [s]")
