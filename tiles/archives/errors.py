"""Why an archive cannot be made or read; each says why and what to do, in both languages."""

from layers.catalogue import Text


class ArchiveError(ValueError):
    """The archive cannot be made of what is asked for."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class ArchiveBusy(RuntimeError):
    """Another run works on the same archive, or its file is being replaced; later is better."""

    zh = "瓦片包正在制作或替换，请稍后再试"


class NoSuchArchive(LookupError):
    """No archive of that name is served to whoever asks, or it is damaged at that tile."""

    zh = "没有这个瓦片包，或它在此处损坏；/archives 列出现有的"


class ArchiveUnreadable(ValueError):
    """A file is no archive that can be served; the message says why."""
