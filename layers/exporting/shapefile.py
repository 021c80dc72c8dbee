"""Shapefile as a zip: what its narrow table cannot hold is told in a text beside it."""

import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from layers.catalogue import Field
from layers.exporting.arrow import ArrowRows, Convert, iso_texts, json_texts
from layers.exporting.errors import UnknownFormat
from layers.exporting.files import write_ogr
from layers.exporting.options import Options
from layers.exporting.selection import Selection

#: Bytes of a field name and of a text in a DBF table.
NAME_BYTES = 10
TEXT_BYTES = 254
#: The DBF header's language driver id of GBK (offset 29), for readers that do not know .cpg files.
_GBK_LANGUAGE_DRIVER = 0x4D

_CODECS = {"utf-8": ("utf-8", "UTF-8"), "utf-8-sig": ("utf-8", "UTF-8"), "gbk": ("gbk", "GBK")}


def write_shapefile(selection: Selection, options: Options, path: Path) -> None:
    """A zip of .shp, .shx, .dbf, .prj, .cpg and ``fields.txt``, which explains the short field names and every loss.

    Times are texts (ISO 8601), lists JSON; texts end after 254 bytes. Raises UnknownFormat for a layer of mixed
    geometry types.
    """
    layer = selection.layer
    if layer.geometry_type == "Geometry":
        raise UnknownFormat(
            f"图层 {layer.id} 含多种几何类型，Shapefile 只能存一种，请用 GeoPackage",
            f"layer {layer.id} mixes geometry types and a Shapefile holds one: use GeoPackage",
        )
    codec, code_page = _CODECS[options.encoding]
    names = short_names((f.name for f in selection.fields), codec)
    texts = _Texts(codec)
    convert = {f.name: texts.converter(f) for f in selection.fields if f.type in _TO_TEXT}
    shp = path.with_name(f"{layer.id}.shp")
    rows = ArrowRows(selection, path.parent, names=names, convert=convert)
    write_ogr(selection, rows, shp, "ESRI Shapefile", encoding=code_page)
    if codec == "gbk":
        _mark_gbk(shp.with_suffix(".dbf"))
    parts = sorted(file for file in path.parent.iterdir() if file.stem == shp.stem and file != path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for part in parts:
            archive.write(part, part.name)
            part.unlink()
        archive.writestr("fields.txt", "\ufeff" + _explanation(selection, names, code_page, texts))


def short_names(names: Iterable[str], codec: str) -> dict[str, str]:
    """Field names of at most 10 bytes in that encoding, unique without regard to case; ``id`` is taken."""
    taken = {"id"}
    short: dict[str, str] = {}
    for name in names:
        candidate, number = _cut(name, codec, NAME_BYTES), 0
        while candidate.lower() in taken:
            number += 1
            candidate = _cut(name, codec, NAME_BYTES - len(f"_{number}")) + f"_{number}"
        taken.add(candidate.lower())
        short[name] = candidate
    return short


def _cut(text: str, codec: str, size: int) -> str:
    """The text up to so many bytes, without half characters; what the encoding lacks becomes ``?``."""
    return text.encode(codec, "replace")[:size].decode(codec, "ignore")


class _Texts:
    """Makes texts fit for a DBF table and counts, per field, those that lost something."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self.damaged: Counter[str] = Counter()

    def converter(self, field: Field) -> Convert:
        """What turns a column of that field into texts that fit."""
        to_text = _TO_TEXT[field.type]

        def convert(values: Sequence[Any]) -> list[str | None]:
            return [None if text is None else self._fit(text, field.name) for text in to_text(values)]

        return convert

    def _fit(self, text: str, name: str) -> str:
        fitted = _cut(text, self._codec, TEXT_BYTES)
        if fitted != text:
            self.damaged[name] += 1
        return fitted


_TO_TEXT: dict[str, Convert] = {"string": lambda values: values, "string-array": json_texts, "date-time": iso_texts}


def _mark_gbk(dbf: Path) -> None:
    with dbf.open("r+b") as file:
        file.seek(29)
        file.write(bytes([_GBK_LANGUAGE_DRIVER]))


def _explanation(selection: Selection, names: dict[str, str], code_page: str, texts: _Texts) -> str:
    layer = selection.layer
    lines = [
        f"{layer.title.zh} {layer.title.en} ({layer.id})",
        f"EPSG:{selection.srid}, {code_page}, {selection.rows} 个要素 features",
        "",
        "字段名 name\t原名 full name\t标题 title\t单位 unit",
    ]
    for field in selection.fields:
        title = f"{field.title.zh} {field.title.en}"
        lines.append(f"{names[field.name]}\t{field.name}\t{title}\t{field.unit or ''}")
    for name, number in texts.damaged.items():
        lines += [
            "",
            f"{names[name]}: {number} 个值超过 {TEXT_BYTES} 字节或含 {code_page} 没有的字，已截断或以 ? 代替",
            f"{number} values exceeded {TEXT_BYTES} bytes or held characters not in {code_page}: cut, or shown as ?",
        ]
    return "\r\n".join(lines) + "\r\n"
