"""Processes of the tests, and a real worker process that knows them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection, text

from geoserver.process_adapter import PROCESSES, find_processes
from layers.catalogue import Text
from layers.processing import CityCrs, FileResult, Job, Workspace, process
from tests.conftest import ROOT


@dataclass(frozen=True)
class Sum:
    total: float
    unit: str
    parts: tuple[float, ...]


@process(keywords=("测试 test",), example={"numbers": [1, 2]})
def add_up(
    city: CityCrs, numbers: Annotated[tuple[float, ...], Field(max_length=5)], unit: Literal["m", "km"] = "m"
) -> Sum:
    """求和 | Add up

    数之和。 | The sum of numbers.

    numbers: 数；最多五个 | Numbers; five at most
    unit: 单位 | Unit
    returns: 和 | The sum
    """
    assert city.projected == 4547
    return Sum(sum(numbers), unit, numbers)


@process()
def break_down() -> int:
    """出错 | Break down

    意外出错。 | Fails unexpectedly.

    returns: 无 | Nothing
    """
    raise RuntimeError("password=secret at /srv/citymap")


@process(edits=True)
def plant(conn: Connection, job: Job, name: str, until: str) -> int:
    """种树 | Plant

    插入一棵树，等到文件出现为止。 | Inserts a tree, and waits until a file appears.

    name: 名称 | Name
    until: 文件 | The file
    returns: 编号 | Its id
    """
    new: int = conn.execute(
        text("INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :n) RETURNING id"),
        {"n": name},
    ).scalar_one()
    for step in range(3000):
        job.progress(step / 30, Text(f"第 {step} 步", f"step {step}"))
        if Path(until).exists():
            break
        time.sleep(0.02)
    return new


@process()
def sleep_in_database(conn: Connection, seconds: float) -> str:
    """睡 | Sleep

    在数据库中等待。 | Waits in the database.

    seconds: 秒 | Seconds
    returns: 无 | Nothing
    """
    conn.execute(text("SELECT pg_sleep(:s)"), {"s": seconds})
    return "slept"


@process(sync=False)
def write_note(workspace: Workspace, words: str) -> FileResult:
    """写 | Write

    写一个文件。 | Writes a file.

    words: 字 | Words
    returns: 文件 | The file
    """
    path = workspace / "note"
    path.write_text(words, "utf-8")
    return FileResult(path, "text/plain; charset=utf-8", "便条.txt")


def install() -> None:
    """Let this process know the processes above."""
    PROCESSES.update(find_processes([sys.modules[__name__]]))  # type: ignore[attr-defined]


def permit(conn: Connection, role: str) -> None:
    """Let a role execute the processes above that edit."""
    conn.execute(
        text("INSERT INTO access.permissions (role, kind, resource, action) VALUES (:role, 'process', 'plant', 'execute')"),
        {"role": role},
    )


@contextmanager
def working(database_url: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A real ``citymap worker`` on that database."""
    code = "from tests.geoserver import workshop; workshop.install(); from geoserver.cli import app; app()"
    environ = os.environ | {"DATABASE_URL": database_url} | {f"CITYMAP__{k}": v for k, v in settings.items()}
    worker = subprocess.Popen([sys.executable, "-c", code, "worker"], env=environ, cwd=ROOT)
    try:
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            raise


def eventually(found: Any, seconds: float = 60, every: float = 0.1) -> Any:
    """The first true answer of ``found()``."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, f"nothing happened for {seconds} s"
        time.sleep(every)
    return answer
