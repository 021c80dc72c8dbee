"""Archives against independent readers: GDAL's drivers and Protomaps' reader; and against tiles rendered anew."""

import gzip
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import mapbox_vector_tile
import pyogrio
import pytest
import shapely
from pmtiles.reader import MmapSource, all_tiles
from sqlalchemy import text

from geoserver.database_roles import role_url
from layers.access import ANONYMOUS, APP_ROLE
from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.raster.store import RasterStore
from layers.registry import create_layer, load_layers
from tests.conftest import drop_database, make_database
from tiles.archives.asking import content_of, ground, working
from tiles.archives.content import vectors
from tiles.archives.errors import ArchiveError
from tiles.archives.facts import facts_of
from tiles.archives.filling import Filled, fill
from tiles.archives.plan import Plan
from tiles.archives.seeding import seed
from tiles.archives.site import TileSite
from tiles.archives.writing import write
from tiles.matrix_sets import standard_sets
from tiles.vector import TileQuery, render_tile

GRIDS = standard_sets()
WEB = GRIDS["WebMercatorQuad"]
BOX = (114.80, 30.35, 114.95, 30.45)
DISTRICT = "MULTIPOLYGON(((114.82 30.36, 114.88 30.36, 114.85 30.44, 114.82 30.36)))"


@pytest.fixture(scope="module")
def owner(postgres_url: str, template_name: str) -> Iterator[Database]:
    """60 roads and 200 pois of everybody, a district, and a layer of officials."""
    name = f"citymap_archives_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    found = Database(url, pool_size=4)
    with found.transaction(actor="test") as conn:
        conn.execute(
            text(f"""
            INSERT INTO city.roads (geom, name, class)
            SELECT ST_SetSRID(ST_MakeLine(ST_MakePoint(114.8 + n * 0.0025, 30.35), ST_MakePoint(114.8 + n * 0.0025, 30.45)), 4490),
                   '路' || n, 'primary' FROM generate_series(0, 59) AS n;
            INSERT INTO city.pois (geom, name)
            SELECT ST_SetSRID(ST_MakePoint(114.801 + n % 20 * 0.0074, 30.351 + n / 20 * 0.0098), 4490), '店' || n
            FROM generate_series(0, 199) AS n;
            INSERT INTO city.admin_areas (geom, code, name, level)
            VALUES (ST_GeomFromText('{DISTRICT}', 4490), '420704', '东区', 'district')""")  # noqa: S608
        )
        create_layer(conn, Layer("patrols", Text("巡逻", "Patrols"), Text("内部", "Internal"), "Point",
                                 (Field("name", "string", Text("名称", "Name")),), visibility="internal"))  # fmt: skip
    yield found
    found.close()
    drop_database(postgres_url, name)


@pytest.fixture
def site(owner: Database, tmp_path: Path) -> Iterator[TileSite]:
    """What jobs have: the role that row-level security binds."""
    database = Database(role_url(owner.url, APP_ROLE), pool_size=4)
    yield TileSite(database, GRIDS, str(tmp_path / "tiles"), 100)
    database.close()


def make(site: TileSite, path: Path, plan: Plan, *names: str, stop_at: float = 101) -> Filled:
    """The archive of layers, as somebody without an account makes it; breaks off at ``stop_at`` [%]."""

    def progress(percent: float) -> None:
        if percent >= stop_at:
            raise KeyboardInterrupt

    with site.database.transaction(principal=ANONYMOUS) as conn:
        here = load_layers(conn)
    content = vectors([here[name] for name in names])
    with (
        site.database.reading() as one,
        site.database.reading() as two,
        working(site, path.parent, plan, content, ANONYMOUS) as work,
    ):
        filled = fill(work, plan, content, [one, two], progress)
        write(work, facts_of(plan, content, "zh-CN"), path)
    return filled


def bodies(path: Path) -> dict[tuple[int, int, int], bytes]:
    """z, x, y → tile as it is without compression, by Protomaps' reader or SQLite."""
    if path.suffix == ".pmtiles":
        with path.open("rb") as file:
            return {place: gzip.decompress(body) for place, body in all_tiles(MmapSource(file))}
    with sqlite3.connect(path) as file:
        rows = file.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles").fetchall()
    return {(z, x, 2**z - 1 - y): gzip.decompress(body) for z, x, y, body in rows}


@pytest.mark.parametrize("suffix", ["pmtiles", "mbtiles"])
def test_an_archive_has_the_tiles_of_the_server_and_gdal_reads_it(site: TileSite, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"city.{suffix}"
    plan = Plan(WEB, 10, 14, BOX)
    filled = make(site, path, plan, "roads", "pois")
    assert filled.kept == 0 and filled.rendered == len(list(plan.addresses()))
    found = bodies(path)
    with site.database.transaction(principal=ANONYMOUS) as conn:
        here = load_layers(conn)
    asked = TileQuery.whole(here["roads"], here["pois"])
    with site.database.reading() as reader:
        for z, y, x in plan.addresses():
            rendered = render_tile(reader, asked, WEB, z, y, x).body
            assert found.get((z, x, y), b"") == rendered
    assert {layer[0] for layer in pyogrio.list_layers(path)} == {"roads", "pois"}
    frame = pyogrio.read_dataframe(path, layer="pois").to_crs(4326)
    assert set(frame["name"]) == {f"店{n}" for n in range(200)}
    assert pyogrio.read_info(path, layer="pois")["total_bounds"] == pytest.approx(WEB.from_degrees(BOX), rel=1e-6)


def test_only_touched_tiles_are_made_again(site: TileSite, owner: Database, tmp_path: Path) -> None:
    path, plan = tmp_path / "pois.pmtiles", Plan(WEB, 8, 15, BOX)
    first = make(site, path, plan, "pois")
    again = make(site, path, plan, "pois")
    assert again.rendered == 0 and again.kept == first.rendered
    part = make(site, tmp_path / "part.mbtiles", Plan(WEB, 12, 13, (114.84, 30.38, 114.9, 30.42)), "pois")
    assert part.rendered == 0 and 0 < part.kept == len(bodies(tmp_path / "part.mbtiles"))
    with owner.transaction(actor="test") as conn:
        conn.execute(
            text(
                "INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9033, 30.4021), 4490), '新店')"
            )
        )
        conn.execute(text("UPDATE city.roads SET name = name || '改' WHERE name = '路7'"))
    after = make(site, path, plan, "pois")
    assert 8 <= after.rendered <= 8 * 4 and after.kept == first.rendered - after.rendered
    z = 15
    x, y, _, _ = WEB.covering(WEB.from_degrees((114.9033, 30.4021, 114.9033, 30.4021)), z) or (0, 0, 0, 0)

    def names() -> set[str]:
        return {f["properties"]["name"] for f in mapbox_vector_tile.decode(bodies(path)[z, x, y])["pois"]["features"]}

    assert "新店" in names()
    with owner.transaction(actor="test") as conn:
        conn.execute(text("DELETE FROM city.pois WHERE name = '新店'"))
    make(site, path, plan, "pois")
    assert (z, x, y) not in bodies(path) or "新店" not in names()


def test_a_run_that_broke_off_goes_on(site: TileSite, tmp_path: Path) -> None:
    path, plan = tmp_path / "roads.mbtiles", Plan(WEB, 8, 15, BOX)
    total = len(list(plan.addresses()))
    with pytest.raises(KeyboardInterrupt):
        make(site, path, plan, "roads", stop_at=40)
    assert not path.exists()
    after = make(site, path, plan, "roads")
    assert after.kept >= 0.3 * total and after.kept + after.rendered == total
    whole = tmp_path / "again.pmtiles"
    fresh = TileSite(site.database, GRIDS, str(tmp_path / "other"), 100)
    assert make(fresh, whole, plan, "roads").rendered == total
    assert bodies(whole) == bodies(path)


def test_a_pack_of_a_division_has_the_tiles_that_meet_its_ground(site: TileSite, tmp_path: Path) -> None:
    with site.database.transaction(principal=ANONYMOUS) as conn:
        here = load_layers(conn)
        content = vectors([here["pois"]])
        box, area = ground(conn, content, None, "420704", None)
        with pytest.raises(ArchiveError, match="420999"):
            ground(conn, content, None, "420999", None)
        with pytest.raises(ArchiveError):
            ground(conn, content, BOX, "420704", None)
    shape = shapely.from_wkt(DISTRICT)
    plan = Plan(WEB, 14, 16, box, area)
    width = 360 / 2**16
    found = {(y, x) for z, y, x in plan.addresses() if z == 16}
    with site.database.engine.connect() as conn:  # PostGIS tells which tiles meet the district
        expected = conn.execute(
            text("""
            SELECT x, y FROM generate_series(53600, 53800) x, generate_series(26900, 27000) y
            WHERE ST_Intersects(ST_TileEnvelope(16, x, y), ST_Transform(ST_GeomFromText(:area, 4490), 3857))"""),
            {"area": DISTRICT},
        ).all()
    assert found == {(y, x) for x, y in expected} and 0.3 < len(found) * width**2 / shape.area < 3
    assert len(found) < len([1 for z, _, _ in Plan(WEB, 16, 16, box).addresses()])


def test_a_layer_that_one_may_not_see_is_not_packed(site: TileSite, owner: Database, tmp_path: Path) -> None:
    with site.database.transaction(principal=ANONYMOUS) as conn:
        assert "patrols" not in load_layers(conn)
    with owner.transaction(actor="test") as conn:
        patrols = load_layers(conn)["patrols"]
        with pytest.raises(ArchiveError, match="public"):
            seed(site, Plan(WEB, 10, 10, BOX), content_of(conn, [patrols], RasterStore(tmp_path), None, None), 1, print)


def test_seeding_fills_the_cache_and_finds_it_filled(site: TileSite, owner: Database) -> None:
    with site.database.transaction(principal=ANONYMOUS) as conn:
        content = vectors([load_layers(conn)["pois"]])
    plan, told = Plan(WEB, 10, 14, BOX), []
    first = seed(site, plan, content, 2, told.append)
    assert first.rendered == first.tiles == len(list(plan.addresses())) and told[-1] == 100
    # More than once: on a busy machine changes may go unread for a second, wherein a tile is given and not kept.
    assert any(seed(site, plan, content, 1, told.append).rendered == 0 for _ in range(5))
    with owner.transaction(actor="test") as conn:
        conn.execute(text("UPDATE city.pois SET name = '改名' WHERE name = '店50'"))
    after = seed(site, plan, content, 1, told.append)
    assert 5 <= after.rendered <= 5 * 4


def test_an_empty_area_makes_no_archive(site: TileSite, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="nothing"):
        make(site, tmp_path / "sea.pmtiles", Plan(WEB, 10, 12, (0, 0, 0.5, 0.5)), "pois")
    assert not (tmp_path / "sea.pmtiles").exists()
