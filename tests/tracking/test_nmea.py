"""NMEA 0183: sentences as another library reads them, and receivers at the gateway."""

import asyncio
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pynmea2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from geoserver.database_roles import role_url
from geoserver.identity.devices import make_device_secret
from layers.access import APP_ROLE
from layers.database import Database
from tests.tracking.conftest import add_device
from tests.tracking.gateways import running
from tracking.alarms.conditions import Limits
from tracking.gateway.roster import Secrets
from tracking.gateway.running import Endpoint, Gateway, Options
from tracking.inputs.nmea import Epochs, Gga, Hello, Rmc, read_sentence, write_sentence
from tracking.inputs.values import InputRefused
from tracking.model import Doubt, Fix
from tracking.states import Patience

LOGS = Path(__file__).parents[3] / "shared/data/09_test_vectors/nmea_gpsd"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()


def sentence(body: str) -> bytes:
    return write_sentence(*body.split(","))


RMC = "BDRMC,020304.50,A,3024.1234,N,11454.5678,E,10.0,271.5,221126,,,A"
GGA = "BDGGA,020304.50,3024.1234,N,11454.5678,E,1,09,0.8,31.6,M,-15.0,M,,"


def fixes_of(*lines: bytes, now: float = NOW) -> list[Fix]:
    epochs, found = Epochs(), []
    for line in lines:
        said = read_sentence(line)
        if isinstance(said, Rmc | Gga):
            found += epochs.take(said, now)
    return [*found, *epochs.flush(now)]


def test_sentences_of_one_instant_are_one_fix_in_either_order() -> None:
    both = (sentence(RMC), sentence(GGA))
    (fix,) = fixes_of(*both)
    assert fixes_of(*both[::-1]) == [fix]
    assert fix.time == datetime(2026, 11, 22, 2, 3, 4, 500_000, UTC).timestamp()
    assert (fix.lon, fix.lat) == pytest.approx((114 + 54.5678 / 60, 30 + 24.1234 / 60), abs=1e-12)
    assert (fix.speed, fix.heading, fix.altitude, fix.doubt) == (pytest.approx(18.52), 272, 32, 0)
    assert fix.more == {"satellites": 9.0, "hdop": 0.8}
    (bare,) = fixes_of(both[0])
    assert bare._replace(altitude=32, more=fix.more) == fix


def test_a_receiver_without_rmc_has_its_day_from_the_clock() -> None:
    second = GGA.replace("020304.50", "020305.50")
    midnight = datetime(2026, 11, 23, 0, 0, 5, tzinfo=UTC).timestamp()
    found = fixes_of(sentence(GGA), sentence(second))
    assert [fix.time for fix in found] == [datetime(2026, 11, 22, 2, 3, s, 500_000, UTC).timestamp() for s in (4, 5)]
    late = [GGA.replace("020304.50", f"23595{s}") for s in (8, 9)]
    assert [f.time for f in fixes_of(*map(sentence, late), now=midnight)] == [midnight - 7, midnight - 6]


def test_a_void_fix_is_in_doubt() -> None:
    (fix,) = fixes_of(sentence(RMC.replace(",A,3024", ",V,3024")))
    assert fix.doubt == Doubt.NO_FIX
    assert fixes_of(sentence("GPRMC,020304,V,,,,,,,221126,,,N")) == []


@pytest.mark.parametrize(("line", "reason"), [
    (b"$" + RMC.encode(), "no checksum"),
    (b"$" + RMC.encode() + b"*00", "checksum"),
    (sentence(RMC.replace("3024", "3064")).replace(b"3064", b"3024"), "checksum"),
    (sentence(RMC.replace("3024.1234", "3060.1234")), "no angle"),
    (sentence(RMC.replace("N", "Q")), "hemisphere"),
    (sentence(RMC.replace("221126", "")), "no date"),
    (sentence(RMC.replace("221126", "321126")), "no date"),
    (sentence(RMC.replace("020304.50", "250304")), "no time of day"),
    (sentence(RMC.replace("10.0", "nan")), "no number"),
    (sentence("GPRMC,020304"), "fewer"),
    (sentence("PCTM,1"), "PCTM"),
    ("$GPRMC,é*00".encode(), "ASCII"),
])  # fmt: skip
def test_what_is_no_sentence_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(InputRefused, match=reason):
        read_sentence(line)


def test_a_receiver_says_who_it_is() -> None:
    assert (
        read_sentence(b"$PCTM,phone-1,abc\r\n")
        == read_sentence(sentence("PCTM,phone-1,abc"))
        == Hello("phone-1", "abc")
    )
    assert read_sentence(sentence("GPGSV,1,1,00")) is None
    assert read_sentence(b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C") is None


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_every_sentence_is_read_as_pynmea2_reads_it(path: Path) -> None:
    compared = 0
    for line in path.read_bytes().split(b"\n"):
        if line[:1] != b"$" or line[3:6] not in (b"RMC", b"GGA"):
            continue
        try:
            theirs = pynmea2.parse(line.decode().strip(), check=True)
        except (ValueError, UnicodeDecodeError):  # its ChecksumError is a ValueError
            with pytest.raises(InputRefused):
                read_sentence(line)
            continue
        try:
            ours = read_sentence(line)
        except InputRefused:
            assert not theirs.timestamp or not getattr(theirs, "datestamp", "GGA"), line
            continue
        if ours is None:
            assert theirs.timestamp is None
            continue
        assert isinstance(ours, Rmc | Gga)
        compared += 1
        if ours.lon is None or ours.lat is None:
            assert not theirs.lat and not theirs.lon
        else:
            assert (ours.lon, ours.lat) == pytest.approx((theirs.longitude, theirs.latitude), abs=1e-9)
        if isinstance(ours, Gga):
            assert ours.altitude == (None if theirs.altitude is None else pytest.approx(float(theirs.altitude)))
            assert ours.valid == (int(theirs.gps_qual) > 0)
        else:
            instant = datetime.combine(theirs.datestamp, theirs.timestamp, UTC).timestamp()
            assert ours.time == pytest.approx(instant, abs=1e-5)
            knots = theirs.spd_over_grnd
            assert ours.speed == (None if knots is None else pytest.approx(float(knots) * 1.852))
    if path.stem in ("neo-m8n", "beidou-gb", "garmin38", "bu353s4"):
        assert compared > 5


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for line in (data, b"$GPRMC," + data, sentence(RMC)[:-5] + data):
        try:
            read_sentence(line)
        except InputRefused as error:
            assert len(str(error)) < 200


class Receiver:
    """An NMEA receiver at the gateway."""

    def __init__(self, port: int, *, udp: bool = False) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.socket.settimeout(15)
        self.socket.connect(("127.0.0.1", port))
        self.heard = b""

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def wait_for(self, words: bytes) -> None:
        while words not in self.heard:
            data = self.socket.recv(65536)
            assert data, self.heard
            self.heard += data


@pytest.fixture
def secret(tracking_site: Database) -> str:
    with tracking_site.transaction() as conn:
        if not conn.execute(text("SELECT 1 FROM city.devices WHERE code = 'nmea-1'")).scalar():
            add_device(conn, "nmea-1")
        conn.execute(text("UPDATE access.device_secrets SET revoked = now() WHERE device = 'nmea-1'"))
        made = make_device_secret(conn, "nmea-1", "test")[0]
    return made


def drive(begin: float, count: int) -> list[bytes]:
    at = (datetime.fromtimestamp(begin + n, UTC) for n in range(count))
    return [
        sentence(f"GNRMC,{t:%H%M%S},A,3024.{n:04d},N,11454.5678,E,20.0,0.0,{t:%d%m%y},,,A") for n, t in enumerate(at)
    ]


@pytest.mark.parametrize("udp", [False, True])
def test_what_a_receiver_is_told_of_is_stored(tracking_site: Database, secret: str, udp: bool) -> None:
    begin = time.time() // 1 - (200 if udp else 100)
    lines = drive(begin, 20)
    hello = f"$PCTM,nmea-1,{secret}\r\n".encode()
    with running(tracking_site.url, nmea=True) as gateway:
        with Receiver(gateway.nmea_port, udp=udp) as receiver:
            if udp:
                for n in range(0, 20, 5):
                    receiver.socket.sendall(hello + b"".join(lines[n : n + 5]))
            else:
                whole = hello + b"".join(lines[:10]) + b"$GPRMC,broken*00\r\n" + b"".join(lines[10:])
                for n in range(0, len(whole), 37):  # in pieces that end anywhere
                    receiver.socket.sendall(whole[n : n + 37])
            receiver.wait_for(b"$PCTM,ACK,20*")
        with tracking_site.transaction() as conn:
            query = text("SELECT count(*) FROM tracking.positions WHERE time >= to_timestamp(:t) AND time < to_timestamp(:t) "
                         "+ interval '20 s' AND device = (SELECT id FROM city.devices WHERE code = 'nmea-1')")  # fmt: skip
            assert conn.execute(query, {"t": begin}).scalar() == 20
            bad = conn.execute(text("SELECT data FROM tracking.quarantine WHERE device = 'nmea-1'")).scalars().all()
        assert bool(bad) is not udp or bytes(bad[0]) == b"$GPRMC,broken*00\r"


def test_a_port_that_is_taken_keeps_no_other_port_from_the_next_try(tracking_site: Database) -> None:
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        port = free.getsockname()[1]
        free.close()
        options = Options(port=port, nmea=Endpoint(port=taken.getsockname()[1]))
        secrets = Secrets(lambda _code, _secret: False, None)
        gateway = Gateway(options, role_url(tracking_site.url, APP_ROLE), secrets, Patience(), Limits())

        async def serve() -> None:
            with pytest.raises(OSError, match="address"):
                await gateway.serve(asyncio.Event(), asyncio.Event())

        asyncio.run(serve())
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as again:
                again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                again.bind(("127.0.0.1", port))


def test_strangers_are_told_no_and_nothing_of_theirs_is_kept(tracking_site: Database, secret: str) -> None:
    with running(tracking_site.url, nmea=True) as gateway, tracking_site.transaction() as conn:
        query = text(
            "SELECT count(*) FROM tracking.positions WHERE device = (SELECT id FROM city.devices WHERE code = 'nmea-1')"
        )
        before = conn.execute(query).scalar()
        for hello in (b"", b"$PCTM,nmea-1,wrong\r\n", f"$PCTM,nobody,{secret}\r\n".encode()):
            with Receiver(gateway.nmea_port) as receiver:
                receiver.socket.sendall(hello + b"".join(drive(time.time() // 1 - 50, 5)))
                receiver.wait_for(write_sentence("PCTM", "NAK"))
        assert conn.execute(query).scalar() == before
