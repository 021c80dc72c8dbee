"""Measuring against PROJ's own geodesics and projections."""

import math

import pytest
from pydantic import TypeAdapter, ValidationError
from pyproj import Geod, Transformer
from sqlalchemy import Connection

from layers.analysis.measure_processes import measure
from layers.analysis.measuring import AreaShape, LineShape
from layers.processing import CityCrs

EZHOU = CityCrs(4547, frozenset({4547, 4490}))
GEOD = Geod(ellps="GRS80")
TO_PLANE = Transformer.from_crs(4490, 4547, always_xy=True)
RING = ((114.2, 30.1), (115.4, 30.15), (115.3, 30.6), (114.25, 30.55), (114.2, 30.1))


def test_line_is_measured_in_the_plane_and_on_the_ellipsoid(conn: Connection) -> None:
    corners = RING[:4]
    found = measure(conn, EZHOU, LineShape("LineString", corners))
    plane = list(zip(*TO_PLANE.transform(*zip(*corners, strict=True)), strict=True))
    assert found.length == pytest.approx(sum(math.dist(a, b) for a, b in zip(plane, plane[1:], strict=False)), abs=1e-4)
    assert found.geodesic_length == pytest.approx(GEOD.line_length(*zip(*corners, strict=True)), abs=1e-4)
    assert found.area is None and found.geodesic_area is None
    assert "EPSG:4547" in found.crs and "114E" in found.crs
    # 1.2° east of the zone's middle the plane is longer than the ground: both figures are worth having.
    assert found.length - found.geodesic_length > 1


@pytest.mark.parametrize("ring", [RING, RING[:-1]], ids=["closed", "open"])
def test_polygon_is_measured_whether_its_ring_is_closed_or_not(
    conn: Connection, ring: tuple[tuple[float, float], ...]
) -> None:
    found = measure(conn, EZHOU, AreaShape("Polygon", (ring,)))
    xs, ys = TO_PLANE.transform(*zip(*RING, strict=True))
    twice = sum(xs[n] * ys[n + 1] - xs[n + 1] * ys[n] for n in range(len(RING) - 1))
    area, perimeter = GEOD.polygon_area_perimeter(*zip(*RING, strict=True))
    assert found.area == pytest.approx(abs(twice) / 2, rel=1e-9)
    assert found.geodesic_area == pytest.approx(abs(area), rel=1e-9)
    assert found.geodesic_length == pytest.approx(perimeter, abs=1e-4)


@pytest.mark.parametrize("corners", [[[114, 30]], [[114, 30], [114, 95]], [["a", 30], [1, 2]]])
def test_what_is_no_line_is_refused(corners: list[object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(LineShape).validate_python({"type": "LineString", "coordinates": corners})
