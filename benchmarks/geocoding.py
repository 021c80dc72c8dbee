"""Names and addresses among 500 000: our geocoder against pg_trgm on the same names, in the same run.

pg_trgm is asked in both ways that its manual gives: the nearest by distance with a GiST index, and those similar enough with
a GIN index, sorted. It knows no pinyin, no house numbers and no areas; how often each finds what was meant stands beside the
times. CPU is that of the backend and of ours together, which other work on the machine hardly changes.

``python -m benchmarks.geocoding URL`` measures in a database ``citymap_names`` of that server, made once.
"""

import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pypinyin import lazy_pinyin
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.bench import Bench
from geoserver.migrations import migrate
from layers.database import Database, psycopg2_url
from layers.gazetteer.geocoding import geocode
from layers.registry import load_layers

PLACES, ADDRESSES, POIS = 50_000, 250_000, 200_000
#: Questions of each kind for ours, and for pg_trgm, which takes longer.
QUESTIONS, PEER_QUESTIONS = 100, 20
_FIRST = "云青长白玉金凤龙石紫清碧丹文明安兴永和泰福春华东南新古双锦翠望松竹梅桃桂荷兰银红柳杨枫星月朝宁康嘉瑞景仁义德卧灵秀沧澜"
_SECOND = "山湖江河岭桥林塘泉湾洲园阳溪台亭墩坪峰港池沙浦津关坡井冲屏光庄田"
_SURNAMES = "张王李刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭"
_KINDS = (
    *("大药房", "人民医院", "中心小学", "第一中学", "实验幼儿园", "生活超市", "便利店", "牛肉面馆", "火锅店"),
    *("大酒店", "快捷宾馆", "农商银行", "储蓄所", "汽车修理厂", "机械有限公司", "电子科技有限公司", "新材料有限公司"),
    *("社区卫生服务中心", "派出所", "税务局", "图书馆", "体育馆", "健身房", "书店", "花店", "茶楼", "照相馆"),
    *("理发店", "家园", "花园小区", "国际广场", "购物中心", "物流园", "农贸市场", "加油站", "停车场", "公园"),
    *("博物馆", "养老院", "驾校"),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A query, and the title of what it means."""

    query: str
    meant: str


@dataclass(frozen=True)
class Asked:
    """Answers to one kind of question by one engine: times and CPU [ms], and shares of what was meant."""

    times: list[float]
    cpu: list[float]
    first: float
    among_ten: float

    def p(self, percent: int, *, cpu: bool = False) -> float:
        """A percentile [ms]."""
        values = sorted(self.cpu if cpu else self.times)
        return values[min(len(values) * percent // 100, len(values) - 1)]


@dataclass(frozen=True)
class Geocoding:
    """The names, the time [s] to enter them, and by kind of question: ours, pg_trgm's GiST, its GIN."""

    names: int
    texts: int
    loaded: float | None
    kinds: dict[str, tuple[Asked, Asked, Asked]]


def run(database: Database) -> Geocoding:
    """Measure in a database of its own on the same server."""
    url = make_url(database.url).set(database="citymap_names")
    loaded = _make(database.url, url.render_as_string(hide_password=False))
    names = Database(url.render_as_string(hide_password=False), pool_size=1, statement_timeout=600)
    with names.engine.connect() as conn:
        kinds = {kind: list(made) for kind, made in _questions(conn, random.Random(3))}
        count, texts = conn.exec_driver_sql("SELECT (SELECT count(*) FROM peers.names), (SELECT count(*) FROM citymap.name_terms)").one()
        conn.rollback()
    for questions in kinds.values():
        _ours(names, questions[:5])
    measured = {kind: (_ours(names, questions), *_theirs(names, questions[:PEER_QUESTIONS])) for kind, questions in kinds.items()}
    names.close()
    return Geocoding(count, texts, loaded, measured)


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    return section(run(bench.database))


def section(found: Geocoding) -> list[str]:
    """The figures as lines of a page."""
    every = [asked for asked, _, _ in found.kinds.values()]
    times, cpu = sorted(t for a in every for t in a.times), sorted(t for a in every for t in a.cpu)
    entered = f" Entered in {found.loaded:.0f} s with their features." if found.loaded else ""
    lines = [
        "## Names and addresses",
        "",
        f"{found.names} names ({found.texts} different texts) of places, addresses and points of interest; ten answers each.{entered}",
        f"Ours over all {len(times)} questions: p50 {_at(times, 50):.1f} ms, p95 {_at(times, 95):.1f} ms; CPU p50 {_at(cpu, 50):.1f} ms, "
        f"p95 {_at(cpu, 95):.1f} ms (backend and ours; other work on the machine hardly changes it).",
        "pg_trgm on the titles alone: the nearest by GiST, and `%` by GIN, sorted. × are of median CPU; found is how often what was meant",
        "came first / among ten.",
        "",
        "| question | ours p50 | p95 | CPU p95 | found | GiST p50 | × | found | GIN p50 | × | found |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, (ours, gist, gin) in found.kinds.items():
        cells = [f"{ours.p(50):.1f} ms", f"{ours.p(95):.1f} ms", f"{ours.p(95, cpu=True):.1f} ms", _shares(ours)]
        for peer in (gist, gin):
            cells += [f"{peer.p(50):.0f} ms", f"{peer.p(50, cpu=True) / ours.p(50, cpu=True):.1f}", _shares(peer)]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return lines


def _shares(asked: Asked) -> str:
    return f"{asked.first:.0%} / {asked.among_ten:.0%}"


def _at(values: list[float], percent: int) -> float:
    return values[min(len(values) * percent // 100, len(values) - 1)]


def _ours(database: Database, questions: list[Question]) -> Asked:
    """What the process does, as the server's role: a transaction, the layers that may be seen, the answers."""
    with database.transaction() as conn:
        conn.exec_driver_sql("SET LOCAL ROLE citymap_app")
        layers = load_layers(conn)

        def answer(question: Question) -> list[str | None]:
            return [found.name for found in geocode(conn, layers, question.query, 10)]

        return _asked(conn, questions, answer)


def _theirs(database: Database, questions: list[Question]) -> Iterator[Asked]:
    by_distance = text("SELECT name FROM peers.names ORDER BY name <-> :query LIMIT 10")
    by_threshold = text("SELECT name FROM peers.names WHERE name % :query ORDER BY similarity(name, :query) DESC LIMIT 10")
    for statement in (by_distance, by_threshold):
        with database.transaction() as conn:

            def answer(question: Question, conn: Connection = conn, statement: object = statement) -> list[str | None]:
                return [row[0] for row in conn.execute(statement, {"query": question.query})]  # type: ignore[call-overload]

            answer(questions[0])
            yield _asked(conn, questions, answer)


def _asked(conn: Connection, questions: list[Question], answer: Callable[[Question], list[str | None]]) -> Asked:
    backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    times, cpu, first, among = [], [], 0, 0
    for question in questions:
        started, used = time.perf_counter(), _cpu(backend)
        names = answer(question)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((_cpu(backend) - used) * 1000)
        first += names[:1] == [question.meant]
        among += question.meant in names
    return Asked(times, cpu, first / len(questions), among / len(questions))


def _cpu(backend: int) -> float:
    """CPU time [s] of a backend on this machine and of this thread."""
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9 + time.thread_time()


def _questions(conn: Connection, draw: random.Random) -> Iterator[tuple[str, Iterator[Question]]]:
    pois = [row[0] for row in conn.exec_driver_sql("SELECT name FROM city.pois TABLESAMPLE SYSTEM (5) REPEATABLE (1)")]
    places = conn.exec_driver_sql("SELECT name, name_en FROM city.places TABLESAMPLE SYSTEM (20) REPEATABLE (1)").all()
    houses = conn.exec_driver_sql("""
        SELECT a.address, d.name || s.name FROM city.addresses a TABLESAMPLE SYSTEM (2) REPEATABLE (1)
        JOIN city.admin_areas d ON d.level = 'district' AND ST_Intersects(d.geom, a.geom)
        JOIN city.admin_areas s ON s.level = 'street' AND ST_Intersects(s.geom, a.geom)""").all()
    pois, houses, places = (draw.sample(rows, QUESTIONS) for rows in (pois, houses, places))
    yield "name", (Question(name, name) for name in pois)
    yield "beginning of a name", (Question(name[: max(3, len(name) - 3)], name) for name in pois)
    yield "end of a name", (Question(name[2:], name) for name in pois)
    yield "a character wrong, missing, added or exchanged", (Question(_mistaken(name, draw), name) for name in pois)
    yield "pinyin", (Question("".join(lazy_pinyin(name)), name) for name in pois)
    yield "initials", (Question("".join(sound[0] for sound in lazy_pinyin(name)), name) for name in pois)
    yield "house number", (Question(address, address) for address, _ in houses)
    yield "house number behind areas", (Question("云泽市" + areas + address, address) for address, areas in houses)
    yield "English name", (Question(english, name) for name, english in places)
    yield "nothing there is", (Question("".join(draw.sample("乌鲁木齐拉萨呼伦贝尔克孜勒苏柯尔", 5)), "") for _ in range(QUESTIONS))


def _mistaken(name: str, draw: random.Random) -> str:
    at, other = draw.randrange(len(name) - 1), draw.choice("的一是了我不人在他有")
    return draw.choice([name[:at] + other + name[at + 1 :], name[:at] + name[at + 1 :], name[:at] + other + name[at:],
                        name[:at] + name[at + 1] + name[at] + name[at + 2 :]])  # fmt: skip


def _make(owner_url: str, url: str) -> float | None:
    """Make the database and its names; returns the seconds that entering them took, None where they are there."""
    engine = create_engine(psycopg2_url(owner_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        if not conn.exec_driver_sql("SELECT 1 FROM pg_database WHERE datname = 'citymap_names'").scalar():
            conn.exec_driver_sql("CREATE DATABASE citymap_names")
    engine.dispose()
    migrate(url)
    engine = create_engine(psycopg2_url(url))
    try:
        with engine.begin() as conn:
            if conn.exec_driver_sql("SELECT to_regclass('peers.names')").scalar():
                return None
            print(f"making {PLACES + ADDRESSES + POIS} names (once)", file=sys.stderr)
            _areas(conn, draw := random.Random(1))
            started = time.perf_counter()
            _copy(conn, "places", "geom, name, name_en", _places(draw))
            _copy(conn, "addresses", "geom, address, road, number", _addresses(draw))
            _copy(conn, "pois", "geom, name", _pois(draw))
            took = time.perf_counter() - started
            conn.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE SCHEMA peers")
            conn.exec_driver_sql(
                "CREATE TABLE peers.names AS SELECT name FROM city.places UNION ALL SELECT name FROM city.pois "
                "UNION ALL SELECT address FROM city.addresses"
            )
            conn.exec_driver_sql("CREATE INDEX ON peers.names USING gist (name gist_trgm_ops(siglen=64))")
            conn.exec_driver_sql("CREATE INDEX ON peers.names USING gin (name gin_trgm_ops)")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE")
        return took
    finally:
        engine.dispose()


def _copy(conn: Connection, table: str, columns: str, rows: Iterator[str]) -> None:
    with conn.connection.cursor() as cursor:
        cursor.copy_expert(f"COPY city.{table} ({columns}) FROM STDIN", io.StringIO("".join(rows)))  # type: ignore[attr-defined]


def _at_random(draw: random.Random) -> str:
    return f"SRID=4490;POINT({draw.uniform(114.5, 115.3):.6f} {draw.uniform(30.1, 30.7):.6f})"


def _pair(draw: random.Random) -> str:
    return draw.choice(_FIRST) + draw.choice(_SECOND)


def _places(draw: random.Random) -> Iterator[str]:
    for _ in range(PLACES):
        name = draw.choice(("", "上", "下", "大", "小", "新", "老")) + draw.choice((draw.choice(_SURNAMES) + "家", _pair(draw)))
        name += draw.choice(("湾", "塆", "垸", "咀", "墩", "畈", "村", "冲", "岭", "桥", "铺", "店"))
        yield f"{_at_random(draw)}\t{name}\t{''.join(lazy_pinyin(name)).capitalize()} Village\n"


def _addresses(draw: random.Random) -> Iterator[str]:
    roads = [_pair(draw) + draw.choice(("", "东", "西", "南", "北", "中")) + draw.choice(("路", "街", "大道", "巷")) for _ in range(3000)]
    for _ in range(ADDRESSES):
        road, number = draw.choice(roads), draw.randint(1, 400)
        yield f"{_at_random(draw)}\t{road}{number}号{draw.choice(('', '', '', '1栋', '2栋', '3栋'))}\t{road}\t{number}号\n"


def _pois(draw: random.Random) -> Iterator[str]:
    for _ in range(POIS):
        name = draw.choice(("", "", "云泽市")) + _pair(draw) + draw.choice(("", _pair(draw), draw.choice(_SURNAMES) + "记"))
        branch = draw.choice(("", "", "", f"（{_pair(draw)}店）"))
        yield f"{_at_random(draw)}\t{name}{draw.choice(_KINDS)}{branch}\n"


def _areas(conn: Connection, draw: random.Random) -> None:
    """A city of 10 districts in columns, each of 10 streets in rows, each of 5 communities side by side."""
    west, south, width, height = 114.5, 30.1, 0.08, 0.06
    rows = [("云泽市", "4297", "city", (114.5, 30.1, 115.3, 30.7))]
    for i in range(10):
        rows.append((_pair(draw) + "区", f"42970{i}", "district", (west + i * width, south, west + (i + 1) * width, 30.7)))
        for j in range(10):
            low, code = south + j * height, f"42970{i}{j:03d}"
            rows.append((_pair(draw) + "街道", code, "street", (west + i * width, low, west + (i + 1) * width, low + height)))
            for k in range(5):
                left = west + i * width + k * width / 5
                rows.append((_pair(draw) + "社区", f"{code}{k:03d}", "community", (left, low, left + width / 5, low + height)))
    for name, code, level, box in rows:
        conn.execute(
            text("INSERT INTO city.admin_areas (geom, name, code, level) VALUES (ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4490)), :name, :code, :level)"),
            {"name": name, "code": code, "level": level, **dict(zip("wsen", box, strict=True))},
        )


def main() -> None:
    """Measure on the server of the database that is named."""
    database = Database(sys.argv[1], pool_size=1)
    others = os.getloadavg()[0]
    print("\n".join(section(run(database))))
    print(f"\nLoad average before: {others:.1f} on {os.cpu_count()} cores.")
    database.close()


if __name__ == "__main__":
    main()
