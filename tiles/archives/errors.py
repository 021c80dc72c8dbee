"""Why an archive cannot be made or read; each says why and what to do, in both languages."""

from layers.catalogue import Text


class ArchiveError(ValueError):
    """The archive cannot be made of what is asked for."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class ArchiveBusy(RuntimeError):
    """Another run works on the same archive, or its file is being replaced; later is better."""


class NoSuchArchive(LookupError):
    """No archive of that name is served to whoever asks."""


class ArchiveUnreadable(ValueError):
    """A file is no archive that can be served; the message says why."""
