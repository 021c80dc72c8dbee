"""What a load did, feature by feature where something was changed or left out."""

from dataclasses import dataclass, field

from layers.catalogue import Text
from layers.importing.options import Mode

#: At most this many remarks are kept of each kind; the counts stay exact.
MAX_REMARKS = 1000


@dataclass(frozen=True, slots=True)
class Remark:
    """What happened to one feature: its key (or ``#n``, its place in the file from 1) and why."""

    id: str
    reason: Text


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The outcome of one load; lists hold at most ``MAX_REMARKS``, the counts are exact.

    ``repaired`` features were stored after a change of geometry or value, ``rejected`` ones were not stored.
    ``fields`` are those that were filled, ``ignored_fields`` stood in the source only. ``import_id`` is the number by
    which the load is undone.
    """

    layer: str
    mode: Mode
    dry_run: bool
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    repaired_count: int
    rejected_count: int
    repaired: tuple[Remark, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Text, ...]
    fields: tuple[str, ...]
    ignored_fields: tuple[str, ...]
    encoding: str | None
    source_crs: str | None
    seconds: float
    import_id: int | None = None


@dataclass(slots=True)
class Findings:
    """Remarks and warnings collected while batches pass by."""

    repaired_count: int = 0
    rejected_count: int = 0
    repaired: list[Remark] = field(default_factory=list)
    rejected: list[Remark] = field(default_factory=list)
    warnings: dict[str, Text] = field(default_factory=dict)

    def repair(self, remarks: list[Remark]) -> None:
        """Note features stored after a change; one that was changed twice counts twice."""
        self.repaired_count += len(remarks)
        self.repaired.extend(remarks[: MAX_REMARKS - len(self.repaired)])

    def reject(self, remarks: list[Remark]) -> None:
        """Note features kept out."""
        self.rejected_count += len(remarks)
        self.rejected.extend(remarks[: MAX_REMARKS - len(self.rejected)])

    def warn(self, text: Text, about: str | None = None) -> None:
        """Note something that concerns the whole file; said once for each text, or matter ``about``; at most 100."""
        if len(self.warnings) < 100:
            self.warnings.setdefault(about or text.en, text)
