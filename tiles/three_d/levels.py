"""Which building is in which tile, and how far off a tile still serves."""

from dataclasses import dataclass

from layers.catalogue import Layer

#: Fields without which nothing can be raised.
NEEDED = ("height", "ground", "ground_low")
#: The tile matrix set whose cells are the tiles.
GRID = "CGCS2000Quad"
#: Levels of an implicit tree: its root, and its leaves.
ROOT, LEAF = 13, 16
LEVELS = LEAF - ROOT + 1
#: Level of the nodes that gather roots, so that no list of children is long.
GROUP = 10
#: The least size [m] of what is in the tiles of a level: the diagonal of its box, height included.
SIZES = {13: 100.0, 14: 50.0, 15: 25.0, 16: 0.0}
#: What is missing while a tile of an implicit root's level is all that is shown [m]; each level below, half as much.
ROOT_ERROR = SIZES[ROOT]
#: The same of a group and of the whole tileset: a viewer sees the first buildings from 20 km off.
GROUP_ERROR, TILESET_ERROR = 400.0, 800.0


def stands(layer: Layer) -> bool:
    """Whether a layer's features have what is needed to raise them, as far as one may see."""
    return layer.kind == "vector" and all(layer.field(name) is not None for name in NEEDED)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A cell of CGCS2000Quad: rows from the north pole, columns from 180° W."""

    z: int
    row: int
    column: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north [degrees]."""
        side = 180 / 2**self.z
        return (
            self.column * side - 180,
            90 - (self.row + 1) * side,
            (self.column + 1) * side - 180,
            90 - self.row * side,
        )

    def above(self, z: int) -> "Address":
        """The cell of a higher level that it lies in."""
        return Address(z, self.row >> (self.z - z), self.column >> (self.z - z))

    def below(self, level: int, x: int, y: int) -> "Address":
        """The cell at a place of the implicit tree below this one, ``x`` eastwards and ``y`` northwards."""
        last = (1 << level) - 1
        return Address(self.z + level, (self.row << level) + last - y, (self.column << level) + x)

    def place(self, root: "Address") -> tuple[int, int, int]:
        """Level, x and y in the implicit tree of a root."""
        level = self.z - root.z
        last = (1 << level) - 1
        return level, self.column - (root.column << level), last - (self.row - (root.row << level))


def morton(x: int, y: int) -> int:
    """The place of a tile in its level's Z-order: bits of x and y in turn (3D Tiles 1.1 §9, x first)."""
    index = 0
    for bit in range(LEVELS):
        index |= (x >> bit & 1) << (2 * bit) | (y >> bit & 1) << (2 * bit + 1)
    return index
