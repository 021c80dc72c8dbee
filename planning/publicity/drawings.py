"""图纸 drawings of a notice: PDF, PNG and JPEG, kept in the database as they were put before the public."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from sqlalchemy import Connection, text

from planning.errors import PlanningConflict, PlanningError

#: Bytes of one drawing, and drawings of one notice.
MAX_DRAWING, MOST_DRAWINGS = 20_000_000, 20
_PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing; its bytes are at ``/notices/{notice}/drawings/{id}``."""

    id: int
    title: str
    media_type: str
    bytes: int


def drawings_of(conn: Connection, notice: str) -> tuple[Drawing, ...]:
    """The drawings of a notice, in order."""
    rows = conn.execute(
        text("""SELECT id, title, media_type, octet_length(content) AS bytes FROM planning.drawings
                WHERE notice = :notice ORDER BY id"""),
        {"notice": notice},
    ).mappings()
    return tuple(Drawing(**row) for row in rows)


def read_drawing(conn: Connection, notice: str, id: int) -> tuple[Drawing, bytes] | None:
    """A drawing of a notice with its bytes."""
    row = conn.execute(
        text("SELECT id, title, media_type, content FROM planning.drawings WHERE notice = :notice AND id = :id"),
        {"notice": notice, "id": id},
    ).one_or_none()
    if row is None:
        return None
    content = bytes(row.content)
    return Drawing(row.id, row.title, row.media_type, len(content)), content


def add(conn: Connection, notice: str, path: Path, name: str, title: str) -> Drawing:
    """Keep a file as a drawing. Raises :class:`PlanningError` for one that is too large or of another kind."""
    size = path.stat().st_size
    if not 0 < size <= MAX_DRAWING:
        raise PlanningError(
            f"{name} 有 {size} 字节，须在 1 至 {MAX_DRAWING} 之间", f"{name} has {size} bytes, not 1 to {MAX_DRAWING}"
        )
    if len(drawings_of(conn, notice)) >= MOST_DRAWINGS:
        raise PlanningConflict(f"一则公示最多 {MOST_DRAWINGS} 张图纸", f"a notice has {MOST_DRAWINGS} drawings at most")
    kind = _kind(path, name)
    id = conn.execute(
        text("""INSERT INTO planning.drawings (notice, title, media_type, content)
                VALUES (:notice, :title, :kind, :content) RETURNING id"""),
        {"notice": notice, "title": title, "kind": kind, "content": path.read_bytes()},
    ).scalar_one()
    return Drawing(int(id), title, kind, size)


def remove(conn: Connection, notice: str, id: int) -> None:
    """Take a drawing back. Raises :class:`PlanningError` where there is none."""
    statement = text("DELETE FROM planning.drawings WHERE notice = :notice AND id = :id")
    if not conn.execute(statement, {"notice": notice, "id": id}).rowcount:
        raise PlanningError(f"公示没有图纸 {id}", f"the notice has no drawing {id}")


def _kind(path: Path, name: str) -> str:
    """The media type by what the file is, whatever it is called."""
    with path.open("rb") as file:
        if file.read(5) == b"%PDF-":
            return "application/pdf"
    try:
        with Image.open(path, formats=tuple(_PICTURES)) as picture:
            picture.verify()
            return _PICTURES[str(picture.format)]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise PlanningError(f"{name} 不是 PDF、PNG 或 JPEG", f"{name} is no PDF, PNG or JPEG") from None
