"""Why an export is refused or broken off, in both languages of the interface."""

from layers.catalogue import Text


class ExportRefused(ValueError):
    """An export that does not happen, or that broke off; no file is left behind."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class UnknownFormat(ExportRefused):
    """The format is not one of those offered, or cannot hold this layer."""


class ExportTooLarge(ExportRefused):
    """The result has more rows or bytes than the bounds allow, or the disk has no room for it."""


class ExportFailed(ExportRefused):
    """The format's writer gave up; the message is its own."""
