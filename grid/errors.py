"""What can be wrong with a request to grid management; each says so in both languages."""

from layers.catalogue import Text


class GridError(ValueError):
    """An input of a process of the grid's contradicts the rules."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class ActNotAllowed(GridError):
    """The case is not in a state in which the principal may so act; the message names what it may."""


class CaseNotFound(GridError):
    """There is no such case, or the principal may not see it."""


class PhotoRefused(GridError):
    """A file is no photo that is taken, or too large."""
