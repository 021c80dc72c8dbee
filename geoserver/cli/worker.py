"""``citymap worker``: run jobs. ``citymap up`` starts one by itself."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated

import typer

from geoserver.cli.console import ConfigOption, note
from geoserver.cli.session import load_settings, open_database

#: Seconds before a worker that died is started again, and that a stopping one gets.
_PAUSE = 2.0
_PATIENCE = 20.0

WithParent = Annotated[bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input closes.")]


def worker(config: ConfigOption = None, with_parent: WithParent = False) -> None:
    """Run jobs (imports, exports, analyses) until Ctrl-C; several may run, also on other machines."""
    settings = load_settings(config)
    with open_database(settings) as url:
        import asyncio

        from geoserver.audit.sealing import sealing
        from geoserver.guard.logs import configure_logging
        from geoserver.job_queue import Worker
        from geoserver.migrations import migrate
        from geoserver.tracking_gateway import policy
        from tracking.upkeep import upkeep

        configure_logging(settings.logging)
        migrate(url)
        if with_parent:
            threading.Thread(target=stop_with_parent, daemon=True).start()
        note("任务进程已启动 the worker takes jobs")
        with sealing(url, settings.audit.hash), upkeep(url, policy(settings.tracking)):
            asyncio.run(Worker(settings, url).serve())


def worker_process() -> AbstractContextManager[None]:
    """A worker beside this process."""
    return kept_process("worker", "任务进程 the worker")


@contextmanager
def kept_process(command: str, name: str) -> Iterator[None]:
    """``citymap COMMAND`` beside this process, started again when it dies, stopped when the block ends.

    It reads the same environment (see :func:`geoserver.config.pass_to_workers`), and also stops when this process is
    killed: then its standard input closes.
    """
    ending = threading.Event()
    keeper = _Keeper(ending, command, name)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.stop()


class _Keeper(threading.Thread):
    """Keeps one process running; ``name`` is what people call it."""

    def __init__(self, ending: threading.Event, command: str, name: str) -> None:
        super().__init__(name=f"{command}-keeper", daemon=True)
        self._ending = ending
        self._command = command
        self._name = name
        self._process = self._start()

    def run(self) -> None:
        """Wait for the process's death, and start another."""
        while True:
            code = self._process.wait()
            if self._ending.wait(_PAUSE):
                return
            typer.echo(f"{self._name} ended with code {code}, starting it again", err=True)
            self._process = self._start()

    def stop(self) -> None:
        """End the process in order: a worker puts its jobs back into the queue, a gateway stores what it has read."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.join(_PAUSE)

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "from geoserver.cli import app; app()", self._command, "--with-parent"]
        # A session of its own: Ctrl-C in the terminal reaches this process only, which then stops the other in order.
        return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def stop_with_parent() -> None:
    """Ask this process to end when its standard input closes."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
