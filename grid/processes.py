"""Processes on what a city decides about grid management: its classes, limits and rules of dispatch."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from grid.rules_files import MOST_BYTES, read_rules
from grid.rules_queries import write_rules
from layers.processing import UploadedFile, process


@dataclass(frozen=True, slots=True)
class WrittenRules:
    """How many rows were added or changed, and how many were removed before."""

    table: str
    written: int
    removed: int


@process(
    edits=True,
    keywords=("立案条件 conditions", "派遣规则 dispatch rules", "分类 classes"),
    example={"table": "conditions", "upload": "00000000-0000-4000-8000-000000000000", "replace": True},
)
def import_grid_rules(
    conn: Connection,
    table: Literal["classes", "conditions", "dispatch-rules"],
    upload: UploadedFile,
    replace: bool = False,
) -> WrittenRules:
    """导入网格规则 | Import rules of the grid

    从 CSV 导入部件与事件分类、立案条件与时限、派遣规则。 | Classes, conditions with their limits, or rules of dispatch,
    from CSV.

    table: 表 | The table
    upload: 文件；/uploads 给出的编号 | The file; an id that /uploads gave
    replace: 替换；先删去文件中各标准的旧行 | Replace; rows of the file's schemes go first
    returns: 结果 | What was written
    """
    with upload.path.open("rb") as file:
        rows: list[dict[str, Any]] = read_rules(table, file.read(MOST_BYTES + 1))
    written, removed = write_rules(conn, table, rows, replace=replace)
    return WrittenRules(table, written, removed)
