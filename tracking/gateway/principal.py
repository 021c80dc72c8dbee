"""As whom the gateway acts in the database."""

from layers.access import Grant, Principal

_READ = frozenset({"read"})
_WRITE = frozenset({"read", "create", "update", "delete"})
#: What no person has: it may put positions into their layer, and so write ``tracking.*`` (``tracking/tracking.sql``).
GATEWAY = Principal(
    "citymap gateway",
    grants=(
        Grant("devices", _READ, "core"),
        Grant("geofences", _READ, "core"),
        Grant("roads", _READ, "core"),
        Grant("positions", _WRITE, "core"),
        Grant("alarms", _WRITE, "core"),
        Grant("trajectories", _WRITE, "core"),
        Grant("unit-tasks", frozenset({"read", "update"}), "core"),
    ),
    via="gateway",
)
