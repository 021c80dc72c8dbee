"""What is kept of a tile, and what tells one tile from another."""

import hashlib
from dataclasses import dataclass

from isal import igzip

from layers.catalogue import Layer
from tiles.cache.snapshot import Snapshot
from tiles.matrix_sets import MatrixSet
from tiles.rendered import MVT, Rendered

#: Level of ISA-L's deflate: 0.15 ms for 66 KB.
_LEVEL = 1
#: Of a kept tile's Python objects beside its bytes.
_OVERHEAD = 900
_PICTURES = "image/"


@dataclass(frozen=True, slots=True)
class TileKey:
    """Which tile. ``layers`` are ids in their order; ``variant`` is a digest of what else decides its bytes.

    That is the layers as they are seen (catalogue, fields), the query and, for layers that are not public, whose rights
    it was read with: see :func:`variant`. ``scoped``: those rights took part.
    """

    layers: tuple[str, ...]
    grid: MatrixSet
    z: int
    y: int
    x: int
    variant: str
    scoped: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A finished tile: its body as one gzip member, the strong entity tag of its content, its snapshot and media type.

    Pictures are compressed already: their body is ``packed`` as it is.
    """

    packed: bytes
    digest: str
    snapshot: Snapshot
    media_type: str = MVT

    @classmethod
    def finish(cls, rendered: Rendered) -> "Tile":
        """Of what was rendered."""
        body, media_type = rendered.body, rendered.media_type
        digest = digest_of(body)
        packed = body if media_type.startswith(_PICTURES) else igzip.compress(body, _LEVEL, mtime=0)
        return cls(packed, digest, Snapshot.parse(rendered.snapshot), media_type)

    @property
    def compressed(self) -> bool:
        """Whether ``packed`` is a gzip member."""
        return not self.media_type.startswith(_PICTURES)

    @property
    def size(self) -> int:
        """What it takes in memory [bytes], about."""
        return len(self.packed) + _OVERHEAD

    def body(self) -> bytes:
        """The bytes as they are without compression."""
        return bytes(igzip.decompress(self.packed)) if self.compressed else self.packed  # type: ignore[no-untyped-call]


def digest_of(body: bytes) -> str:
    """What an entity tag says of a body."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def fingerprint(layer: Layer) -> str:
    """A digest of what the catalogue says of a layer as it is seen by somebody, but for what its data say."""
    return variant(repr(layer.changed(extent=None, updated=None)))


def variant(*parts: str) -> str:
    """The digest of what decides a tile's bytes beside its layers and its place."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
