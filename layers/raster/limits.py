"""Bounds of rasters, in one place. What lies beyond is refused with the number that was passed."""

#: Pixels of one image; 100 000 × 100 000 is a city of 50 km at 0.5 m.
MAX_PIXELS = 10**10
MAX_SIDE = 1_000_000
MAX_BANDS = 32
#: Decoded bytes of what a decoder must hold at once: a TIFF's strip or tile, a JPEG 2000 tile, an interlaced PNG.
MAX_CHUNK = 512 * 2**20
#: Bytes of a world file or ``.prj``.
MAX_SIDECAR = 64 * 1024
#: Samples (pixels × bands) of one read, and points of one sampling.
MAX_READ = 64_000_000
MAX_POINTS = 1_000_000
#: Images of one read; more would take minutes.
MAX_IMAGES = 2000
