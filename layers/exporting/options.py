"""What a client may ask of an export beside format and CRS."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Encoding = Literal["utf-8", "utf-8-sig", "gbk"]


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of one export.

    ``encoding`` concerns CSV and Shapefile: ``utf-8-sig`` has the mark that Excel needs, ``gbk`` CSV is written as its
    superset GB 18030. ``neutralise`` keeps spreadsheets from running CSV texts as formulas. ``directory`` holds
    temporary files; None is the system's.
    """

    encoding: Encoding = "utf-8"
    neutralise: bool = True
    directory: Path | None = None
