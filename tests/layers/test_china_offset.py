"""GCJ-02 and BD-09 against the published values, and back."""

import numpy as np
import pytest

from layers import china_offset


def test_forward_gives_the_published_values() -> None:
    gcj = china_offset.wgs84_to_gcj02(114.9, 30.4)
    assert gcj == pytest.approx((114.9050412, 30.3973048), abs=5e-8)
    assert china_offset.gcj02_to_bd09(*gcj) == pytest.approx((114.9116471, 30.4029768), abs=5e-8)
    assert china_offset.wgs84_to_bd09(114.9, 30.4) == pytest.approx((114.9116471, 30.4029768), abs=5e-8)


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
def test_the_way_back_is_exact_all_over_china(system: str) -> None:
    lon, lat = np.meshgrid(np.linspace(73.6, 134.7, 200), np.linspace(17, 53.5, 150))
    there = getattr(china_offset, f"wgs84_to_{system}")(lon, lat)
    back = getattr(china_offset, f"{system}_to_wgs84")(*there)
    assert np.hypot(there[0] - lon, there[1] - lat).min() > 1e-4  # it does shift
    assert np.abs(back[0] - lon).max() < 1e-9
    assert np.abs(back[1] - lat).max() < 1e-9


def test_outside_china_nothing_moves() -> None:
    for name in ("wgs84_to_gcj02", "gcj02_to_wgs84", "gcj02_to_bd09", "bd09_to_gcj02", "wgs84_to_bd09", "bd09_to_wgs84"):
        east, north = getattr(china_offset, name)([2.35, -74.0, 151.2], [48.85, 40.7, -33.9])
        assert east.tolist() == [2.35, -74.0, 151.2]
        assert north.tolist() == [48.85, 40.7, -33.9]
