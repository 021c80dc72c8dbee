"""What goes wrong with another server's layer."""


class UpstreamFailed(RuntimeError):
    """The other server cannot be reached, refuses, or answers what it should not; the message names it."""


class NotOffered(Exception):
    """The other server's layer cannot be asked for that."""


class ProxyError(ValueError):
    """A layer of another server cannot be registered so."""
