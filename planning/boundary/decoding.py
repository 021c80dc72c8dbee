"""The bytes of a text file as its lines: UTF-8, UTF-16 with its mark, or GBK (as GB 18030)."""

import codecs

from planning.errors import PlanningError

#: Longest file [bytes]: some 200 000 points.
MAX_BYTES = 10_000_000
#: Longest line that is read [characters].
MAX_LINE = 2000


def decoded(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Raises :class:`PlanningError` for what is no text."""
    if len(content) > MAX_BYTES:
        raise PlanningError(f"文件超过 {MAX_BYTES} 字节", f"the file has more than {MAX_BYTES} bytes")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode(content, "utf-16"), "UTF-16"
    if b"\0" in content:
        raise PlanningError(
            "文件不是文本（含有零字节），应是 TXT",
            "the file is no text (it has zero bytes); expected TXT",
        )
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return _decode(content, "gb18030"), "GBK"


def lines_of(text: str) -> list[str]:
    """The lines, without what ends them (CR LF, LF, CR). Raises :class:`PlanningError` for one too long."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    long = next((number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE), None)
    if long is not None:
        raise PlanningError(f"第 {long} 行超过 {MAX_LINE} 字", f"line {long} has more than {MAX_LINE} characters")
    return lines


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanningError(
            f"第 {line} 行不是 UTF-8 也不是 GBK 编码，请另存为其中一种",
            f"line {line} is neither UTF-8 nor GBK; save the file as one of them",
        ) from None
