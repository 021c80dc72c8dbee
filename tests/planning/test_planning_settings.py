"""The section ``planning`` of the configuration, and what is printed by it."""

from datetime import date

import pytest
from pydantic import ValidationError

from geoserver.settings.planning import Planning, Slivers
from planning.options import PlanningOptions


def test_the_defaults_of_the_configuration_are_those_of_the_processes() -> None:
    made, plain = Planning().for_processes(), PlanningOptions()
    assert made == plain
    assert made.number("地", 2026, 12) == "地字第420700202600012号"
    assert made.valid_until("conditions", date(2026, 1, 1)) == date(2027, 1, 1)
    assert made.valid_until("archived", date(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"number_format": "{series}{number}"}, "must hold series, year and number"),
        ({"number_format": "{series}{year}{nummer}"}, "may hold only"),
        ({"timezone": "Mars/Olympus"}, "is not a time zone"),
        ({"division": "4207"}, "division"),
        ({"notice_days": 0}, "notice_days"),
    ],
)
def test_what_would_print_wrong_documents_is_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Planning(**values)  # type: ignore[arg-type]


def test_an_approval_is_never_laxer_than_the_database() -> None:
    with pytest.raises(ValidationError):
        Slivers(area=2.0)
    with pytest.raises(ValidationError):
        Slivers(width=0.1)
