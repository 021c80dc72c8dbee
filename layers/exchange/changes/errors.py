"""Why a layer's changes cannot be told."""


class ChangesGone(LookupError):
    """The position is of another time, server or set of rights: the layer must be copied anew."""


class PositionError(ValueError):
    """A position is none that this server gave for this layer."""


class NotFollowed(ValueError):
    """The layer keeps no change log: it is worked out from others, or of vehicles."""
