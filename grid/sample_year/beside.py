"""What the sample year has beside cases: visits, residents' requests, patrol plans, shelters, resources, temporary and
illegal buildings. Few of each, invented, the same for the same city.
"""

import re
from datetime import datetime
from importlib.resources import files

from sqlalchemy import Connection, text


def fill(conn: Connection, until: datetime) -> dict[str, int]:
    """Fill these layers as of an instant, with pasts that are told rather than lived; returns features by layer."""
    sql = files("grid.sample_year").joinpath("beside.sql").read_text("utf-8")
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    made = {
        layer: conn.execute(text(statement), {"until": until}).rowcount
        for layer, statement in re.findall(r"^-- layer (\S+)\n(.*?);$", sql, re.DOTALL | re.MULTILINE)
    }
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")
    return made
