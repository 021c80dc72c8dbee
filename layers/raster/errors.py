"""Why a read of a coverage is refused. Knows no GDAL, so that whoever reports errors need not load it."""


class RasterTooLarge(ValueError):
    """A read would give more samples than the bound allows."""


class NoSuchBand(ValueError):
    """A read names a band that no image there has."""


class OutOfReach(ValueError):
    """The bounds lie where their CRS does not reach."""


class TooManyImages(ValueError):
    """A read would have to open more images than the bound allows."""


class ImageGone(LookupError):
    """The files of a past image are no longer kept."""
