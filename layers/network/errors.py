"""What may be wrong with a question to the network."""


class NetworkError(ValueError):
    """The network cannot answer what was asked; the message names the input."""


class FarFromRoads(NetworkError):
    """A point has no road of that mode near enough."""


class NoRoute(NetworkError):
    """No road leads from one point to another."""
