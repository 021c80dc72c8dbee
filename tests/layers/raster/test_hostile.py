"""Rasters built to harm: each is made here and seen refused before GDAL opens it, or without what it asked for."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from sqlalchemy import Connection

from layers.importing.errors import ImportRefused, UnreadableFile, UnsafeFile
from layers.raster import headers, source
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL must not be asked at all."""

    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("GDAL opened the file")

    monkeypatch.setattr(source.rasterio, "open", opened)


def tiff(path: Path, tags: dict[int, int], kind: str = "<") -> Path:
    """A TIFF of a directory only, with whole-number tags."""
    entries = b"".join(struct.pack(kind + "HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    mark = b"II*\0" if kind == "<" else b"MM\0*"
    path.write_bytes(mark + struct.pack(kind + "I", 8) + struct.pack(kind + "H", len(tags)) + entries + b"\0\0\0\0")
    return path


SIZE = {256: 100, 257: 100, 258: 8, 277: 1, 278: 100}


@pytest.mark.parametrize("kind", ["<", ">"])
@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({256: 2_000_000, 278: 1}, "2000000 pixels along a side"),
        ({256: 500_000, 257: 500_000, 278: 1}, "250000000000 pixels"),
        ({256: 60_000, 257: 60_000, 278: 60_000}, "bytes in one piece: store it in tiles"),
        ({322: 65_536, 323: 65_536}, "bytes in one piece"),
        ({277: 10_000}, "10000 bands"),
        ({258: 4096}, "4096 bits"),
        ({256: 0}, "no pixels"),
    ],
)
@pytest.mark.usefixtures("unopened")
def test_a_tiff_that_declares_too_much_is_refused_unopened(
    take: Take, tmp_path: Path, tags: dict[int, int], message: str, kind: str
) -> None:
    with pytest.raises(ImportRefused, match=message):
        take("imagery", tiff(tmp_path / "big.tif", SIZE | tags, kind))


@pytest.mark.usefixtures("unopened")
def test_headers_of_other_formats_are_bounded_too(take: Take, tmp_path: Path) -> None:
    ihdr = struct.pack(">II", 60_000, 60_000) + bytes([16, 6, 0, 0, 1])
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + ihdr + struct.pack(">I", zlib.crc32(b"IHDR" + ihdr))
    siz = struct.pack(">HHHIIIIIIIIH", 0xFF51, 41, 0, 90_000, 90_000, 0, 0, 90_000, 90_000, 0, 0, 1) + bytes([7, 1, 1])
    files = {
        "interlaced.png": (png, "bytes in one piece"),
        "progressive.jpg": (
            b"\xff\xd8\xff\xc2" + struct.pack(">HBHHB", 17, 8, 65_000, 65_000, 4),
            "bytes in one piece",
        ),
        "one-tile.j2k": (b"\xff\x4f" + siz, "bytes in one piece"),
        "wide.asc": (b"ncols 100000000\nnrows 1\nxllcorner 0\n", "pixels along a side"),
        "N30E114.hgt": (b"\0" * 1000, "no SRTM tile"),
        "cut.tif": (b"II*\0\x08\0\0\0\xff\xff", "4096"),
        "gone.tif": (b"II*\0\xff\xff\xff\x7f", "is damaged"),
        "cut.png": (png[:20], "header of cut.png is damaged"),
        "endless.jpg": (b"\xff\xd8\xff\xe0\0\0" * 9, "no JPEG frame header"),
    }
    for name, (content, message) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImportRefused, match=message):
            take("imagery", tmp_path / name)


@pytest.mark.usefixtures("unopened")
def test_formats_that_name_other_files_are_never_opened(take: Take, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("password")
    vrt = f'<VRTDataset rasterXSize="1" rasterYSize="1"><SourceFilename>{secret}</SourceFilename></VRTDataset>'
    for name, content in {
        "a.vrt": vrt,
        "a.tif": vrt,
        "a.jp2": vrt,
        "a.png": vrt,
        "a.asc": vrt,
        "a.xml": vrt,
        "a.nc": "CDF",
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(ImportRefused, match=r"whatever its name says|no supported raster"):
            take("imagery", tmp_path / name)
    for name in ("/vsicurl/http://127.0.0.1/a.tif", "http://127.0.0.1/a.tif", "/vsizip/a.zip/a.tif", "NETCDF:a.nc:v"):
        with pytest.raises(UnsafeFile, match="only local files"):
            take("imagery", name)  # type: ignore[arg-type]


def test_a_file_beside_the_image_is_not_read(conn: Connection, store: RasterStore, take: Take, tmp_path: Path) -> None:
    """``.aux.xml``, ``.ovr`` and ``.msk`` beside a file would change what it says."""
    values = np.full((60, 60), 9, "u1")
    path = write_tif(tmp_path / "in.tif", values, HERE)
    write_tif(tmp_path / "in.tif.msk", np.zeros((60, 60), "u1"), HERE)
    (tmp_path / "in.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>9</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    with rasterio.open(path) as without_the_guard:
        assert without_the_guard.nodata == 9
    image = take("imagery", path)
    with rasterio.open(next(store.directory.glob("imagery/*/original.tif"))) as cog:
        assert cog.nodata is None and (cog.read_masks(1) == 255).all(), image


def test_a_damaged_image_is_refused_and_leaves_nothing(store: RasterStore, take: Take, tmp_path: Path) -> None:
    path = write_tif(
        tmp_path / "in.tif",
        np.random.default_rng(1).integers(0, 4, (3, 600, 600), dtype="u1"),
        HERE,
        compress="deflate",
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(UnreadableFile, match="cannot be read: .*IReadBlock failed"):
        take("imagery", path)
    assert [p for p in store.directory.rglob("*") if p.is_file()] == []


def test_archives_are_unpacked_with_the_importers_bounds(take: Take, tmp_path: Path) -> None:
    for name, message in (("../evil.tif", "leaves its directory"), ("inner.zip", "unpack it first")):
        packed = tmp_path / "a.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(UnsafeFile, match=message):
            take("imagery", packed)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tif", b"II*\0" + b"\0" * 50_000_000)
    with pytest.raises(UnsafeFile, match="zip bomb"):
        take("imagery", tmp_path / "bomb.zip")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("a.csv", "x")
    with pytest.raises(UnreadableFile, match="holds no raster"):
        take("imagery", tmp_path / "none.zip")


def test_long_sidecars_and_odd_world_files_are_refused(take: Take, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(plain, "w", driver="PNG", width=9, height=9, count=1, dtype="uint8") as file,
    ):
        file.write(np.ones((1, 9, 9), "u1"))
    for content, message in (
        ("1 2 3", "six numbers"),
        ("a b c d e f", "six numbers"),
        ("nan 0 0 nan 0 0", "impossible"),
        ("0 0 0 0 5 5", "impossible"),
        ("1" * 70_000, "exceeds"),
    ):
        (tmp_path / "plain.pgw").write_text(content)
        with pytest.raises(ImportRefused, match=message):
            take("imagery", plain, crs="EPSG:4547")


def test_headers_tell_what_gdal_tells(tmp_path: Path) -> None:
    for n, options in enumerate(
        (
            {},
            dict(tiled=True, blockxsize=256, blockysize=128),
            dict(bigtiff="YES"),
            dict(endianness="BIG"),
            dict(interleave="band", compress="lzw"),
        )
    ):
        path = write_tif(tmp_path / f"{n}.tif", np.zeros((3, 300, 500), "u2"), HERE, **options)
        found = headers.tiff_header(path)
        assert (found.width, found.height, found.bands, found.bits) == (500, 300, 3, 16)
        with rasterio.open(path) as file:
            rows, columns = file.block_shapes[0]
        assert found.chunk == rows * columns * 2 * (1 if options.get("interleave") == "band" else 3), options
    for driver, reader in (
        ("PNG", headers.png_header),
        ("JPEG", headers.jpeg_header),
        ("JP2OpenJPEG", headers.jp2_header),
    ):
        path = tmp_path / driver
        write_tif(path, np.zeros((3, 300, 500), "u1"), HERE, driver=driver)
        found = reader(path)
        assert (found.width, found.height, found.bands, found.bits) == (500, 300, 3, 8)
