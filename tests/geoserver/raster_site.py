"""A city with images, elevation and classes, for the tests of pictures: small files with known values."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import requests
from affine import Affine
from PIL import Image
from rasterio.enums import ColorInterp

from layers.database import Database
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.workshop import eventually
from tests.layers.raster.conftest import write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)
NAMES = ("blue", "green", "red", "nir")


class RasterSite:
    def __init__(self, url: str, directory: Path, database: Database) -> None:
        self.url, self.directory, self.database = url, directory, database
        rows, columns = np.mgrid[0:200, 0:300]
        self.heights = (100 + 30 * np.sin(columns / 30) + 20 * np.cos(rows / 20)).astype("f4")
        self.heights[50:60, 50:60] = -9999
        waves = [np.sin(columns / (9 + 4 * band)) * np.cos(rows / (11 + 3 * band)) for band in range(4)]
        self.colours = (128 + 110 * np.stack(waves)).astype("u1")
        self.codes = np.where(columns < 150, 10, 80).astype("u1")

    def get(self, path: str, headers: Any = None, **params: Any) -> requests.Response:
        asked = {name.replace("_", "-"): value for name, value in params.items()}
        return requests.get(f"{self.url}{path}", params=asked, headers=headers, timeout=60)

    def tile(self, collection: str, place: str, **params: Any) -> requests.Response:
        answer = self.get(f"/collections/{collection}/tiles/{place}", **params)
        assert answer.status_code == 200, answer.text
        return answer

    def pixels(self, collection: str, place: str, **params: Any) -> Any:
        """(row, column, 4) of a tile, asked for as PNG."""
        return decoded(self.tile(collection, place, f="png", **params).content)

    def take(self, coverage: str, values: Any, name: str, transform: Affine = HERE, **options: Any) -> int:
        """Import an image; returns its id."""
        more: dict[str, Any] = {"nodata": -9999} if coverage == "dem" else {}
        if coverage == "imagery":  # else the fourth band would be taken for alpha
            more = {"photometric": "MINISBLACK", "colours": [ColorInterp.gray, *[ColorInterp.undefined] * 3]}
        path = write_tif(self.directory / f"{name}.tif", values, transform, **more)
        with self.database.transaction(actor="test") as conn:
            store, into = RasterStore(self.directory / "rasters"), load_coverage(conn, coverage)
            [image] = import_images(conn, store, into, path, ImageOptions(**options), lambda *_: None)
        assert image.id
        return image.id


def decoded(body: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(body)).convert("RGBA"))


@contextmanager
def raster_site(postgres_url: str, template_name: str, directory: Path, name: str, **more: str) -> Iterator[RasterSite]:
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=1)
    folders = {"RASTERS__DIRECTORY": str(directory / "rasters"), "TILES__DIRECTORY": str(directory / "tiles"), **more}
    with serve(url, **folders) as base:
        site = RasterSite(base, directory, database)
        site.take("dem", site.heights, "heights", vertical_datum="1985")
        site.take("imagery", site.colours, "colours", acquired=datetime(2020, 5, 1, tzinfo=UTC), bands=NAMES)
        site.take("land-cover", site.codes, "codes")
        eventually(lambda: site.get("/collections/hillshade").json()["extent"]["spatial"]["bbox"][0][0] > 100)
        yield site
    database.close()
    drop_database(postgres_url, name)
