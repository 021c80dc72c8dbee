"""The one error of this package."""


class Cql2Error(ValueError):
    """A CQL2 filter is malformed, too large, or does not fit the layer it is asked of."""


def excerpt(text: object, length: int = 60) -> str:
    """User text quoted for a message, never longer than ``length`` characters."""
    shown = str(text)
    return repr(shown if len(shown) <= length else shown[:length] + "…")
