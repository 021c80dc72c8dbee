"""What can be wrong with a question about past states; each says it in both languages."""

from layers.catalogue import Text


class VersionError(ValueError):
    """A name, an instant or an import does not fit what is asked for."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class NoSuchVersion(VersionError, LookupError):
    """No version of that name, or no import of that number, that may be seen."""


class UndoRefused(VersionError):
    """An import cannot be taken back as it was asked for; nothing was changed."""
