"""Puts the gateway of vehicle terminals together: settings, the database's roles, and the devices' secrets."""

from dataclasses import dataclass

from geoserver.database_roles import ACCESS_ROLE, role_url
from geoserver.identity.devices import list_device_secrets, make_device_secret, revoke_device_secret, verify_device
from geoserver.settings import Settings
from geoserver.settings.tracking import Mqtt, Tracking
from layers.access import APP_ROLE
from layers.database import Database
from tracking.alarms.conditions import Limits
from tracking.gateway.mqtt import Broker
from tracking.gateway.roster import Secrets
from tracking.gateway.running import Endpoint, Gateway, Options
from tracking.gateway.server import Bounds
from tracking.states import Patience
from tracking.upkeep import Policy

#: Who is entered as the maker of a code that registration gave.
_REGISTRATION = "jt808 registration"


@dataclass(frozen=True)
class Made:
    """The gateway, and the connections by which it looks secrets up."""

    gateway: Gateway
    gate: Database

    def close(self) -> None:
        """Close the connections."""
        self.gate.close()


def make_gateway(settings: Settings, owner_url: str, *, answer_first: bool = False) -> Made:
    """The gateway as configured; ``answer_first`` is for the fault tests (see :class:`Options`)."""
    tracking = settings.tracking
    gate = Database(settings.database.access_url or role_url(owner_url, ACCESS_ROLE), pool_size=4, statement_timeout=10)
    bounds = Bounds(tracking.jt808.connections, tracking.jt808.stranger_seconds, tracking.jt808.silent_seconds)
    nmea = Endpoint(tracking.nmea.host, tracking.nmea.port) if tracking.nmea.enabled else None
    jt808 = tracking.jt808
    options = Options(jt808.host, jt808.port, jt808.udp, bounds, answer_first, nmea, _broker(tracking.mqtt))
    gateway = Gateway(
        options,
        settings.database.app_url or role_url(owner_url, APP_ROLE),
        device_secrets(gate, registration=tracking.jt808.registration),
        Patience(tracking.offline_seconds, tracking.stale_seconds),
        Limits(**tracking.alarms.model_dump()),
    )
    return Made(gateway, gate)


def _broker(mqtt: Mqtt) -> Broker | None:
    if not mqtt.enabled:
        return None
    return Broker(
        mqtt.host, mqtt.port, mqtt.username, mqtt.secret, mqtt.tls, mqtt.ca_file, mqtt.topic, mqtt.client_id
    )  # fmt: skip


def device_secrets(gate: Database, *, registration: bool) -> Secrets:
    """The devices' secrets, over the connection that may read ``access.*``; a new one at ``registration`` or never."""

    def verify(code: str, secret: str) -> bool:
        with gate.engine.connect() as conn:
            return verify_device(conn, code, secret)

    def issue(code: str) -> str:
        """A new code; that of the last registration ends, so a terminal that registers again is never locked out."""
        with gate.transaction(actor=_REGISTRATION) as conn:
            for old in list_device_secrets(conn, code):
                if old.made_by == _REGISTRATION and old.revoked is None:
                    revoke_device_secret(conn, old.id)
            return make_device_secret(conn, code, _REGISTRATION)[0]

    return Secrets(verify, issue if registration else None)


def policy(tracking: Tracking) -> Policy:
    """How long positions are kept, as configured."""
    return Policy(tracking.keep_days, tracking.thin_days, tracking.thin_seconds)
