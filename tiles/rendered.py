"""What every renderer of tiles answers with."""

from dataclasses import dataclass

#: Media type of vector tiles.
MVT = "application/vnd.mapbox-vector-tile"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A tile's bytes, the snapshot of the database (``pg_snapshot`` as text) that they were read in, and what they are.

    A renderer that reads by several statements tells the snapshot from before the first.
    """

    body: bytes
    snapshot: str
    media_type: str = MVT
    #: Whether it will soon be drawn better without any change of the data, so that it is not kept.
    passing: bool = False
