"""身份 identity: what proves who sends a request; accounts, sessions, keys, tokens and devices, and who may give them.

A request is read in :mod:`~geoserver.identity.credentials`, proved in :mod:`~geoserver.identity.identities`. What the
account may do is not decided here: see :mod:`layers.access`.
"""

from geoserver.identity.identities import Identities
from geoserver.identity.model import Identity, Scope

__all__ = ["Identities", "Identity", "Scope"]
