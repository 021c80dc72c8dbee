"""Pieces of a cell against plain, slow geometry."""

import numpy as np
import pytest
import shapely

from layers.base_layers import BUILDINGS, LAND_USE, PLACES
from layers.catalogue import Field, Text
from planning.layers import CONTROL_PLAN
from tiles.generalised.bands import BANDS, CELL, Band, Cell, Piece, band_of, cells_meeting, class_name, count_meeting
from tiles.generalised.shapes import Features, line_pieces, point_pieces, polygon_pieces
from tiles.matrix_sets import standard_sets

CITY = Cell(2615, 692)  # about 114.92° E 30.41° N


def features(
    shapes: list[object], classes: list[str | None] | None = None, names: list[str | None] | None = None
) -> Features:
    count = len(shapes)
    return Features(
        list(range(1, count + 1)), np.array(shapes, object), classes or [None] * count, names or [None] * count
    )


def boxes(rng: np.random.Generator, count: int, least: float, most: float) -> list[object]:
    """Turned rectangles within and about the cell; sides in pixels of the finest band."""
    west, south, east, north = CITY.box
    pixel = BANDS[0].pixel
    made = []
    for _ in range(count):
        x, y = rng.uniform(west - CELL / 20, east + CELL / 20), rng.uniform(south - CELL / 20, north + CELL / 20)
        w, h = rng.uniform(least, most, 2) * pixel
        made.append(shapely.affinity.rotate(shapely.box(x, y, x + w, y + h), rng.uniform(0, 90)))
    return made


def of_band(pieces: list[Piece], band: Band) -> list[Piece]:
    return [piece for piece in pieces if piece.band == band.number]


@pytest.mark.parametrize("band", BANDS, ids=lambda band: str(band.number))
def test_small_polygons_cover_the_pixels_that_they_cover_on_the_ground(band: Band) -> None:
    rng = np.random.default_rng(3)
    small = boxes(rng, 1500, 0.3, 3)
    merged = shapely.unary_union([p.shape for p in of_band(polygon_pieces(features(small), CITY), band)])
    ground = shapely.unary_union(small)
    west, south, _, _ = CITY.box
    places = np.stack(np.meshgrid(np.arange(band.pixels), np.arange(band.pixels)), axis=-1).reshape(-1, 2)
    corners = places * band.pixel + [west, south]
    pixels = shapely.box(*corners.T, *(corners + band.pixel).T)
    shapely.prepare(ground)
    shapely.prepare(merged)
    share = shapely.area(shapely.intersection(pixels, ground)) / band.pixel**2
    drawn = shapely.contains(merged, shapely.centroid(pixels))
    wrong = (drawn != (share >= 0.2)) & (np.abs(share - 0.2) > 0.1)  # sixteen samples of a pixel tell no finer
    assert wrong.sum() <= len(places) * 0.002


def test_each_pixel_is_of_the_class_that_covers_it_most() -> None:
    west, south, _, _ = CITY.box
    step = BANDS[0].pixel
    house = shapely.box(west, south, west + 4 * step, south + 4 * step)
    works = shapely.box(west + 4 * step, south, west + 8 * step, south + 4 * step)
    pieces = {
        p.class_: p.shape for p in of_band(polygon_pieces(features([house, works], ["house", "works"]), CITY), BANDS[0])
    }
    assert (
        pieces["house"].area == pytest.approx(house.area) and pieces["house"].symmetric_difference(house).area < 1e-12
    )
    assert pieces["works"].symmetric_difference(works).area < 1e-12


def test_a_wide_polygon_keeps_its_own_shape_in_the_one_cell_of_its_corner() -> None:
    west, south, east, _ = CITY.box
    lake = shapely.Point(east, south + CELL / 2).buffer(CELL / 4, quad_segs=64)
    for cell in (CITY, Cell(CITY.x + 1, CITY.y)):
        for band in BANDS:
            own = [p for p in of_band(polygon_pieces(features([lake]), cell), band) if p.feature == 1]
            if cell == CITY and 6 * band.pixel <= CELL / 2:
                assert len(own) == 1
                assert shapely.hausdorff_distance(own[0].shape.exterior, lake.exterior, 0.1) <= band.pixel / 2
            else:
                assert own == []


def test_lines_are_joined_by_class_and_name_and_stay_within_half_a_pixel() -> None:
    rng = np.random.default_rng(5)
    west, south, east, north = CITY.box
    bends = np.cumsum(rng.normal(0, BANDS[0].pixel / 3, (400, 2)), axis=0) + [(west + east) / 2, (south + north) / 2]
    road = [shapely.LineString(bends[n : n + 21]) for n in range(0, 380, 20)]
    pieces = line_pieces(features(road, ["primary"] * len(road), ["大道"] * len(road)), CITY)
    whole = shapely.clip_by_rect(shapely.LineString(bends[:381]), *CITY.box)
    for band in BANDS[:4]:
        [piece] = of_band(pieces, band)
        assert piece.class_ == "primary" and piece.name == ("大道" if band.number < 3 else None)
        assert shapely.hausdorff_distance(piece.shape, whole, 0.05) <= band.pixel * 1.01
        assert shapely.get_num_coordinates(piece.shape) < len(bends) / 2


def test_a_line_across_cells_is_cut_where_they_meet() -> None:
    _, south, east, _ = CITY.box
    line = shapely.LineString([(east - CELL / 2, south + CELL / 3), (east + CELL / 2, south + CELL / 3)])
    parts = [
        p.shape
        for cell in (CITY, Cell(CITY.x + 1, CITY.y))
        for p in of_band(line_pieces(features([line]), cell), BANDS[0])
    ]
    assert shapely.line_merge(shapely.union_all(parts)).equals(line)


@pytest.mark.parametrize("band", BANDS, ids=lambda band: str(band.number))
def test_every_point_is_counted_once_and_lone_ones_keep_their_ids(band: Band) -> None:
    rng = np.random.default_rng(7)
    west, south, east, north = CITY.box
    points = shapely.points(rng.uniform([west - CELL / 8, south - CELL / 8], [east, north], (800, 2)))
    here = [n for n, p in enumerate(points, 1) if west <= p.x and south <= p.y]
    pieces = of_band(point_pieces(features(list(points)), CITY), band)
    lone = [p.feature for p in pieces if p.feature is not None]
    assert len(lone) + sum(p.point_count or 0 for p in pieces) == len(here)
    assert set(lone) <= set(here) and all(p.shape.equals(points[p.feature - 1]) for p in pieces if p.feature)
    side = min(32, band.pixels) * band.pixel
    squares = {(int((p.shape.x - west) // side), int((p.shape.y - south) // side)) for p in pieces}
    assert len(squares) == len(pieces)


def test_bands_follow_the_size_of_pixels_in_every_grid() -> None:
    web, cgcs = (standard_sets()[name] for name in ("WebMercatorQuad", "CGCS2000Quad"))
    numbers = [band.number if (band := band_of(web.cell_metres(z))) else None for z in range(4, 15)]
    assert numbers == [5, 5, 5, 5, 5, 4, 3, 2, 1, 0, None]
    assert [band_of(cgcs.cell_metres(z - 1)) for z in range(4, 15)] == [
        band_of(web.cell_metres(z)) for z in range(4, 15)
    ]


def test_cells_meeting_boxes_are_those_that_share_ground_with_them() -> None:
    x, y = 114.9, 30.4
    box = (x, y, x + 2.5 * CELL, y + 0.1)
    found = cells_meeting([box])
    assert len(found) == count_meeting(box)
    for cx in range(2600, 2630):
        for cy in range(680, 710):
            assert (Cell(cx, cy) in found) == shapely.box(*Cell(cx, cy).box).intersects(shapely.box(*box))


def test_a_layer_is_merged_by_what_it_is_coloured_by() -> None:
    assert [class_name(layer) for layer in (BUILDINGS, LAND_USE, CONTROL_PLAN)] == ["use", "code", "land_code"]
    plain = PLACES.changed(
        fields=(Field("a", "string", Text("a", "a")), Field("b", "string", Text("b", "b"))), style=()
    )
    assert class_name(plain) is None
    by_b = {
        "type": "fill",
        "layout": {"text-field": ["get", "a"]},
        "paint": {"fill-color": ["match", ["slice", ["get", "b"], 0, 2], "07", "red", "grey"]},
    }
    assert class_name(plain.changed(style=(by_b,))) == "b"
    assert (
        class_name(plain.changed(style=({"paint": {"fill-color": {"property": "a", "stops": [[0, "red"]]}}},))) == "a"
    )


def test_of_very_many_classes_the_commonest_are_told_apart() -> None:
    classes: list[str | None] = [*(str(n) for n in range(300)), *["07"] * 300]
    drawn = {
        piece.class_ for piece in polygon_pieces(features(boxes(np.random.default_rng(7), 600, 2, 5), classes), CITY)
    }
    assert "07" in drawn and None in drawn and 10 < len(drawn) <= 64
