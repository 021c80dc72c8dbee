"""The character encoding of a DBF: real Chinese files are GBK and often do not say so.

Order: the ``.cpg`` file, the header's language driver byte, UTF-8 if every text decodes, GB18030 if there is Chinese.
A ``.cpg`` that claims UTF-8 over bytes that are none is overruled, with a warning.
"""

import codecs
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from layers.catalogue import Text
from layers.importing.errors import ImportRefused, UnreadableFile

#: Language driver ids (dBase, ESRI) that occur in practice.
_LDID = {
    0x4D: "GB18030", 0x7A: "GB18030", 0x4F: "BIG5", 0x78: "BIG5", 0x4E: "CP949", 0x13: "CP932",
    0x7B: "CP932", 0x79: "CP949", 0x03: "CP1252", 0x58: "CP1252", 0xC8: "CP1250", 0xC9: "CP1251",
}  # fmt: skip
_CODE_PAGE = {"936": "GB18030", "950": "BIG5", "949": "CP949", "932": "CP932", "65001": "UTF-8", "54936": "GB18030"}
_SAMPLE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class DbfEncoding:
    """The encoding and where it comes from: ``cpg``, ``ldid`` or ``bytes``."""

    name: str
    origin: str
    warning: Text | None = None


def dbf_encoding(dbf: Path, cpg: Path | None) -> DbfEncoding:
    """The encoding of a DBF file. Raises :class:`UnreadableFile` if its header makes no sense."""
    texts = _texts(dbf)
    utf8 = all(_decodes(value) for value in texts)
    if cpg is not None and (told := encoding_name(cpg.read_bytes()[:64].decode("ascii", "replace"))):
        if told == "UTF-8" and not utf8:
            warning = Text(
                "cpg 声明为 UTF-8，但内容不是，已按 GB18030 读取",
                "the .cpg says UTF-8 but the texts are none: read as GB18030",
            )
            return DbfEncoding("GB18030", "bytes", warning)
        return DbfEncoding(told, "cpg")
    with dbf.open("rb") as file:
        language = file.read(32)[29]
    if language in _LDID and not (_LDID[language] == "CP1252" and _chinese(texts)):
        return DbfEncoding(_LDID[language], "ldid")
    if utf8 or _chinese(texts):
        return DbfEncoding("UTF-8" if utf8 else "GB18030", "bytes")
    warning = Text(
        "文本既不是 UTF-8 也不像中文，已按 CP1252 读取；不对时请用 encoding 指明",
        "the texts are neither UTF-8 nor like Chinese and were read as CP1252; say otherwise by encoding",
    )
    return DbfEncoding("CP1252", "bytes", warning)


def encoding_name(text: str) -> str | None:
    """GDAL's name of an encoding written in any of the usual ways; None if it is none that Python knows."""
    text = text.strip().strip("\0")
    digits = re.search(r"\d+$", text)
    if digits and digits[0] in _CODE_PAGE:
        return _CODE_PAGE[digits[0]]
    try:
        known = codecs.lookup(text).name
    except LookupError:
        return None
    return {"utf-8": "UTF-8", "gbk": "GB18030", "gb2312": "GB18030", "gb18030": "GB18030"}.get(known, known.upper())


def told_encoding(text: str) -> str:
    """The encoding that a user named. Raises :class:`ImportRefused` if unknown."""
    name = encoding_name(text)
    if name is None:
        raise ImportRefused(f"未知的字符编码 {text!r}", f"unknown character encoding {text!r}; try UTF-8 or GB18030")
    return name


def _decodes(value: bytes) -> bool:
    """UTF-8, allowing for a last character cut by the field's width."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(value, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _chinese(texts: list[bytes]) -> bool:
    """Whether some text has a pair of bytes of GB 2312's characters; accents in Western text stand alone."""
    return any(re.search(rb"[\xb0-\xf7][\xa1-\xfe]", value) for value in texts)


def _texts(dbf: Path) -> list[bytes]:
    """Field names and distinct non-ASCII text values of the first 64 MB of records."""
    with dbf.open("rb") as file:
        header = file.read(32)
        if len(header) < 32:
            raise UnreadableFile(f"{dbf.name} 已损坏", f"{dbf.name} is damaged: its header is cut short")
        header_size, record_size = struct.unpack_from("<HH", header, 8)
        descriptors = file.read(max(header_size - 32, 0))
        body = file.read(_SAMPLE)
    names, spans, at = [], [], 1
    for start in range(0, len(descriptors) - 31, 32):
        if descriptors[start] == 0x0D:
            break
        names.append(descriptors[start : start + 11].split(b"\0")[0])
        width = descriptors[start + 16]
        if descriptors[start + 11 : start + 12] == b"C":
            width += descriptors[start + 17] * 256
            spans.append((at, at + width))
        at += width
    found = {name for name in names if not name.isascii()}
    for record in range(0, len(body) - record_size + 1, record_size) if record_size else ():
        for begin, end in spans:
            value = body[record + begin : record + end]
            if not value.isascii():
                found.add(value.rstrip(b" \0"))
    return list(found)
