"""Photos of cases: read by what they are and not by their name, made anew without what they tell beside the picture.

The picture is decoded and encoded again as JPEG, so nothing that is hidden in a file is kept. EXIF tells where and when
it was taken; that is compared with the report and then left out.
"""

import hashlib
import io
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from PIL import Image, ImageOps, UnidentifiedImageError
from pyproj import Geod

from grid.errors import PhotoRefused
from grid.options import PhotoOptions

#: Formats that are taken, by content.
FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/jpeg"
_QUALITY = 85
#: EXIF: the directory of the camera's facts, of GPS, and tags in them (CIPA DC-008 §4.6).
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
#: Bytes that must stay free on the disk.
_FREE = 2**30
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture made anew. ``position`` (longitude, latitude [°]) and ``taken`` are what EXIF told."""

    id: UUID
    jpeg: bytes
    width: int
    height: int
    taken: datetime | None
    position: tuple[float, float] | None

    @property
    def sha256(self) -> str:
        """The digest of the picture as it is kept."""
        return hashlib.sha256(self.jpeg).hexdigest()

    def offset(self, position: tuple[float, float]) -> float | None:
        """How far from a position it was taken [m]; None where the picture does not tell."""
        if self.position is None:
            return None
        return round(float(_GEOD.inv(*self.position, *position)[2]), 1)


def read_photo(path: Path, name: str, options: PhotoOptions, timezone: str) -> Photo:
    """The picture in a file. Raises :class:`PhotoRefused` naming the file and what is wrong with it."""
    size = path.stat().st_size
    if size > options.max_mb * 1_000_000:
        raise PhotoRefused(
            f"照片 {name} 超过 {options.max_mb:g} MB", f"photo {name!r} is larger than {options.max_mb:g} MB"
        )
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > options.max_megapixels * 1_000_000:
                raise PhotoRefused(
                    f"照片 {name} 像素过多", f"photo {name!r} has more than {options.max_megapixels:g} megapixels"
                )
            told = image.getexif()
            taken, position = _taken(told.get_ifd(_EXIF), timezone), _position(told.get_ifd(_GPS))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError:
        raise PhotoRefused(
            f"{name} 不是 JPEG、PNG 或 WebP 照片", f"{name!r} is no JPEG, PNG or WebP picture, whatever its name says"
        ) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, PhotoRefused):
            raise
        raise PhotoRefused(f"照片 {name} 不能读取", f"photo {name!r} cannot be read: it is broken or cut off") from None
    upright.thumbnail((options.longest_edge, options.longest_edge))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=_QUALITY)
    return Photo(uuid4(), out.getvalue(), upright.width, upright.height, taken, position)


def _taken(facts: Mapping[int, Any], timezone: str) -> datetime | None:
    """When it was taken; a camera that knows no zone has the city's."""
    try:
        moment = datetime.strptime(str(facts[_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        offset = str(facts.get(_TAKEN_OFFSET, "")).strip("\0 ")
        return (
            datetime.fromisoformat(f"{moment.isoformat()}{offset}")
            if offset
            else moment.replace(tzinfo=ZoneInfo(timezone))
        )
    except (KeyError, ValueError, OverflowError):
        return None


def _position(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    try:
        lat, lon = _degrees(gps[_LAT]), _degrees(gps[_LON])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    lat, lon = lat * (-1 if gps.get(_LAT_REF) == "S" else 1), lon * (-1 if gps.get(_LON_REF) == "W" else 1)
    return (lon, lat) if abs(lat) <= 90 and abs(lon) <= 180 and (lon, lat) != (0.0, 0.0) else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def photo_path(directory: Path, photo: UUID) -> Path:
    """Where a photo's file lies."""
    return directory / photo.hex[:2] / f"{photo}.jpg"


def store_photo(directory: Path, photo: Photo) -> None:
    """Keep the file; what is half written is never seen under its name. Raises :class:`PhotoRefused` on a full disk."""
    path = photo_path(directory, photo.id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(directory).free < _FREE:
        raise PhotoRefused("服务器磁盘已满，暂不能接收照片", "the server's disk is too full to take photos")
    part = path.with_suffix(".part")
    part.write_bytes(photo.jpeg)
    os.replace(part, path)


def photos_older_than(directory: Path, seconds: float) -> Iterator[tuple[UUID, Path]]:
    """The photos' files of that age [s], and what was left half written."""
    oldest = time.time() - seconds
    for path in directory.glob("??/*"):
        try:
            if path.lstat().st_mtime <= oldest:
                yield UUID(path.stem), path
        except (FileNotFoundError, ValueError):  # another worker was faster; no file of ours
            continue
