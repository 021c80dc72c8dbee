"""Fuzzes every decoder of positions by coverage (atheris): any bytes are read or refused, in bounded time and memory.

``python -m tests.tracking.fuzz jt808 --seconds 300`` fuzzes one decoder, without a name all of them in turn, each in a
process of its own. What breaks one is written to ``var/fuzz/`` and named; so is the corpus, which later runs take up.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from pathlib import Path

_INSIDE = sys.argv[1:2] == ["--inside"]


def _instrumented() -> AbstractContextManager[object]:
    if not _INSIDE:
        return nullcontext()
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return atheris.instrument_imports(include=["tracking.inputs", "tracking.jt808", "tracking.calendar"])  # type: ignore[no-any-return]


with _instrumented():
    import orjson

    from tracking.calendar import CalendarError, holds
    from tracking.inputs.moving_points import read_moving
    from tracking.inputs.nmea import Epochs, Gga, Rmc, read_sentence
    from tracking.inputs.phones import batch, osmand, owntracks, traccar_client
    from tracking.inputs.track_files import Told, read_track_file
    from tracking.inputs.values import InputRefused
    from tracking.jt808.errors import BodyRefused, FrameRefused
    from tracking.jt808.frames import LONGEST, Message, Splitter, read_frame, write_frame
    from tracking.jt808.subpackages import MOST_BYTES, Merger
    from tracking.jt808.uplink import Locations, read_message
    from tracking.model import Device, Fix, Stored
    from tracking.storing import copied, variant

FOLDER = Path(__file__).parents[2] / "var" / "fuzz"
VECTORS = Path("/work/shared/data/09_test_vectors")
_NOW = 1.8e9
_ANY = "any"
#: Seconds for one input, megabytes of the process, and bytes of an input.
_SLOWEST, _MEGABYTES, _LONGEST_INPUT = 5, 1500, 4096


def jt808(data: bytes) -> None:
    """A stream of frames: cut, checked, merged, and read; what is read is what would be written."""
    splitter, merger = Splitter(), Merger()
    for n, packet in enumerate(data.split(b"\x7e\x7e\x7e")):
        for frame in splitter.feed(packet):
            try:
                whole = merger.merge(read_frame(frame), float(n))
                if whole is not None:
                    _said(whole)
            except (FrameRefused, BodyRefused) as error:
                assert len(str(error)) < 300
    assert len(splitter._rest) <= LONGEST


def jt808_bodies(data: bytes) -> None:
    """A message of any kind and layout, so that no checksum is in the way of its body."""
    if len(data) < 4:
        return
    kind = int.from_bytes(data[:2])
    message = Message(kind, "13900000001", 1, data[3:], 2019 if data[2] & 1 else 2013, encryption=data[2] >> 1 & 7)
    try:
        _said(message)
        if len(message.body) < 1000:
            (frame,) = Splitter().feed(write_frame(message._replace(encryption=0)))
            assert read_frame(frame).body == message.body
    except BodyRefused as error:
        assert len(str(error)) < 300


def jt808_parts(data: bytes) -> None:
    """Parts of messages in any order, number and size."""
    merger = Merger()
    for n in range(0, len(data) - 5, 6):
        serial, parts, part, size, seconds = data[n], data[n + 1], data[n + 2], data[n + 3], data[n + 4]
        head = Message(0x0704, str(data[n + 5] % 4 + 1), serial, b"x" * (size * 4), parts=parts * 8, part=part)
        whole = merger.merge(head, float(n * seconds))
        assert whole is None or len(whole.body) <= MOST_BYTES


def nmea(data: bytes) -> None:
    """Lines of a receiver."""
    epochs = Epochs()
    for n, line in enumerate(data.split(b"\n")):
        try:
            said = read_sentence(line)
        except InputRefused as error:
            assert len(str(error)) < 300
            continue
        if isinstance(said, Rmc | Gga):
            for fix in epochs.take(said, _NOW + n):
                _storable(fix)
    for fix in epochs.flush(_NOW + 1e6):
        _storable(fix)


def phones(data: bytes) -> None:
    """What phones and programs send over HTTP and MQTT."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data.decode("latin-1")
        document = dict(part.partition("=")[::2] for part in text.split("&"))
    for read in (_traccar, _owntracks, batch, lambda given: [osmand(given if isinstance(given, dict) else {}, _NOW)]):
        try:
            for fix in read(document):
                _storable(fix)
        except InputRefused as error:
            assert len(str(error)) < 500


def files(data: bytes) -> None:
    """GPX, GeoJSON and CSV."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(data)
        file.flush()
        try:
            for reading in read_track_file(Path(file.name), Told()):
                assert (reading.fix is None) == (reading.reason is not None)
                if reading.fix is not None:
                    _storable(reading.fix)
        except InputRefused as error:
            assert str(error)


def moving_points(data: bytes) -> None:
    """MF-JSON that is added to a track."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    try:
        for fix in read_moving(document):
            _storable(fix)
    except InputRefused as error:
        assert len(str(error)) < 500


def calendars(data: bytes) -> None:
    """Duty hours and calendars of fences."""
    try:
        holds(data.decode("utf-8", "replace"), _NOW)
    except CalendarError as error:
        assert len(str(error)) < 500


#: Every decoder by its name.
DECODERS: Mapping[str, Callable[[bytes], None]] = {
    "jt808": jt808, "jt808-bodies": jt808_bodies, "jt808-parts": jt808_parts, "nmea": nmea, "phones": phones,
    "files": files, "moving-points": moving_points, "calendars": calendars,
}  # fmt: skip


def any_of_them(data: bytes) -> None:
    """The decoder that the first byte says: all of them in one process."""
    if data:
        [*DECODERS.values()][data[0] % len(DECODERS)](data[1:])


def _said(message: Message) -> None:
    said = read_message(message)
    if isinstance(said, Locations):
        for fix in said.fixes:
            _storable(fix)


def _storable(fix: Fix) -> None:
    """What is stored of it can be written, and its time is one of PostgreSQL's."""
    assert isfinite(fix.time) and isfinite(fix.lon) and isfinite(fix.lat)
    variant(fix)
    copied([Stored(Device(1, "1", "1", None, "other"), fix)], _NOW)


def _traccar(document: object) -> list[Fix]:
    return traccar_client(document)[1]


def _owntracks(document: object) -> list[Fix]:
    fix = owntracks(document)
    return [] if fix is None else [fix]


def seeds(name: str, folder: Path) -> None:
    """Inputs to begin with: those of the collection of vectors, if it is there, and one by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == _ANY:
        for n, each in enumerate(DECODERS):
            (folder / f"seed-{n}").write_bytes(bytes((n,)) + _BY_HAND[each])
        return
    found = [_BY_HAND[name]]
    if name.startswith("jt808") and (table := VECTORS / "jt808" / "jt808_frames.csv").exists():
        words = table.read_text().replace(",", " ").split()
        frames = [bytes.fromhex(word) for word in words if word.upper().startswith("7E") and len(word) % 2 == 0]
        found += frames if name == "jt808" else [frame[1:3] + b"\0" + frame[13:-2] for frame in frames]
    if name == "nmea":
        found += [path.read_bytes()[:_LONGEST_INPUT] for path in sorted((VECTORS / "nmea_gpsd").glob("*.log"))[:40]]
    if name == "files":
        found += [path.read_bytes()[:_LONGEST_INPUT] for path in sorted((VECTORS / "gpx").glob("*.gpx"))[:20]]
        found += [
            b"lon,lat,time\n114.9,30.4,2026-11-20 10:00:00\n",
            b'{"type":"FeatureCollection","features":[{"type":"Feature",'
            b'"geometry":{"type":"Point","coordinates":[114.9,30.4]},"properties":{"time":"2026-11-20T10:00:00Z"}}]}',
        ]
    for n, data in enumerate(found):
        (folder / f"seed-{n}").write_bytes(data)


_BY_HAND = {
    "jt808": bytes.fromhex(
        "7E02000026123456789012007D02000000010000000200BA7F0E07E4F11C0028003C00001810151010100104000000640202007D01137E"
    ),
    "jt808-bodies": bytes.fromhex("020000000000010000000200BA7F0E07E4F11C0028003C0000181015101010"),
    "jt808-parts": bytes(range(48)),
    "nmea": b"$GNRMC,020304.00,A,3024.1234,N,11454.5678,E,10.0,271.5,221126,,,A*79\r\n",
    "phones": b'{"_type": "location", "lat": 30.4, "lon": 114.9, "tst": 1795140000, "vel": 30}',
    "files": b'<gpx><trk><trkseg><trkpt lat="30.4" lon="114.9"><time>2026-11-20T10:00:00Z</time></trkpt></trkseg></trk></gpx>',
    "moving-points": b'{"type":"Feature","temporalGeometry":{"type":"MovingPoint","datetimes":["2026-11-20T02:00:00Z"],"coordinates":'
    b'[[114.9,30.4,25]]},"temporalProperties":[{"datetimes":["2026-11-20T02:00:00Z"],"speed":{"values":[36],"form":"KMH"}}]}',
    "calendars": b"Mon-Fri 07:00-19:00; Sat 08:00-12:00",
}


def run(name: str, folder: Path, *bounds: str) -> subprocess.CompletedProcess[str]:
    """One decoder in a process of its own; ``bounds`` are libFuzzer's, such as ``-runs=1000``."""
    seeds(name, folder / name)
    command = [sys.executable, "-m", "tests.tracking.fuzz", "--inside", name, str(folder / name), *bounds]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _inside(name: str, arguments: list[str]) -> None:
    folder = Path(arguments[0])
    limits = [f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MEGABYTES}", f"-max_len={_LONGEST_INPUT}",
              f"-artifact_prefix={folder}-found-"]  # fmt: skip
    import atheris

    atheris.Setup([sys.argv[0], *limits, *arguments], any_of_them if name == _ANY else DECODERS[name])
    atheris.Fuzz()


def main() -> int:
    """Fuzz as the command line says; 1 where something broke."""
    if _INSIDE:
        _inside(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decoders", nargs="*", choices=[*DECODERS, []], default=[*DECODERS])
    parser.add_argument("--seconds", type=int, default=120)
    given = parser.parse_args()
    broken = 0
    for name in given.decoders:
        done = run(name, FOLDER, f"-max_total_time={given.seconds}")
        print(f"{name}: {'fine' if done.returncode == 0 else 'BROKEN'}")
        print("\n".join(done.stderr.splitlines()[-1 if done.returncode == 0 else -40 :]))
        broken += done.returncode != 0
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
