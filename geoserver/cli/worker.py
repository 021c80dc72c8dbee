"""``citymap worker``: run jobs. ``citymap up`` starts one by itself."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from geoserver.cli.console import ConfigOption, note
from geoserver.cli.session import load_settings, open_database

#: Seconds before a worker that died is started again, and that a stopping one gets.
_PAUSE = 2.0
_PATIENCE = 20.0

_WithParent = Annotated[bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input closes.")]


def worker(config: ConfigOption = None, with_parent: _WithParent = False) -> None:
    """Run jobs (imports, exports, analyses) until Ctrl-C; several may run, also on other machines."""
    settings = load_settings(config)
    with open_database(settings) as url:
        import asyncio

        from geoserver.audit.sealing import sealing
        from geoserver.guard.logs import configure_logging
        from geoserver.job_queue import Worker
        from geoserver.migrations import migrate

        configure_logging(settings.logging)
        migrate(url)
        if with_parent:
            threading.Thread(target=_stop_with_parent, daemon=True).start()
        note("任务进程已启动 the worker takes jobs")
        with sealing(url, settings.audit.hash):
            asyncio.run(Worker(settings, url).serve())


@contextmanager
def worker_process() -> Iterator[None]:
    """A worker beside this process, started again when it dies, stopped when the block ends.

    It reads the same environment (see :func:`geoserver.config.pass_to_workers`), and also stops when this process is
    killed: then its standard input closes.
    """
    ending = threading.Event()
    keeper = _Keeper(ending)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.stop()


class _Keeper(threading.Thread):
    """Keeps one worker process running."""

    def __init__(self, ending: threading.Event) -> None:
        super().__init__(name="worker-keeper", daemon=True)
        self._ending = ending
        self._process = self._start_worker()

    def run(self) -> None:
        """Wait for the worker's death, and start another."""
        while True:
            code = self._process.wait()
            if self._ending.wait(_PAUSE):
                return
            typer.echo(f"任务进程中断，重新启动 the worker ended with code {code}, starting it again", err=True)
            self._process = self._start_worker()

    def stop(self) -> None:
        """End the worker: it puts its jobs back into the queue."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.join(_PAUSE)

    @staticmethod
    def _start_worker() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "from geoserver.cli import app; app()", "worker", "--with-parent"]
        # A session of its own: Ctrl-C in the terminal reaches this process only, which then stops the worker in order.
        return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _stop_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
