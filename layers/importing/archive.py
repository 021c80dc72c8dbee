"""Unpacking zip files that strangers made: names, sizes and counts are checked, bytes are counted as they flow."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_ENTRIES, MAX_FILE, MAX_RATIO, RATIO_FROM

#: What an archive may hold for us; everything else stays packed.
WANTED = frozenset(
    (".shp", ".shx", ".dbf", ".prj", ".cpg", ".gpkg", ".geojson", ".json", ".geojsonl", ".ndjson", ".fgb")
    + (".parquet", ".kml", ".dxf", ".csv", ".txt", ".tsv")
)
_NESTED = frozenset((".zip", ".kmz", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst"))
_CHUNK = 2**20


def unpack(path: Path, into: Path, wanted: frozenset[str] = WANTED) -> list[Path]:
    """Extract the files of a zip that have ``wanted`` suffixes into a directory; names in GBK are understood.

    Raises :class:`UnsafeFile` for traversal, links, encryption, nested archives and bombs, :class:`UnreadableFile` if
    it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _extract(archive, path, into, wanted)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zlib.error) as error:
        if isinstance(error, UnsafeFile):
            raise
        raise UnreadableFile(
            f"{path.name} 不是完好的 zip 文件：{error}", f"{path.name} is no sound zip file: {error}"
        ) from error


def _extract(archive: zipfile.ZipFile, path: Path, into: Path, wanted: frozenset[str]) -> list[Path]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_ENTRIES:
        raise UnsafeFile(
            f"压缩包有 {len(entries)} 个文件，最多 {MAX_ENTRIES} 个",
            f"the archive has {len(entries)} files; the bound is {MAX_ENTRIES}",
        )
    names = [_checked_name(entry) for entry in entries]
    if len({name.lower() for name in names}) != len(names):
        raise UnsafeFile("压缩包中有同名文件", "the archive has two files of one name")
    written: list[Path] = []
    total = 0
    for entry, name in zip(entries, names, strict=True):
        target = into / name
        if target.suffix.lower() not in wanted:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        total += _copy(archive, entry, target, MAX_FILE - total)
        _refuse_ratio(total, path.stat().st_size, path.name)
        written.append(target)
    return written


def _checked_name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename
    if not entry.flag_bits & 0x800:  # not marked UTF-8: Chinese Windows writes GBK
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = entry.filename
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or ":" in name or "\0" in name or len(name) > 300:
        raise UnsafeFile(f"压缩包中的路径 {name!r} 越界", f"the archive's path {name!r} leaves its directory")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UnsafeFile(f"压缩包中的 {name} 是链接", f"{name} in the archive is a link")
    if entry.flag_bits & 0x1:
        raise UnsafeFile(f"{name} 已加密，请解密后导入", f"{name} is encrypted: import it decrypted")
    if pure.suffix.lower() in _NESTED:
        raise UnsafeFile(
            f"压缩包里还有压缩包 {name}，请先解开",
            f"the archive holds the archive {name}: unpack it first",
        )
    return str(pure)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, room: int) -> int:
    size = 0
    with archive.open(entry) as packed, target.open("xb") as unpacked:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            _refuse_ratio(size, entry.compress_size, entry.filename)
            if size > room:
                raise UnsafeFile(f"解压后超过 {MAX_FILE} 字节", f"unpacked it exceeds {MAX_FILE} bytes")
            unpacked.write(chunk)
    return size


def _refuse_ratio(unpacked: int, packed: int, name: str) -> None:
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise UnsafeFile(
            f"{name} 的压缩比超过 {MAX_RATIO}，疑似压缩炸弹",
            f"{name} unpacks more than {MAX_RATIO}-fold, like a zip bomb",
        )
