"""What a user may choose of an import; imports nothing heavy, so that descriptions of it cost nothing."""

from typing import Literal

Mode = Literal["append", "replace", "update"]
#: The kinds of longitude and latitude.
Coordinates = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
