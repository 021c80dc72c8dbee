"""The images of a coverage: rows of its footprints."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from layers.crs import epsg
from layers.features import FeatureNotFound
from layers.query import Box, FeatureQuery, rows
from layers.raster.coverage import Coverage, Nature
from layers.raster.errors import TooManyImages
from layers.raster.limits import MAX_IMAGES
from layers.tables import feature_table

#: Begin and end of a time, either of them open.
Interval = tuple[datetime | None, datetime | None]
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a coverage. ``resolution`` [m] is on the ground; ``stretch`` holds per band the values (low, high)
    between which a display stretches; ``copies`` are the tile matrix sets of its aligned copies."""

    id: int
    name: str
    acquired: datetime | None
    acquired_until: datetime | None
    priority: int
    resolution: float
    bands: tuple[str, ...]
    dtype: str
    nodata: float | None
    stretch: tuple[tuple[float, float], ...]
    vertical_datum: str | None
    crs: str
    width: int
    height: int
    source_file: str
    checksum: str
    folder: str
    copies: tuple[str, ...]

    @property
    def srid(self) -> int | None:
        """The EPSG code of the image's own CRS, if it has one."""
        return int(self.crs[5:]) if self.crs.startswith("EPSG:") else None

    def acquired_within(self, interval: Interval) -> bool:
        """Whether any moment of its acquisition lies in the interval, ends included. False where it is not dated."""
        if self.acquired is None:
            return False
        begin, end = interval
        last = self.acquired_until or self.acquired
        return (begin is None or last >= begin) and (end is None or self.acquired <= end)


def find_images(
    conn: Connection,
    coverage: Coverage,
    box: tuple[float, float, float, float] | None = None,
    *,
    time: Interval | None = None,
    as_of: datetime | None = None,
) -> list[Image]:
    """The images whose footprints meet a box (west, south, east, north in CGCS2000 degrees), the uppermost first.

    Without ``time`` all of them, with it those acquired then; ``as_of`` gives the images that there were at an instant.
    Raises :class:`TooManyImages`.
    """
    query = FeatureQuery(box=Box(*box, srid=4490) if box else None, as_of=as_of, geometry=False, crs=epsg(4490))
    found = [image_of(row) for row in conn.execute(rows(coverage.layer, query).limit(MAX_IMAGES + 1)).mappings()]
    if len(found) > MAX_IMAGES:
        raise TooManyImages(f"more than {MAX_IMAGES} images of {coverage.layer.id!r} lie there; ask for a smaller area")
    if time is not None:
        found = [image for image in found if image.acquired_within(time)]
    return ranked(found, coverage.nature)


def find_image(conn: Connection, coverage: Coverage, image: int) -> Image:
    """The image of that id. Raises :class:`FeatureNotFound`."""
    table = feature_table(coverage.layer)
    row = conn.execute(select(table).where(table.c.id == image)).mappings().one_or_none()
    if row is None:
        raise FeatureNotFound(f"coverage {coverage.layer.id!r} has no image {image}")
    return image_of(row)


def ranked(images: list[Image], nature: Nature) -> list[Image]:
    """Images from the uppermost down: by priority, then the newest first; of elevation the finest first.

    Images without a date lie below the dated ones; where all is equal the one that came in last lies on top.
    """

    def rank(image: Image) -> tuple[Any, ...]:
        newest = -(image.acquired or _EARLIEST).timestamp() if image.acquired else float("inf")
        # Resolutions of one survey differ with the latitude of the sheet: the third digit is no difference.
        finest = float(f"{image.resolution:.2g}")
        first = (finest, newest) if nature == "elevation" else (newest, finest)
        return (-image.priority, *first, -image.id)

    return sorted(images, key=rank)


def image_of(row: Mapping[Any, Any]) -> Image:
    """The image that a row of footprints tells of."""
    return Image(
        id=row["id"],
        name=row["name"] or "",
        acquired=row["acquired"],
        acquired_until=row["acquired_until"],
        priority=row["priority"] or 0,
        resolution=row["resolution"],
        bands=tuple(row["bands"]),
        dtype=row["dtype"],
        nodata=row["nodata"],
        stretch=tuple(_pair(text) for text in row["stretch"] or ()),
        vertical_datum=row["vertical_datum"],
        crs=row["crs"],
        width=row["width"],
        height=row["height"],
        source_file=row["source_file"] or "",
        checksum=row["checksum"] or "",
        folder=row["folder"],
        copies=tuple(row["copies"] or ()),
    )


def _pair(text: str) -> tuple[float, float]:
    low, high = text.split()
    return float(low), float(high)


def store_image(
    conn: Connection, coverage: Coverage, values: Mapping[str, Any], footprint: bytes, replaces: int | None = None
) -> int:
    """Add an image, or put it in the place of another, whose state history keeps; returns its id.

    ``footprint`` is WKB in EPSG:4490. Raises :class:`FeatureNotFound` where there is none to replace.
    """
    table = feature_table(coverage.layer)
    columns = {**values, "geom": func.ST_GeomFromWKB(footprint, coverage.layer.srid)}
    if replaces is None:
        statement: Any = insert(table).values(columns)
    else:
        statement = update(table).where(table.c.id == replaces).values(columns)
    found = conn.execute(statement.returning(table.c.id)).scalar()
    if found is None:
        raise FeatureNotFound(f"coverage {coverage.layer.id!r} has no image {replaces} to replace")
    return int(found)


def remove(conn: Connection, coverage: Coverage, image: int) -> None:
    """Take an image out of its coverage; reads as of earlier still find it. Raises :class:`FeatureNotFound`."""
    table = feature_table(coverage.layer)
    if conn.execute(delete(table).where(table.c.id == image)).rowcount == 0:
        raise FeatureNotFound(f"coverage {coverage.layer.id!r} has no image {image}")
