"""An export is verified without the database, by us and by an independent reading; no tampered file passes."""

import hashlib
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import Connection

from geoserver.audit.chain import Place
from geoserver.audit.files import FileRefused, Written, verify_file, write
from geoserver.audit.sealing import seal_waiting
from geoserver.audit.verification import rows
from tests.geoserver.audit.conftest import add_wells


@pytest.fixture
def export(wells: Connection, tmp_path: Path) -> tuple[Path, Written]:
    add_wells(wells, *"abcdefgh")
    while seal_waiting(wells, "sm3"):
        pass
    path = tmp_path / "audit.jsonl"
    return path, write(path, rows(wells, Place()), Place())


def test_an_export_verifies_and_says_what_it_holds(export: tuple[Path, Written]) -> None:
    path, written = export
    report = verify_file(path, [written.head])
    assert report.ok and report.links == written.links and report.head == written.head
    assert hashlib.sha256(path.read_bytes()).hexdigest() == written.sha256
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_independent_reading_finds_the_same_hashes(export: tuple[Path, Written]) -> None:
    previous = "0" * 64
    for line in export[0].read_text().splitlines()[1:-1]:
        value = json.loads(line)
        link = value["link"]
        assert link["digest"] == hashed(value["entry"])
        said = {**link, "previous": previous}
        previous = said.pop("hash")
        assert previous == hashed(said)


def hashed(value: dict) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.new("sm3", text.encode()).hexdigest()


def test_no_export_is_overwritten_and_none_is_left_half(export: tuple[Path, Written]) -> None:
    path, _ = export
    with pytest.raises(FileExistsError):
        write(path, iter(()), Place())

    def breaking():
        yield from ()
        raise RuntimeError("the line broke")

    with pytest.raises(RuntimeError):
        write(path.with_name("other"), breaking(), Place())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_part_begins_where_another_ended(wells: Connection, export: tuple[Path, Written], tmp_path: Path) -> None:
    links = list(rows(wells, Place()))
    after = Place(links[4][0].seq, links[4][0].hash)
    part = tmp_path / "part.jsonl"
    write(part, rows(wells, after), after)
    report = verify_file(part)
    assert report.ok and report.first == 6 and after.hash in report.remarks[0]


def edited(path: Path, change) -> Path:
    lines = path.read_text().splitlines()
    change(lines)
    other = path.with_name("tampered.jsonl")
    other.write_text("\n".join(lines) + "\n")
    return other


def test_tampering_with_a_file_is_named(export: tuple[Path, Written]) -> None:
    path, _ = export

    def swap(lines: list[str]) -> None:
        lines[3], lines[6] = lines[6], lines[3]

    def alter(lines: list[str]) -> None:
        lines[5] = lines[5].replace('"outcome":"done"', '"outcome":"failed"')

    def forget(lines: list[str]) -> None:
        value = json.loads(lines[5])
        lines[5] = json.dumps({**value, "entry": None})

    def cut(lines: list[str]) -> None:
        del lines[-1]

    def shorten(lines: list[str]) -> None:
        del lines[-2]

    kinds = {
        change.__name__: [fault.kind for fault in verify_file(edited(path, change)).faults]
        for change in (swap, alter, forget, cut, shorten)
    }
    assert kinds["alter"] == ["changed"] and kinds["forget"] == ["removed"]
    assert kinds["cut"] == ["removed"] and kinds["shorten"] == ["removed"]
    assert "inserted" in kinds["swap"] and "removed" in kinds["swap"]
    gone = verify_file(edited(path, lambda lines: lines.pop(5)))
    assert [(fault.kind, fault.seq) for fault in gone.faults] == [("removed", 5)]


def test_a_chain_made_anew_by_a_weak_hash_is_no_chain(export: tuple[Path, Written]) -> None:
    def weaken(lines: list[str]) -> None:
        previous = "0" * 64
        for number, line in enumerate(lines[1:-1], 1):
            value = json.loads(line)
            link = {**value["link"], "algorithm": "md5", "digest": weak(value["entry"]), "previous": previous}
            del link["hash"]
            previous = link["hash"] = weak(link)
            del link["previous"]
            lines[number] = json.dumps({"link": link, "entry": value["entry"]})
        lines[-1] = json.dumps({"head": {"seq": len(lines) - 2, "hash": previous}, "links": len(lines) - 2})

    def weak(value: dict) -> str:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.md5(text.encode()).hexdigest()

    report = verify_file(edited(export[0], weaken))
    assert report.fault_count == 2 * report.links


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "audit.jsonl:1"),
        ("{}\n", ":1 is not the first line"),
        ("nonsense\n", ":1 is not JSON"),
        ('{"format":"citymap-audit","version":1,"after":{"seq":"0","hash":""}}\n', ":1 does not name a link"),
        ('{"format":"citymap-audit","version":1,"after":{"seq":0,"hash":""}}\n[]\n', ":2 is no JSON object"),
        (
            '{"format":"citymap-audit","version":1,"after":{"seq":0,"hash":""}}\n{"link":{"seq":true}}\n',
            ":2 has no link",
        ),
        ('{"format":"citymap-audit","version":1,"after":{"seq":0,"hash":""}}\n{"entry":[]}\n', ":2 has an entry"),
        ("x" * 2_000_000, ":1 is not JSON"),
    ],
)
def test_what_is_no_export_is_refused_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(text)
    with pytest.raises(FileRefused, match=said):
        verify_file(path)


def test_lines_after_the_end_are_refused(export: tuple[Path, Written]) -> None:
    path = edited(export[0], lambda lines: lines.append(lines[2]))
    with pytest.raises(FileRefused, match="after the last line"):
        verify_file(path)
