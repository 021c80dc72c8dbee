"""What comes in stays what it was: values, validity, bands, place; as valid COGs, and aligned to the tile grids."""

import math
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Geod, Transformer
from rasterio.enums import ColorInterp
from rio_cogeo.cogeo import cog_validate
from sqlalchemy import Connection, text

from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile
from layers.raster.images import find_images
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, gdal, write_tif

#: 2 m pixels in Ezhou, EPSG:4547.
HERE = Affine(2, 0, 586400, 0, -2, 3364800)
MAY = datetime(2024, 5, 1, tzinfo=UTC)


def noise(*shape: int, dtype: str = "uint8", seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return random.normal(50, 20, shape).astype(dtype)
    bounds = np.iinfo(dtype)
    return random.integers(bounds.min, bounds.max, shape, dtype=dtype, endpoint=True)


def cogs(conn: Connection, store: RasterStore, coverage: str, image: int) -> dict[str, Path]:
    [found] = [i for i in find_images(conn, load_coverage(conn, coverage)) if i.id == image]
    return {name: store.path(found.folder, name) for name in ("original", *found.copies)}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_every_pixel_of_every_type_is_kept(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path, dtype: str
) -> None:
    values = noise(2, 700, 900, dtype=dtype)
    image = take("imagery", write_tif(tmp_path / "in.tif", values, HERE), acquired=MAY)
    files = cogs(conn, store, "imagery", image.id)
    assert list(files) == ["original", "WebMercatorQuad", "CGCS2000Quad"]
    with rasterio.open(files["original"]) as cog:
        assert np.array_equal(cog.read(), values)
        assert (cog.crs.to_epsg(), cog.transform, cog.dtypes[0]) == (4547, HERE, dtype)
        assert cog.overviews(1) == [2]
    for path in files.values():
        assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
        assert "ZSTD" in gdal("gdalinfo", path)


def test_nodata_alpha_and_masks_mean_the_same_afterwards(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    values, hole = noise(3, 300, 300), np.full((300, 300), 255, np.uint8)
    hole[100:200, 50:150] = 0
    colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    files = {
        "alpha": write_tif(tmp_path / "alpha.tif", np.concatenate([values, hole[None]]), HERE, colours=colours),
        "mask": write_tif(tmp_path / "mask.tif", values, HERE, mask=hole),
        "nodata": write_tif(
            tmp_path / "nodata.tif", np.where(hole, np.maximum(values, 1), 0).astype("u1"), HERE, nodata=0
        ),
    }
    for kind, path in files.items():
        image = take("imagery", path, acquired=MAY)
        stored = cogs(conn, store, "imagery", image.id)
        with rasterio.open(stored["original"]) as cog:
            assert cog.count == 3, kind
            assert np.array_equal(cog.dataset_mask() > 0, hole > 0), kind
        # The copies are larger than the image: what lies outside it must be invalid too.
        with rasterio.open(stored["WebMercatorQuad"]) as cog:
            share = (cog.dataset_mask() > 0).sum() * abs(cog.transform.a) ** 2 * math.cos(math.radians(30.4)) ** 2
            assert share == pytest.approx((hole > 0).sum() * 4, rel=0.01), kind


def test_aligned_copies_lie_on_the_pixels_of_their_tile_matrix_set(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    image = take("imagery", write_tif(tmp_path / "in.tif", noise(1, 600, 600), HERE), acquired=MAY)
    for name, origin, side in (
        ("WebMercatorQuad", -20037508.342789244, 2 * 20037508.342789244),
        ("CGCS2000Quad", -180, 360),
    ):
        with rasterio.open(cogs(conn, store, "imagery", image.id)[name]) as cog:
            zoom = math.log2(side / cog.transform.a / 256)
            assert zoom == pytest.approx(round(zoom), abs=1e-9)
            column = (cog.transform.c - origin) / cog.transform.a / 256
            assert column == pytest.approx(round(column), abs=1e-6)
            assert cog.width % 256 == cog.height % 256 == 0
            west, south, east, north = image_bounds = cog.bounds
            assert west < east and south < north, image_bounds


def test_aligned_copies_equal_what_gdalwarp_makes(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    rows, columns = np.mgrid[0:500, 0:500]
    smooth = (1000 + 300 * np.sin(columns / 60) + 200 * np.cos(rows / 45)).astype("float32")
    source = write_tif(tmp_path / "in.tif", smooth, HERE, nodata=-9999)
    image = take("dem", source)
    for name in ("WebMercatorQuad", "CGCS2000Quad"):
        with rasterio.open(cogs(conn, store, "dem", image.id)[name]) as cog:
            ours, crs, bounds, shape = cog.read(1, masked=True), cog.crs.to_epsg(), cog.bounds, cog.shape
        theirs = tmp_path / f"{name}.tif"
        gdal(
            "gdalwarp",
            "-q",
            "-t_srs",
            f"EPSG:{crs}",
            "-te",
            *bounds,
            "-ts",
            shape[1],
            shape[0],
            "-r",
            "bilinear",
            source,
            theirs,
        )
        with rasterio.open(theirs) as warped:
            expected = warped.read(1, masked=True)
        assert (np.ma.getmaskarray(ours) == np.ma.getmaskarray(expected)).mean() > 0.999
        both = ~np.ma.getmaskarray(ours) & ~np.ma.getmaskarray(expected)
        assert both.sum() > 100_000
        assert np.abs(ours - expected)[both].max() < 1.5  # an eighth of a pixel of the steepest slope
        assert np.abs(ours - expected)[both].mean() < 0.2


def test_png_and_jpeg_are_placed_by_their_world_files(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    values = noise(3, 200, 300)
    world = f"2\n0\n0\n-2\n{HERE.c + 1}\n{HERE.f - 1}\n"
    for driver, suffix, beside in (("PNG", ".png", ".pgw"), ("JPEG", ".jpg", ".JGW")):
        plain = tmp_path / f"plain{suffix}"
        with (
            pytest.warns(rasterio.errors.NotGeoreferencedWarning),
            rasterio.open(plain, "w", driver=driver, width=300, height=200, count=3, dtype="uint8") as file,
        ):
            file.write(values)
        with pytest.raises(ImportRefused, match="does not say where it lies"):
            take("imagery", plain, crs="EPSG:4547")
        packed = tmp_path / f"{driver}.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(plain, f"sheet{suffix}")
            archive.writestr(f"sheet{beside}", world)
        with pytest.raises(UnknownCrs, match="has no CRS"):
            take("imagery", packed)
        image = take("imagery", packed, crs="EPSG:4547", acquired=MAY)
        assert image.bands == ("red", "green", "blue")
        with rasterio.open(cogs(conn, store, "imagery", image.id)["original"]) as cog:
            assert cog.transform == HERE
            with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(plain) as source:
                assert np.array_equal(cog.read(), source.read())
    with_prj = tmp_path / "prj.zip"
    with zipfile.ZipFile(with_prj, "w") as archive:
        archive.write(tmp_path / "plain.png", "sheet.png")
        archive.writestr("sheet.pgw", world)
        archive.writestr("sheet.prj", CRS.from_epsg(4548).to_wkt("WKT1_ESRI"))
    assert take("imagery", with_prj, acquired=datetime(2024, 6, 1, tzinfo=UTC)).crs == "EPSG:4548"


def test_jpeg2000_asc_and_hgt_are_read(conn: Connection, store: RasterStore, take: Take, tmp_path: Path) -> None:
    values = noise(1, 256, 256, dtype="uint16") // 16
    jp2 = tmp_path / "scene.jp2"
    options = dict(driver="JP2OpenJPEG", quality=100, reversible=True)
    write_tif(jp2, values, HERE, **options)
    image = take("imagery", jp2, acquired=MAY)
    with rasterio.open(cogs(conn, store, "imagery", image.id)["original"]) as cog:
        assert np.array_equal(cog.read(), values) and cog.transform == HERE

    asc = tmp_path / "dtm.asc"
    asc.write_text(
        "ncols 3\nnrows 2\nxllcorner 586400\nyllcorner 3364000\ncellsize 5\nNODATA_value -9999\n1.5 2.5 -9999\n3 4 5.25\n"
    )
    image = take("dem", asc, crs="EPSG:4547", vertical_datum="1985国家高程基准")
    with rasterio.open(cogs(conn, store, "dem", image.id)["original"]) as cog:
        assert cog.read(1, masked=True).tolist() == [[1.5, 2.5, None], [3, 4, 5.25]]
        assert cog.bounds == (586400, 3364000, 586415, 3364010)

    heights = (np.arange(1201 * 1201, dtype=">i2") % 3000).reshape(1201, 1201).astype(">i2")
    heights[5, 7] = -32768
    hgt = tmp_path / "N30E114.hgt"
    hgt.write_bytes(heights.tobytes())
    image = take("dem", hgt, vertical_datum="EGM96")
    with rasterio.open(cogs(conn, store, "dem", image.id)["original"]) as cog:
        assert np.array_equal(cog.read(1), heights.astype("i2"))
        assert not cog.read_masks(1)[5, 7] and cog.read_masks(1).sum() == 255 * (1201 * 1201 - 1)
        assert cog.bounds.left == pytest.approx(114 - 1 / 2400)
    # It lies in degrees already, so it needs no copy for CGCS2000Quad.
    assert image.copies == ("WebMercatorQuad",)


def test_a_palette_becomes_colours_in_imagery_and_stays_codes_in_classes(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    codes = np.random.default_rng(1).choice(np.array([0, 10, 80], "u1"), (600, 600))
    palette = {0: (0, 0, 0, 255), 10: (0, 100, 0, 255), 80: (0, 100, 200, 255)}
    path = write_tif(tmp_path / "codes.tif", codes, HERE, nodata=0)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, palette)
    drawn = take("drg", path)
    assert drawn.bands == ("red", "green", "blue")
    with rasterio.open(cogs(conn, store, "drg", drawn.id)["original"]) as cog:
        assert np.array_equal(cog.read(3) * (cog.dataset_mask() > 0), np.choose(codes // 40, [0, 0, 200]))
        assert np.array_equal(cog.dataset_mask() > 0, codes > 0)
    kept = take("land-cover", path)
    with rasterio.open(cogs(conn, store, "land-cover", kept.id)["WebMercatorQuad"]) as cog:
        assert cog.colormap(1)[80] == (0, 100, 200, 255)
        assert set(np.unique(cog.read(1))) == {0, 10, 80}
        assert set(np.unique(cog.read(1, out_shape=(cog.height // 2, cog.width // 2)))) <= {0, 10, 80}


def test_scaled_values_and_feet_become_what_they_mean(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    feet = write_tif(tmp_path / "feet.tif", np.array([[100, 200], [300, -1]], "i2"), HERE, nodata=-1)
    with rasterio.open(feet, "r+") as file:
        file.units = ("ft",)
    image = take("dem", feet)
    with rasterio.open(cogs(conn, store, "dem", image.id)["original"]) as cog:
        assert cog.read(1, masked=True).tolist() == [
            [pytest.approx(30.48), pytest.approx(60.96)],
            [pytest.approx(91.44), None],
        ]
    scaled = write_tif(tmp_path / "scaled.tif", np.array([[[10, 20]]], "u2"), HERE)
    with rasterio.open(scaled, "r+") as file:
        file.scales, file.offsets = (0.5,), (-3,)
    image = take("imagery", scaled, acquired=MAY)
    with rasterio.open(cogs(conn, store, "imagery", image.id)["original"]) as cog:
        assert cog.read(1).tolist() == [[2, 7]]


def test_the_facts_of_an_image_stand_in_its_footprint(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    values = noise(4, 100, 200, dtype="uint16")
    path = write_tif(tmp_path / "景.tif", values, HERE, names=("blue", "green", "red", "nir"))
    image = take("imagery", path, acquired=MAY, acquired_until=datetime(2024, 5, 3, tzinfo=UTC), priority=3)
    row = (
        conn.execute(
            text("SELECT *, ST_AsText(geom) AS wkt, ST_SRID(geom) AS srid FROM city.imagery WHERE id = :id"),
            {"id": image.id},
        )
        .mappings()
        .one()
    )
    assert (row["name"], row["priority"], row["bands"], row["dtype"]) == (
        "景",
        3,
        ["blue", "green", "red", "nir"],
        "uint16",
    )
    assert (row["acquired"], row["crs"], row["width"], row["height"], row["source_file"]) == (
        MAY,
        "EPSG:4547",
        200,
        100,
        "景.tif",
    )
    low, high = map(float, row["stretch"][2].split())
    assert (low, high) == tuple(np.percentile(values[2], (2, 98)))
    # Gauss-Krüger stretches by less than 1/2000 here; PostGIS measures the footprint on the ellipsoid.
    assert row["resolution"] == pytest.approx(2, rel=1e-3)
    area = conn.execute(
        text("SELECT ST_Area(geom::geography) FROM city.imagery WHERE id = :id"), {"id": image.id}
    ).scalar_one()
    assert area == pytest.approx(400 * 200, rel=1e-3)
    assert row["srid"] == 4490
    assert (
        conn.execute(
            text("SELECT count(*) FROM citymap.dirty WHERE layer = 'imagery' AND tx = pg_current_xact_id()")
        ).scalar()
        == 1
    )


def test_rotated_images_lie_where_their_transform_says(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    turned = HERE @ Affine.rotation(30)
    image = take("imagery", write_tif(tmp_path / "turned.tif", noise(1, 100, 200), turned), acquired=MAY)
    area, corner = conn.execute(
        text(
            "SELECT ST_Area(geom::geography), ST_AsText(ST_PointN(ST_ExteriorRing(ST_GeometryN(geom, 1)), 1)) FROM city.imagery WHERE id = :id"
        ),
        {"id": image.id},
    ).one()
    assert area == pytest.approx(400 * 200, rel=1e-3)
    with rasterio.open(cogs(conn, store, "imagery", image.id)["WebMercatorQuad"]) as cog:
        valid = (cog.dataset_mask() > 0).sum() * cog.transform.a**2 * math.cos(math.radians(30.4)) ** 2
        assert valid == pytest.approx(400 * 200, rel=0.01), corner


def test_the_crs_that_is_told_wins_and_old_datums_need_their_parameters(
    take: Take, tmp_path: Path, conn: Connection
) -> None:
    path = write_tif(tmp_path / "xian.tif", noise(1, 100, 100), HERE, crs="EPSG:2383")  # Xian 1980, zone of 114° E
    with pytest.raises(UnknownCrs, match="seven parameters"):
        take("imagery", path, acquired=MAY)
    take("imagery", path, acquired=MAY, crs="EPSG:4547")
    take("imagery", path, acquired=datetime(2024, 6, 1, tzinfo=UTC), towgs84=(100, 20, -30, 0, 0, 0, 0))
    by_hand = Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=114 +k=1 +x_0=500000 +y_0=0 +ellps=IAU76 "
        "+step +proj=cart +ellps=IAU76 +step +proj=helmert +x=100 +y=20 +z=-30 +step +inv +proj=cart +ellps=WGS84"
    )
    told = Transformer.from_crs(4547, 4490, always_xy=True)
    middle = (HERE.c + 100, HERE.f - 100)
    for pipeline, date in ((told, "2024-05-01"), (by_hand, "2024-06-01")):
        centre = conn.execute(
            text(
                "SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(geom) AS c FROM city.imagery WHERE acquired = :at) AS t"
            ),
            {"at": date},
        ).one()
        expected = pipeline.transform(*middle)
        _, _, metres = Geod(ellps="GRS80").inv(*centre, *expected)
        assert metres < 2, date  # a pixel


def test_what_makes_no_sense_is_refused(conn: Connection, take: Take, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "in.tif", noise(2, 50, 50), HERE)
    for options, message in (
        (dict(bands=("a",)), "needs 2 different names"),
        (dict(bands=("a", "a")), "needs 2 different names"),
        (dict(acquired=MAY, acquired_until=datetime(2020, 1, 1, tzinfo=UTC)), "before acquired"),
        (dict(crs="EPSG:4326"), "outside|does not reach"),
    ):
        with pytest.raises(ImportRefused, match=message):
            take("imagery", path, **options)
    with pytest.raises(ImportRefused, match="images of dem have 1 bands; the file has 2"):
        take("dem", path)
    text_file = tmp_path / "notes.tif"
    text_file.write_text("not a picture")
    with pytest.raises(UnreadableFile, match="whatever its name says"):
        take("imagery", text_file)
    take("imagery", path, acquired=MAY)
    with pytest.raises(ImportRefused, match="is image .* of imagery already"):
        take("imagery", path, acquired=MAY)
    take("imagery", path, acquired=datetime(2025, 1, 1, tzinfo=UTC))


def test_a_rehearsal_tells_the_same_and_leaves_nothing(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    path = write_tif(tmp_path / "in.tif", noise(1, 50, 50), HERE)
    rehearsed = take("imagery", path, acquired=MAY, dry_run=True)
    assert rehearsed.id is None and rehearsed.copies == ("WebMercatorQuad", "CGCS2000Quad")
    assert find_images(conn, load_coverage(conn, "imagery")) == []
    assert [p for p in store.directory.rglob("*") if p.is_file()] == []


def test_an_archive_of_several_images_becomes_several(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    packed = tmp_path / "sheets.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for n in range(3):
            archive.write(
                write_tif(tmp_path / "s.tif", noise(1, 20, 20, seed=n), HERE @ Affine.translation(20 * n, 0)),
                f"folder/sheet{n}.tif",
            )
    told: list[float] = []
    images = import_images(
        conn, store, load_coverage(conn, "imagery"), packed, ImageOptions(), lambda share, _: told.append(share)
    )
    assert [image.name for image in images] == ["sheet0", "sheet1", "sheet2"]
    assert told == sorted(told) and told[-1] == pytest.approx(1)
    shutil.rmtree(store.directory)
