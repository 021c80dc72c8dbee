"""Files made to cost time: each is answered in a bounded time, and says why."""

import time

import numpy as np

from planning.boundary.reader import read_boundary_points
from tests.planning.boundary_files import HEADER, PARCEL, with_points


def test_a_ring_whose_sides_all_cross(recwarn: object) -> None:
    """A comb across itself: nearly every side crosses every other, ten million pairs."""
    rng = np.random.default_rng(1)
    points = [(float(i % 2) * 900, float(rng.uniform(0, 900))) for i in range(5000)]
    begun = time.process_time()
    found = read_boundary_points(with_points(*points))
    assert time.process_time() - begun < 5
    assert 1 <= sum(f.code == "self-crossing" for f in found.findings) <= 6 and found.parcels == ()


def test_thousands_of_equal_parcels() -> None:
    one = (
        PARCEL.replace("5,1.0000", "3,")
        + "J1,1,3364900.000,38586400.000\nJ2,1,3364900.000,38586500.000\nJ3,1,3364800.000,38586500.000\n"
    )
    begun = time.process_time()
    found = read_boundary_points(HEADER + one * 1500)
    assert time.process_time() - begun < 15
    assert 20 <= sum(f.code == "parcels-overlap" for f in found.findings) < 2000


def test_a_parcel_of_too_many_rings() -> None:
    rings = "".join(
        f"J{3 * r + k},{r},{3364000 + 3 * r + (k == 1)}.000,{38586000 + 3 * r + (k == 2)}.000\n"
        for r in range(1, 600)
        for k in range(3)
    )
    found = read_boundary_points(HEADER + PARCEL.replace("5,1.0000", f"{3 * 599},") + rings)
    assert "too-many" in found.codes() and found.parcels == ()


def test_more_parcels_than_are_read() -> None:
    found = read_boundary_points(HEADER + PARCEL * 5001)
    assert "too-many" in {f.code for f in found.errors}
