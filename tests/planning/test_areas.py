"""Areas by survey rules against pyproj's geodesics, PostGIS and plain formulas; zones; the order of boundary points."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from pyproj import Geod, Transformer
from sqlalchemy import Connection, text

from planning.survey.areas import areas_of, ellipsoidal_area, plane_area, zone_shares
from planning.survey.parcel import BoundaryPoint, Parcel, clockwise_from_north_west, parcel_of
from planning.survey.zones import Zone, zone_at, zone_of_srid
from tests.planning.random_parcels import parcels


@settings(max_examples=40, deadline=None)
@given(parcels())
def test_areas_agree_with_geodesics_and_with_the_plane(parcel: Parcel) -> None:
    """geographiclib (by pyproj) on the same corners: sides of 1 km bend from geodesics by less than a millimetre."""
    if not parcel.polygon.is_valid:
        return
    found = areas_of(parcel)
    assert found.plane == pytest.approx(parcel.polygon.area, abs=0.006)
    degrees = Transformer.from_crs(parcel.zone.srid, 4490, always_xy=True)
    outer, *holes = ([degrees.transform(p.east, p.north) for p in ring] for ring in parcel.rings)
    geod = Geod(ellps="GRS80")  # the ellipsoid of CGCS2000 but for the 11th digit of its flattening
    expected = abs(geod.geometry_area_perimeter(shapely.Polygon(outer))[0]) - sum(
        abs(geod.geometry_area_perimeter(shapely.Polygon(hole))[0]) for hole in holes
    )
    assert found.ellipsoidal == pytest.approx(expected, abs=0.02 + 2e-7 * expected)
    assert found.perimeter == pytest.approx(parcel.polygon.length, abs=0.002)


@pytest.mark.parametrize("easting", [500_000, 586_000, 640_000])
def test_areas_agree_with_postgis(conn: Connection, easting: int) -> None:
    parcel = parcel_of(
        shapely.Point(easting, 3_364_000).buffer(250).difference(shapely.Point(easting, 3_364_000).buffer(40)), Zone(38)
    )
    plane, on_spheroid = conn.execute(
        text("SELECT ST_Area(g), ST_Area(ST_Transform(ST_Segmentize(g, 50), 4490)::geography) FROM ST_GeomFromWKB(:wkb, 4547) AS g"),
        {"wkb": shapely.to_wkb(parcel.polygon)},
    ).one()  # fmt: skip
    found = areas_of(parcel)
    assert found.plane == pytest.approx(plane, abs=0.006)
    assert found.ellipsoidal == pytest.approx(on_spheroid, abs=0.02)
    # The plane is wider than the ellipsoid by the square of the projection's scale m = 1 + y²/2R².
    scale = 1 + ((easting - 500_000) / 6_371_000) ** 2 / 2
    assert found.plane / found.ellipsoidal == pytest.approx(scale**2, abs=2e-6)


def test_units() -> None:
    found = areas_of(parcel_of(shapely.box(500_000, 3_300_000, 500_200, 3_300_100), Zone(38)))
    assert (found.plane, found.hectares, found.mu, found.perimeter) == (20_000, 2, 30, 600)


def test_digits_of_large_eastings_are_kept() -> None:
    """Far from the origin a plain shoelace loses the centimetre that this keeps."""
    parcel = parcel_of(shapely.box(999_000, 6_000_000, 999_000.123, 6_000_000.5), Zone(38))
    assert plane_area(parcel) == 0.06


def test_a_parcel_across_two_zones_is_shared_out() -> None:
    """115.5° E: the same ground in either zone has one ellipsoidal area and two plane ones."""
    to_38, to_39 = (Transformer.from_crs(4490, zone.srid, always_xy=True) for zone in (Zone(38), Zone(39)))
    corners = [(115.499, 30.40), (115.502, 30.40), (115.502, 30.402), (115.499, 30.402)]
    west, east = (
        parcel_of(shapely.Polygon([way.transform(*c) for c in corners]), zone)
        for way, zone in ((to_38, Zone(38)), (to_39, Zone(39)))
    )
    shares = zone_shares(west)
    assert [share.zone for share in shares] == [38, 39]
    assert [share.share for share in shares] == pytest.approx([1 / 3, 2 / 3], abs=1e-4)
    assert sum(share.area for share in shares) == pytest.approx(areas_of(west).ellipsoidal, abs=0.02)
    assert areas_of(west).ellipsoidal == pytest.approx(areas_of(east).ellipsoidal, abs=0.2)  # corners to a millimetre
    assert areas_of(west).plane == pytest.approx(areas_of(east).plane, rel=1e-5)  # both 1.5° from their meridians
    one_zone = zone_shares(parcel_of(shapely.box(500_000, 3_300_000, 500_100, 3_300_100), Zone(38)))
    assert [(share.zone, share.share) for share in one_zone] == [(38, 1.0)]


@settings(max_examples=40, deadline=None)
@given(parcels())
def test_points_run_clockwise_from_the_north_west(parcel: Parcel) -> None:
    if not parcel.polygon.is_valid:
        return
    turned = parcel.renumbered()
    assert [p.name for ring in turned.rings for p in ring] == [f"J{i}" for i in range(1, turned.point_count + 1)]
    for ring, before in zip(turned.rings, parcel.rings, strict=True):
        places = Parcel.positions(ring)
        assert {tuple(p) for p in places.tolist()} == {(p.east, p.north) for p in before}
        assert not shapely.is_ccw(shapely.LinearRing(places))
        corner = (places[:, 0].min(), places[:, 1].max())
        away = [math.dist(corner, place) for place in places.tolist()]
        assert away[0] <= min(away) + 1e-6
    assert areas_of(turned).plane == areas_of(parcel).plane
    assert turned.renumbered() == turned


def test_of_two_corners_equally_near_the_northern_one_is_first() -> None:
    ring = tuple(
        BoundaryPoint("", n, e) for n, e in [(90.0, 0.0), (100.0, 10.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0)]
    )
    assert [p.position for p in clockwise_from_north_west(ring)][0] == (100.0, 10.0)


def test_zones_know_their_epsg_codes() -> None:
    assert (Zone(38).srid, Zone(38).prefixed_srid, Zone(38).meridian) == (4547, 4526, 114)
    assert (Zone(20, 6).srid, Zone(20, 6).prefixed_srid, Zone(20, 6).meridian) == (4548, 4498, 117)
    assert {zone_of_srid(zone.srid) for zone in map(Zone, range(25, 46))} == set(map(Zone, range(25, 46)))
    assert zone_of_srid(4498) == Zone(20, 6) and zone_of_srid(3857) is None
    assert [zone_at(lon).number for lon in (114.9, 115.499, 115.5, 73.5, 134.9)] == [38, 38, 39, 25, 45]
    assert [zone_at(lon, 6).number for lon in (114.9, 119.99, 120)] == [20, 20, 21]
    with pytest.raises(ValueError, match="no 3° zone 20"):
        Zone(20)


def test_the_control_point_of_ezhou() -> None:
    """../shared/domain §4: 114.9E 30.4N is N 3364799.485, E 586489.034 in zone 38."""
    point = Parcel(
        (
            tuple(
                BoundaryPoint(f"J{i}", 3364799.485 + n, 586489.034 + e)
                for i, (n, e) in enumerate([(0, 0), (0, 1), (1, 1)])
            ),
        ),
        Zone(38),
    )
    assert np.round(shapely.get_coordinates(point.degrees)[0], 7).tolist() == [114.9, 30.4]


def test_the_area_of_several_parts_is_their_sum() -> None:
    part = shapely.box(500_000, 3_300_000, 500_100, 3_300_100)
    other = shapely.box(501_000, 3_300_000, 501_100, 3_300_100)
    both = ellipsoidal_area(shapely.MultiPolygon([part, other]), 4547)
    assert both == pytest.approx(ellipsoidal_area(part, 4547) + ellipsoidal_area(other, 4547))
    assert replace(parcel_of(part, Zone(38)), name="x").polygon.area == 10_000
