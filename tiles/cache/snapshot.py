"""PostgreSQL's snapshots: which transactions a statement saw (``pg_snapshot``, as ``xmin:xmax:xip,…``)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Transactions below ``xmin`` are seen, those from ``xmax`` on are not, between them all but ``running``."""

    xmin: int
    xmax: int
    running: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Of the text that PostgreSQL writes. Raises ValueError."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(map(int, running.split(","))) if running else frozenset())

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"

    def sees(self, transaction: int) -> bool:
        """Whether what the transaction wrote was there, had it been committed at all."""
        return transaction < self.xmin or (transaction < self.xmax and transaction not in self.running)
