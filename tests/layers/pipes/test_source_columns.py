"""Values of surveys, as readers hand them on."""

import numpy as np
import pandas as pd
import pytest

from layers.pipes.column import Column
from layers.pipes.layers import PIPELINES
from layers.pipes.source_columns import plain, values_of


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, "", "  "])
def test_what_is_missing_makes_no_number(missing: object) -> None:
    """Else all ends without a number would meet in one node."""
    assert plain(missing) is None
    frame = pd.DataFrame({"KIND": ["Manhole", missing], "ID": [7.0, 8.0]})
    made = values_of(frame, PIPELINES.field("from_node"), Column("{KIND}-{ID}"))  # type: ignore[arg-type]
    assert made.tolist() == ["Manhole-7", None]


def test_units_empties_and_codes() -> None:
    frame = pd.DataFrame({"D": ["24", "0", "ACPT", None], "S": ["EXISTING", "?", None, "GONE"]})
    inches = values_of(frame, PIPELINES.field("diameter"), Column("D", "in", empty=(0.0,)))  # type: ignore[arg-type]
    assert inches.tolist()[0] == pytest.approx(609.6) and inches.isna().tolist() == [False, True, True, True]
    year = values_of(frame, PIPELINES.field("year_built"), Column("D"))  # type: ignore[arg-type]
    assert year.isna().tolist() == [False, False, True, True]
    codes = Column("S", codes={"EXISTING": "in_use", "GONE": "abandoned"})
    assert values_of(frame, PIPELINES.field("status"), codes).tolist() == ["in_use", None, None, "abandoned"]  # type: ignore[arg-type]
