"""Bounds of one import, in one place. A file beyond them is refused with the number that was passed."""

#: Bytes of one file, and of everything unpacked from one archive.
MAX_FILE = 8 * 2**30
#: Bytes of a drawing, which is read whole.
MAX_DRAWING = 300 * 2**20
#: Entries of one archive or directory.
MAX_ENTRIES = 2000
#: Unpacked bytes per packed byte; real DBF files reach about a hundred, bombs a thousand.
MAX_RATIO = 300
#: Below this many bytes the ratio does not matter.
RATIO_FROM = 2**20
#: Fields of one source, and characters of one line of text.
MAX_FIELDS = 500
MAX_LINE = 64 * 2**20
#: Coordinates of one geometry, and characters of one text value.
MAX_COORDINATES = 5_000_000
MAX_TEXT = 16 * 2**20
#: Nesting and elements of a KML document.
MAX_DEPTH = 100
MAX_ELEMENTS = 50_000_000
#: Rows handed on at once.
READ_ROWS = 20_000
