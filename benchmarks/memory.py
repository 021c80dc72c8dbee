"""Memory of a worker while it streams the whole city."""

import threading
import time
import urllib.request

from benchmarks.processes import Running


def streaming(server: Running, format_: str) -> tuple[float, float, float, float]:
    """Streams all buildings in a format: MB sent, seconds, largest RSS [MB] before and during."""
    before = server.largest_rss_mb()
    peak, done = before, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, server.largest_rss_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, size = time.monotonic(), 0
    try:
        with urllib.request.urlopen(f"{server.url}/collections/buildings/items?f={format_}", timeout=1800) as answer:
            while chunk := answer.read(1 << 20):
                size += len(chunk)
    finally:
        done.set()
        watcher.join()
    return size / 1e6, time.monotonic() - start, before, peak
