"""Encodes pictures (row, column, 4) as PNG, JPEG, WebP or AVIF."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiles.raster.look import FORMATS, Format
from tiles.raster.png import png

_JPEG: dict[str, Any] = {"quality": 85}
_WEBP: dict[str, Any] = {"quality": 85, "method": 2}
_AVIF: dict[str, Any] = {"quality": 70, "speed": 9}


def encode(picture: NDArray[np.uint8], format_: Format, *, photographic: bool = False) -> tuple[bytes, str]:
    """The file and its media type. ``auto`` of a photographic picture is JPEG where it is opaque; else it is PNG.

    JPEG knows no transparency: what is transparent becomes white.
    """
    opaque = bool((picture[..., 3] == 255).all())
    if format_ == "auto":
        format_ = "jpeg" if photographic and opaque else "png"
    if format_ == "jpeg":
        return _saved(_on_white(picture, opaque), "JPEG", _JPEG), FORMATS[format_]
    if format_ == "png":
        return _png(picture, opaque), FORMATS[format_]
    image = Image.fromarray(np.ascontiguousarray(picture[..., :3]) if opaque else picture)
    options = _WEBP if format_ == "webp" else _AVIF
    return _saved(image, format_.upper(), options), FORMATS[format_]


def lossless(picture: NDArray[np.uint8], format_: Format) -> tuple[bytes, str]:
    """The same for values that must survive (red, green, blue): PNG or lossless WebP."""
    if format_ == "webp":
        options = {"lossless": True, "quality": 20, "method": 0}
        return _saved(Image.fromarray(picture), "WEBP", options), FORMATS["webp"]
    return png(picture), FORMATS["png"]


def _png(picture: NDArray[np.uint8], opaque: bool) -> bytes:
    """Grey where all is grey, without alpha where all is opaque; nothing but alpha where nothing is drawn."""
    if not picture[..., 3].any():
        return png(np.zeros((*picture.shape[:2], 2), np.uint8), 9)
    if not opaque:
        return png(picture)
    red = picture[..., 0]
    grey = bool((red == picture[..., 1]).all() and (red == picture[..., 2]).all())
    return png(red[..., None] if grey else picture[..., :3])


def _on_white(picture: NDArray[np.uint8], opaque: bool) -> Image.Image:
    if opaque:  # the encoder passes over every fourth byte
        return Image.frombuffer("RGBX", (picture.shape[1], picture.shape[0]), picture, "raw", "RGBX", 0, 1)
    alpha = picture[..., 3:].astype(np.uint16)
    mixed = (picture[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return Image.fromarray(mixed.astype(np.uint8))


def _saved(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    file = BytesIO()
    image.save(file, name, **options)
    return file.getvalue()
