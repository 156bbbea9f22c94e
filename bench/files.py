"""Large files: how near an upload comes to writing and hashing the same bytes, and what it costs in memory."""

from __future__ import annotations

import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import servers
from bench.plan import Plan
from bench.processes import BenchError, Server, start_python
from bench.report import Figure, figure, spread

GB: Final = 1 << 30
LARGE: Final = 2 * GB
AT_ONCE: Final = 4
_LOOK: Final = 0.05
"""Seconds between two looks at the server's memory."""


def _tokens(data: Path, count: int) -> Path:
    """A file with the access tokens of `count` people."""
    path = data / "tokens.txt"
    lines = (data / "clients.txt").read_text().splitlines()[:count]
    path.write_text("".join(line.split()[0] + "\n" for line in lines))
    return path


def _seconds(module: str, *arguments: str) -> float:
    """What a module of ours prints; it may use every core, as a server and its clients do."""
    process = start_python(module, *arguments, core=None, stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=600)
    if process.returncode:
        raise BenchError(f"{module} failed")
    return float(out)


def run(plan: Plan) -> list[Figure]:
    """`files.upload_disk_ratio`"""
    ours, bare = [], []
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "senders", 1)
        tokens = _tokens(data, 1)
        with servers.renraku(data, core=None) as server:
            for _ in range(plan.rounds):
                ours.append(GB / _seconds("bench.uploading", str(server.port), str(tokens), str(GB)) / 1e6)
                bare.append(GB / _seconds("bench.raw_write", str(data), str(GB)) / 1e6)
                server.settle()
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    how = (
        f"1 GB in one tus PATCH over loopback until the answer that it is kept: {spread(ours, 0)} MB/s; the same number"
        f" of bytes written, hashed (SHA-256) and fdatasynced by one loop of Python {spread(bare, 0)} MB/s;"
        f" {plan.rounds} alternating rounds, both free to use every core."
    )
    return [figure("files.upload_disk_ratio", ratio, "×", how)]


def run_large(plan: Plan) -> list[Figure]:
    """`files.memory_mb`"""
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "senders", AT_ONCE)
        tokens = _tokens(data, AT_ONCE)
        with servers.renraku(data, core=None) as server:
            # Threads and buffers that any upload brings along are there before the counting begins.
            _seconds("bench.uploading", str(server.port), str(tokens), str(1 << 26))
            server.settle()
            before = server.rss_kb()
            with _watched(server) as seen:
                took = _seconds("bench.uploading", str(server.port), str(tokens), str(LARGE))
    grown = (max(seen) - before) / 1024
    how = (
        f"Growth of the server's resident memory while {AT_ONCE} people upload 2 GB each at once ({took:.0f} s), at its"
        f" highest of {len(seen)} looks; at rest {before / 1024:.0f} MB after four uploads of 64 MB."
    )
    return [figure("files.memory_mb", grown, "MB", how)]


@contextmanager
def _watched(server: Server) -> Iterator[list[float]]:
    """The server's memory (KB), looked at until the block ends."""
    seen = [server.rss_kb()]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK):
            seen.append(server.rss_kb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
