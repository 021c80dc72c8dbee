"""Terrain over a running server: heights read back from colours and meshes, and edges that tiles share."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from tests.geoserver.raster_site import RasterSite, raster_site
from tiles.matrix_sets import standard_sets
from tiles.terrain.mesh import CELLS, edge, nodes

MERCATOR, DEGREES = standard_sets()["WebMercatorQuad"], standard_sets()["CGCS2000Quad"]
LON, LAT = 114.9023, 30.3985


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasterSite]:
    directory = tmp_path_factory.mktemp("terrain-tiles")
    with raster_site(postgres_url, template_name, directory, "citymap_terrain_tiles") as made:
        yield made


def place_of(grid: Any, z: int) -> tuple[int, int, int]:
    column, row, _, _ = grid.covering(grid.from_degrees((LON, LAT, LON, LAT)), z)
    return z, row, column


def heights(site: RasterSite, encoding: str, place: tuple[int, int, int], f: str = "png") -> Any:
    """By the formulas of the encodings' authors."""
    z, y, x = place
    answer = site.get(f"/collections/dem/terrain/{encoding}/WebMercatorQuad/{z}/{y}/{x}", f=f)
    assert answer.headers["Content-Type"] == f"image/{f}"
    red, green, blue = np.moveaxis(np.asarray(Image.open(BytesIO(answer.content)), float), -1, 0)
    if encoding == "terrarium":
        return red * 256 + green + blue / 256 - 32768
    return -10000 + (red * 256 * 256 + green * 256 + blue) * 0.1


def test_heights_are_read_back_from_both_encodings_and_formats(site: RasterSite) -> None:
    place = place_of(MERCATOR, 17)
    fine = heights(site, "terrarium", place)
    assert fine.max() > 100 and np.abs(heights(site, "terrain-rgb", place) - fine).max() <= 0.06
    assert np.array_equal(heights(site, "terrarium", place, "webp"), fine)
    # The formula of the surface, at the centre of each pixel that the image reaches.
    west, south, east, north = MERCATOR.box(*place)
    from layers.crs import transformer

    x, y = np.meshgrid(
        west + (np.arange(256) + 0.5) * (east - west) / 256, north - (np.arange(256) + 0.5) * (north - south) / 256
    )
    east_, north_ = transformer(3857, 4547).transform(x, y)
    column, row = (east_ - 586400) / 2 - 0.5, (3364800 - north_) / 2 - 0.5
    inside = (column > 65) & (column < 295) & (row > 65) & (row < 195)
    expected = 100 + 30 * np.sin(column / 30) + 20 * np.cos(row / 20)
    assert inside.sum() > 10_000 and np.abs(fine - expected)[inside].max() < 0.15
    assert not heights(site, "terrain-rgb", (10, 0, 0)).any()  # unknown is 0 m


class Mesh:
    """A quantized-mesh 1.0 file, decoded by its specification (AnalyticalGraphicsInc/quantized-mesh)."""

    def __init__(self, body: bytes) -> None:
        self.least, self.most = struct.unpack_from("<2f", body, 24)
        (count,) = struct.unpack_from("<I", body, 88)
        at = 92
        u, v, h = (self._zigzag(np.frombuffer(body, "<u2", count, at + 2 * n * count)) for n in range(3))
        self.u, self.v = u, v
        self.height = self.least + h / 32767 * (self.most - self.least)
        at += 6 * count
        (triangles,) = struct.unpack_from("<I", body, at)
        codes = np.frombuffer(body, "<u2", 3 * triangles, at + 4).astype(int)
        at += 4 + 6 * triangles
        highest, indices = 0, np.empty_like(codes)
        for n, code in enumerate(codes):
            indices[n] = highest - code
            highest += code == 0
        self.triangles = indices.reshape(-1, 3)
        self.edges = {}
        for side in ("west", "south", "east", "north"):
            (number,) = struct.unpack_from("<I", body, at)
            self.edges[side] = np.frombuffer(body, "<u2", number, at + 4).astype(int)
            at += 4 + 2 * number
        assert at == len(body)

    @staticmethod
    def _zigzag(codes: Any) -> Any:
        codes = codes.astype(int)
        return np.cumsum((codes >> 1) ^ -(codes & 1))

    def along(self, side: str) -> dict[int, float]:
        """Position along the edge → height."""
        place = self.v if side in ("west", "east") else self.u
        return {int(place[n]): float(self.height[n]) for n in self.edges[side]}


def mesh(site: RasterSite, z: int, y: int, x: int) -> Mesh:
    answer = site.get(f"/collections/dem/terrain/{z}/{x}/{DEGREES.levels[z].rows - 1 - y}.terrain")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/vnd.quantized-mesh"
    return Mesh(answer.content)


@pytest.mark.parametrize("z", [14, 16])
def test_a_mesh_covers_its_tile_once_and_meets_its_neighbours(site: RasterSite, z: int) -> None:
    _, y, x = place_of(DEGREES, z)
    made = mesh(site, z, y, x)
    a, b, c = (np.column_stack([made.u, made.v])[made.triangles[:, n]] for n in range(3))
    areas = ((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2
    assert (areas >= 0).all() and areas.sum() == pytest.approx(32767**2, rel=1e-4)
    assert len(made.triangles) > 50
    for other, ours, theirs in ((mesh(site, z, y, x + 1), "east", "west"), (mesh(site, z, y + 1, x), "south", "north")):
        mine, its = made.along(ours), other.along(theirs)
        assert mine.keys() == its.keys() and len(mine) >= 2
        quantum = (made.most - made.least + other.most - other.least) / 32767
        assert max(abs(mine[at] - its[at]) for at in mine) <= quantum + 1e-4


def test_a_mesh_is_as_high_as_the_heights(site: RasterSite) -> None:
    z, y, x = place_of(DEGREES, 16)
    made = mesh(site, z, y, x)
    west, south, east, north = DEGREES.box(z, y, x)
    from layers.crs import transformer

    lon, lat = west + (east - west) * made.u / 32767, south + (north - south) * made.v / 32767
    easting, northing = transformer(4490, 4547).transform(lon, lat)
    column, row = (easting - 586400) / 2 - 0.5, (3364800 - northing) / 2 - 0.5
    inside = (column > 70) & (column < 290) & (row > 70) & (row < 190)
    expected = 100 + 30 * np.sin(column / 30) + 20 * np.cos(row / 20)
    assert inside.sum() > 20 and np.abs(made.height - expected)[inside].max() < 1


def test_an_edge_is_simplified_by_itself_alone() -> None:
    line = np.concatenate([np.linspace(0, 10, 33), np.linspace(10, 4, 33)[1:]])
    assert edge(line, 0.1) == [0, 32, 64]
    assert edge(np.zeros(65), 0.1) == [0, 64]


def test_a_node_is_the_mean_of_what_is_known_around_it() -> None:
    cells = np.full((CELLS + 2, CELLS + 2), np.nan)
    assert not nodes(cells).any() and nodes(cells).shape == (CELLS + 1, CELLS + 1)
    cells[0, 0], cells[1, 1] = 4, 8
    assert nodes(cells)[0, 0] == 6 and nodes(cells)[1, 1] == 8


def test_documents_say_which_tiles_there_are(site: RasterSite) -> None:
    described = site.get("/collections/dem/terrain/layer.json").json()
    assert described["available"][0] == [{"startX": 0, "startY": 0, "endX": 1, "endY": 0}]
    deepest = described["maxzoom"]
    [last] = described["available"][deepest]
    address = described["tiles"][0].format(z=deepest, x=last["startX"], y=last["startY"])
    assert site.get(f"/collections/dem/terrain/{address}", v="1.0.0").status_code == 200
    for name, maplibre in {"terrain-rgb": "mapbox", "terrarium": "terrarium"}.items():
        tilejson = site.get(f"/collections/dem/terrain/{name}").json()
        assert tilejson["encoding"] == maplibre
        z, y, x = place_of(MERCATOR, tilejson["maxzoom"])
        assert requests.get(tilejson["tiles"][0].format(z=z, y=y, x=x), timeout=30).ok


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("imagery/terrain/terrain-rgb/WebMercatorQuad/0/0/0", 400),
        ("hillshade/terrain/layer.json", 404),
        ("places/terrain/layer.json", 404),
        ("dem/terrain/mapbox", 404),
        ("dem/terrain/terrarium/WebMercatorQuad/0/0/1", 404),
        ("dem/terrain/terrarium/WebMercatorQuad/0/0/0.jpg", 400),
        ("dem/terrain/0/2/0.terrain", 404),
    ],
)
def test_what_has_no_heights_is_refused(site: RasterSite, path: str, status: int) -> None:
    assert site.get(f"/collections/{path}").status_code == status
