"""Run as a program: exports generated rows and prints the peak memory [MB] of a small and of the large export."""

import sys
import time
from pathlib import Path

from sqlalchemy import text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.exporting.export import stream

LAYER = Layer(
    id="generated",
    title=Text("生成", "Generated"),
    description=Text("", ""),
    geometry_type="MultiPolygon",
    fields=(
        Field("name", "string", Text("名称", "Name")),
        Field("height", "number", Text("高度", "Height")),
        Field("floors", "integer", Text("层数", "Floors")),
        Field("built", "date-time", Text("建成", "Built")),
    ),
)
ROWS = """
    SELECT g AS id, '建筑 ' || g || repeat('字', g % 40) AS name, g / 7.0::float8 AS height, g % 33 AS floors,
           timestamptz '2020-01-01 00:00:00Z' + g * interval '1 minute' AS built,
           ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(114.5 + g % 1000 / 1e3, 30 + g / 1000 / 1e3), 4490), 1e-4, 4)) AS geom
    FROM generate_series(1, :rows) AS g
"""


def export(database: Database, rows: int, format: str, target: Path) -> int:
    with database.transaction() as conn, target.open("wb") as file:
        for chunk in stream(conn, text(ROWS).bindparams(rows=rows), LAYER, format, 4490):
            file.write(chunk)
    return peak_mb()


def peak_mb() -> int:
    """Peak resident memory of this program; ``ru_maxrss`` would begin with that of the program that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


if __name__ == "__main__":
    url, format, rows, target = sys.argv[1:]
    database = Database(url, pool_size=1, statement_timeout=300)
    small = export(database, 4000, format, Path(target))
    started = time.monotonic()
    large = export(database, int(rows), format, Path(target))
    print(small, large, round(time.monotonic() - started, 1))
