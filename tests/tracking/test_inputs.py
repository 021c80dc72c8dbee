"""Positions as phones send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.calendar import CalendarError, holds
from tracking.inputs.phones import batch, osmand, owntracks, traccar_client
from tracking.inputs.values import InputRefused
from tracking.model import Doubt

NOW = 1_795_000_000.0


def test_osmand_has_knots_and_three_kinds_of_time() -> None:
    for time in ("1795000000", "1795000000000", "2026-11-18T11:06:40Z", "2026-11-18T11:06:40"):
        fix = osmand(
            {"lat": "30.5", "lon": "114.3", "timestamp": time, "speed": "10", "bearing": "359.6", "batt": "80"}, 0
        )
        assert (fix.time, fix.lat, fix.lon, fix.speed, fix.heading) == (NOW, 30.5, 114.3, pytest.approx(18.52), 0)
        assert fix.more == {"battery": 80.0}
    assert osmand({"location": "30.5,114.3"}, NOW)[:3] == (NOW, 114.3, 30.5)
    assert osmand({"lat": "0", "lon": "0"}, NOW).doubt == Doubt.NO_PLACE
    assert osmand({"lat": "30", "lon": "114", "valid": "false"}, NOW).doubt == Doubt.NO_FIX


@pytest.mark.parametrize("values", [
    {}, {"lat": "30"}, {"lat": "nan", "lon": "1"}, {"lat": "1e400", "lon": "1"}, {"lat": "x", "lon": "1"}, {"location": "1"},
    {"lat": "30", "lon": "114", "timestamp": "yesterday"}, {"lat": "30", "lon": "114", "timestamp": "-5"},
])  # fmt: skip
def test_what_is_no_position_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(InputRefused):
        osmand(values, NOW)


def test_newer_traccar_clients_send_json_in_metres_per_second() -> None:
    document = {
        "device_id": "139", "location": {"timestamp": "2026-11-18T11:06:40.000Z", "battery": {"level": 0.5},
        "coords": {"latitude": 30.5, "longitude": 114.3, "speed": 10, "heading": -1, "altitude": 25.4, "accuracy": 5}},
    }  # fmt: skip
    device, (fix,) = traccar_client(document)
    assert (device, fix.time, fix.speed, fix.heading, fix.altitude) == ("139", NOW, 36.0, None, 25)
    assert fix.more == {"accuracy": 5.0, "battery": 50.0}


def test_owntracks_has_kilometres_per_hour_and_other_messages() -> None:
    fix = owntracks({"_type": "location", "lat": 30.5, "lon": 114.3, "tst": NOW, "vel": 40, "cog": 90, "acc": 8})
    assert fix is not None and (fix.speed, fix.heading, fix.time) == (40, 90, NOW)
    assert owntracks({"_type": "lwt", "tst": 1}) is None
    with pytest.raises(InputRefused, match="encrypted"):
        owntracks({"_type": "encrypted", "data": "x"})


def test_a_batch_names_the_position_that_is_none() -> None:
    good = {"time": NOW, "lon": 114.3, "lat": 30.5, "ignition": True, "mileage": 12.5, "speed": 30}
    (fix,) = batch({"positions": [good]})
    assert (fix.status, fix.mileage, fix.speed) == (3, 12.5, 30)
    with pytest.raises(InputRefused, match=r"positions\[1\]\.lon: 'x' is no number"):
        batch({"positions": [good, {**good, "lon": "x"}]})
    with pytest.raises(InputRefused, match="1 to 5000"):
        batch({"positions": [good] * 5001})


_anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(("positions", "location", "coords", "_type", "tst", "lat", "lon", "time", "timestamp",
                                       "latitude", "longitude", "battery", "level")), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@given(_anything)
def test_no_document_breaks_a_reader(document: object) -> None:
    for read in (traccar_client, owntracks, batch, lambda d: osmand(d if isinstance(d, dict) else {}, NOW)):
        try:
            read(document)
        except InputRefused as error:
            assert len(str(error)) < 300


def test_calendars_hold_in_the_citys_time() -> None:
    monday = 1_795_363_200.0  # 2026-11-23 00:00 in GMT+8 is 2026-11-22T16:00Z
    assert monday == 1_795_363_200 and (monday + 8 * 3600) % 86_400 == 0
    for calendar, hours in {
        "Mon-Fri 07:00-19:00": {(0, 7), (0, 18), (4, 12)}, "sat,Sun 00:00-24:00": {(5, 0), (6, 23)},
        "daily 22:00-06:00": {(0, 23), (1, 0), (0, 5), (6, 23)}, "Fri-Mon 8:00-9:00; Wed 10:00-11:00": {(4, 8), (6, 8), (0, 8), (2, 10)},
    }.items():  # fmt: skip
        assert all(holds(calendar, monday + day * 86_400 + hour * 3600 + 60) for day, hour in hours), calendar
    assert not holds("Mon-Fri 07:00-19:00", monday + 6 * 3600 + 3599)
    assert not holds("Mon-Fri 07:00-19:00", monday + 5 * 86_400 + 12 * 3600)
    assert not holds("daily 22:00-06:00", monday + 12 * 3600)
    assert not holds("Fri-Mon 8:00-9:00", monday + 86_400 + 8 * 3600 + 60)
    assert holds(None, monday) and holds("", monday)
    for wrong in ("always", "Mon 25:00-26:00", "Mun 8:00-9:00", "8:00", "Mon-Tue-Wed 1:00-2:00"):
        with pytest.raises(CalendarError):
            holds(wrong, monday)
