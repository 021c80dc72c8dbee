"""What every piece of the benchmark gets."""

from dataclasses import dataclass
from pathlib import Path

from layers.database import Database


@dataclass(frozen=True)
class Bench:
    """The database with the whole city (its owner's address), a folder for what is made, and how long to measure."""

    url: str
    database: Database
    folder: Path
    rounds: int
    #: Length of one burst [s].
    seconds: int
