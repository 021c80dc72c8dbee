"""Frames and bodies of JT/T 808: the vectors, the quirks of terminals in the field, and whatever bytes come."""

import csv
import struct
import tracemalloc
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.jt808.errors import BodyRefused, FrameRefused
from tracking.jt808.frames import LONGEST, Message, Splitter, checksum, cut, escape, read_frame, unescape, write_frame
from tracking.jt808.location import read_location
from tracking.jt808.parameters import write_parameters
from tracking.jt808.subpackages import MOST, MOST_BYTES, PATIENCE, Merger
from tracking.jt808.uplink import Authentication, Locations, Registration, Unknown, read_message
from tracking.model import Doubt

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "09_test_vectors" / "jt808" / "jt808_frames.csv"
#: The checked frame of the domain notes.
CHECKED = (
    "7E02000026123456789012007D02000000010000000200BA7F0E07E4F11C0028003C00001810151010100104000000640202007D01137E"
)


def frame_of(data: str) -> bytes:
    (frame,) = Splitter().feed(bytes.fromhex(data))
    return frame


def body_of(lat: int = 30_000_000, lon: int = 114_000_000, status: int = 2, time: str = "261122101112") -> bytes:
    return struct.pack(">IIIIHHH", 0, status, lat, lon, 40, 605, 90) + bytes.fromhex(time)


def test_the_checked_frame_is_read_to_the_values_in_it() -> None:
    message = read_frame(frame_of(CHECKED))
    assert (message.id, message.device, message.serial) == (0x0200, "123456789012", 0x007E)
    (fix,) = read_message(message).fixes
    assert datetime.fromtimestamp(fix.time, UTC) == datetime(2018, 10, 15, 2, 10, 10, tzinfo=UTC)  # GMT+8
    assert (fix.lat, fix.lon, fix.altitude, fix.speed, fix.heading) == (12.222222, 132.444444, 40, 6.0, 0)
    assert (fix.alarms, fix.status, fix.mileage, fix.more, fix.doubt) == (1, 2, 10.0, {"fuel": 12.5}, 0)


@pytest.mark.skipif(not VECTORS.exists(), reason="the JT/T 808 vectors are not beside the repository")
def test_of_the_vectors_those_with_a_wrong_checksum_are_refused_and_no_other() -> None:
    refused, taken = [], []
    with VECTORS.open() as file:
        for row in csv.DictReader(file):
            try:
                message = read_frame(frame_of(row["frame_hex"]))
            except FrameRefused:
                refused.append(row)
                continue
            assert f"{message.id:04X}" == row["msg_id"]
            read_message(message)  # none of them has a body that is none
            taken.append(row)
    assert (len(refused), len(taken)) == (17, 100)
    assert {row["checksum_ok"] for row in refused} == {"False"} and {row["checksum_ok"] for row in taken} == {"True"}


@pytest.mark.skipif(not VECTORS.exists(), reason="the JT/T 808 vectors are not beside the repository")
def test_the_parameters_of_the_vectors_are_read_by_their_ids_and_written_back_as_they_came() -> None:
    """One counts more than it has, one's last text is cut short."""
    told = []
    with VECTORS.open() as file:
        for row in csv.DictReader(file):
            if row["msg_id"] == "0104" and row["checksum_ok"] == "True":
                message = read_frame(frame_of(row["frame_hex"]))
                told += [(message.body, read_message(message).told)] if message.parts == 1 else []
    assert [len(values) for _, values in told] == [1, 2, 2, 1, 7, 35, 36, 35]
    for body, values in told[:3:2]:
        assert write_parameters({int(key): value for key, value in values.items()}) == body[2:]
    assert told[1][1]["rest"].endswith("636f6d")
    largest = told[5][1]
    assert (largest["1"], largest["19"], largest["24"], largest["61440"]) == (
        120,
        "device.gps51.com",
        808,
        "1757729687,28800",
    )


def test_one_changed_bit_of_a_frame_is_always_noticed() -> None:
    whole = bytes.fromhex(CHECKED)
    for at in range(1, len(whole) - 1):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            for frame in Splitter().feed(bytes(changed)):
                with pytest.raises(FrameRefused):
                    read_frame(frame)


def test_frames_are_cut_out_however_the_packets_fall() -> None:
    one, two = bytes.fromhex(CHECKED), write_frame(Message(2, "13912345678", 7, b""))
    for stream, frames in ((one + two, 2), (one + two[1:], 2), (b"noise" + one + two + one, 3)):  # two[1:]: shared mark
        expected = Splitter().feed(stream)
        assert len(expected) == frames
        for size in (1, 3, 50):
            splitter = Splitter()
            found = [f for at in range(0, len(stream), size) for f in splitter.feed(stream[at : at + size])]
            assert found == expected


def test_a_stream_without_marks_is_dropped_and_not_kept() -> None:
    splitter = Splitter()
    splitter.feed(b"\x7e")
    for _ in range(1000):
        assert splitter.feed(b"\x00" * 1000) == []
    assert splitter.dropped > 900_000
    assert len(splitter._rest) <= LONGEST
    assert splitter.feed(bytes.fromhex(CHECKED)) != []


def test_a_header_of_2013_with_the_version_bit_and_one_of_2019_without_are_both_read() -> None:
    short = read_frame(frame_of("7E0102400C01003000068109024A3130303330303030363831857E"))
    assert (short.layout, short.device) == (2013, "10030000681")
    assert read_message(short) == Authentication("J10030000681")
    long = read_frame(frame_of("7E81040000010000000001341990550700016B7E"))
    assert (long.layout, long.device, long.body) == (2019, "13419905507", b"")


def test_a_terminal_number_that_is_no_bcd_is_its_hexadecimal() -> None:
    message = Message(2, "a1b2c3d4e5f6", 1, b"")
    assert read_frame(write_frame(message)[1:-1]).device == "a1b2c3d4e5f6"


def test_a_body_shorter_than_the_header_says_is_refused_and_padding_is_cut_off() -> None:
    head = bytes.fromhex("0002000A0139123456780001")
    data = head + b"\x01" * 9
    with pytest.raises(FrameRefused, match="body of 10 bytes, 9 came"):
        read_frame(escape(data + bytes((checksum(data),))))
    data = head + b"\x01" * 12
    assert read_frame(escape(data + bytes((checksum(data),)))).body == b"\x01" * 10
    data = head + b"\x01" * 14
    with pytest.raises(FrameRefused):
        read_frame(escape(data + bytes((checksum(data),))))


@pytest.mark.parametrize(("lat", "status", "degrees"), [
    (30_000_000, 2, 30.0), (30_000_000, 6, -30.0), (0x1_0000_0000 - 30_000_000, 2, -30.0), (0x8000_0000 | 30_000_000, 2, -30.0),
    (0x8000_0000 | 30_000_000, 6, -30.0),
])  # fmt: skip
def test_latitudes_have_their_sign_in_the_status_or_in_themselves(lat: int, status: int, degrees: float) -> None:
    assert read_location(body_of(lat=lat, status=status)).lat == degrees


def test_reports_without_a_place_are_kept_in_doubt() -> None:
    assert read_location(body_of(lat=0, lon=0)).doubt == Doubt.NO_PLACE
    assert read_location(body_of(status=0)).doubt == Doubt.NO_FIX
    assert read_location(body_of(lat=91_000_000)).doubt == Doubt.NO_PLACE
    assert read_location(body_of(), late=True).doubt == Doubt.LATE


def test_an_item_that_is_longer_than_its_number_is_kept_as_it_came() -> None:
    analog, mileage = b"\x2b\x09" + b"\xff" * 9, b"\x01\xff" + b"\xff" * 255
    fix = read_location(body_of() + analog + mileage + b"\x31\x01\x07")
    assert fix.mileage is None
    assert fix.more == {"x2b": "ff" * 9, "x01": "ff" * 255, "satellites": 7}


@pytest.mark.parametrize("time", ["261322101112", "261122246112", "2611221011aa"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(BodyRefused):
        read_location(body_of(time=time))


def test_a_batch_keeps_its_good_fixes_when_one_is_none() -> None:
    items = [body_of(), body_of(time="261322101112"), body_of(time="261122101113")]
    body = struct.pack(">HB", 3, 1) + b"".join(struct.pack(">H", len(i)) + i for i in items)
    said = read_message(Message(0x0704, "1", 1, body))
    assert isinstance(said, Locations)
    assert len(said.fixes) == 2 and said.refused == (items[1],) and {f.doubt for f in said.fixes} == {Doubt.LATE}
    with pytest.raises(BodyRefused, match="fix 3 of 3 is cut short"):
        read_message(Message(0x0704, "1", 1, body[:-1]))


def test_registrations_of_three_versions_are_read() -> None:
    plate = "鄂A12345".encode("gb18030")
    for layout, widths in ((2013, (5, 8, 7)), (2013, (5, 20, 7)), (2019, (11, 30, 30))):
        parts = [b"MK".ljust(widths[0], b"\0"), b"MODEL".ljust(widths[1], b"\0"), b"T1".ljust(widths[2], b"\0")]
        body = struct.pack(">HH", 42, 704) + b"".join(parts) + b"\x02" + plate
        said = read_message(Message(0x0100, "1", 1, body, layout))
        assert said == Registration(42, 704, "MK", "MODEL", "T1", 2, "鄂A12345")


def test_an_unknown_message_is_told_apart() -> None:
    assert read_message(Message(0x0B00, "1", 1, b"")) == Unknown()


def test_parts_in_any_order_and_twice_make_one_message() -> None:
    whole = Message(0x0704, "139", 0xFFFE, bytes(range(256)) * 10)
    parts = cut(whole, 1000)
    assert [p.serial for p in parts] == [0xFFFE, 0xFFFF, 0]
    read = [read_frame(write_frame(p)[1:-1]) for p in (parts[2], parts[0], parts[2], parts[1])]
    merger = Merger()
    assert [merger.merge(p, 0.0) for p in read[:3]] == [None, None, None]
    assert merger.missing(read[0]) == (2,)
    assert merger.merge(read[3], 0.0) == whole


def test_parts_that_never_become_whole_are_given_up() -> None:
    merger = Merger()
    for n in range(200):
        merger.merge(Message(0x0704, "1", n * 10, b"x" * 1000, parts=5, part=1), 0.0)
    assert len(merger._begun) <= MOST and merger._size <= MOST_BYTES and merger.lost == 200 - MOST
    merger.tidy(PATIENCE)
    assert (merger._begun, merger._size) == ({}, 0)
    for part in range(1, 3000):  # one message larger than all may be
        merger.merge(Message(0x0801, "1", part, b"x" * 1023, parts=1999, part=min(part, 1998)), 0.0)
    assert merger._size <= MOST_BYTES


@given(st.binary(max_size=300))
def test_the_checksum_is_the_xor_of_all_bytes(data: bytes) -> None:
    assert checksum(data) == reduce(xor, data, 0)


@given(st.binary(max_size=300))
def test_what_is_escaped_holds_no_mark_and_comes_back(data: bytes) -> None:
    assert b"\x7e" not in escape(data)
    assert unescape(escape(data)) == data


_messages = st.tuples(
    st.integers(0, 0xFFFF), st.from_regex(r"[1-9][0-9]{0,11}", fullmatch=True), st.integers(0, 0xFFFF),
    st.binary(max_size=1023), st.sampled_from((2013, 2019)),
).map(lambda values: Message(*values))  # fmt: skip


@given(_messages)
def test_what_is_written_is_read_back(message: Message) -> None:
    (frame,) = Splitter().feed(write_frame(message))
    assert read_frame(frame)._replace(version=0) == message


@given(st.integers(0, 0x0FFF) | st.sampled_from((1, 2, 3, 0x100, 0x102, 0x104, 0x107, 0x200, 0x201, 0x704, 0x800)),
       st.binary(max_size=1500), st.sampled_from((2013, 2019)), st.integers(0, 7))  # fmt: skip
@settings(max_examples=300)
def test_no_body_breaks_the_reader(kind: int, body: bytes, layout: int, encryption: int) -> None:
    try:
        read_message(Message(kind, "1", 1, body, layout, encryption=encryption))
    except BodyRefused as error:
        assert len(str(error)) < 200


@given(st.lists(st.binary(max_size=400) | st.just(bytes.fromhex(CHECKED)), max_size=20))
@settings(max_examples=150)
def test_no_stream_breaks_the_splitter_and_the_merger(packets: list[bytes]) -> None:
    splitter, merger = Splitter(), Merger()
    for n, packet in enumerate(packets):
        for frame in splitter.feed(packet):
            try:
                merger.merge(read_frame(frame), float(n))
            except FrameRefused as error:
                assert len(str(error)) < 200
        assert len(splitter._rest) <= LONGEST


def test_hours_of_hostile_bytes_take_no_more_memory_than_the_first() -> None:
    splitter, merger = Splitter(), Merger()
    part = write_frame(Message(0x0704, "1", 1, b"x" * 1000, parts=1900, part=1))[:-1]

    def attack(rounds: int) -> None:
        for n in range(rounds):
            frame = bytearray(part[1:])
            for got in splitter.feed(b"\x7e" + bytes(frame) + b"\x7e" + b"\x00" * 3000):
                try:
                    message = read_frame(got)
                except FrameRefused:
                    continue
                merger.merge(message._replace(serial=(n * 7) & 0xFFFF), 0.0)

    attack(200)
    tracemalloc.start()
    attack(1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * MOST_BYTES
