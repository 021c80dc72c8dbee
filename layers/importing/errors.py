"""Why an import is refused, in both languages of the interface."""

from layers.catalogue import Text


class ImportRefused(ValueError):
    """An import that does not happen; nothing was changed."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class UnsafeFile(ImportRefused):
    """The file is built to harm, or larger than the bounds allow."""


class UnreadableFile(ImportRefused):
    """The file is not what its name says, or is damaged."""


class UnknownCrs(ImportRefused):
    """The CRS is missing, unknown, or cannot be transformed truthfully."""


class WrongCoordinates(ImportRefused):
    """The coordinates contradict the CRS, for example longitude and latitude swapped."""


class StrictRefusal(ImportRefused):
    """A strict import met a feature that it would have had to repair or leave out."""
