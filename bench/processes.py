"""Processes on a core of their own: starting, ending, CPU time and memory from /proc."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "bench" / "build"
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
FILES: Final = 16_000
"""Open files that 2,000 connections at both ends need, with room to spare."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE_KB: Final = os.sysconf("SC_PAGE_SIZE") / 1024


class BenchError(Exception):
    """The benchmark cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test. `port` on 127.0.0.1; `speaks`: renraku, or plain WebSocket messages; `second`: its other
    node, to which every other client goes."""

    port: int
    process: subprocess.Popen[str]
    speaks: str
    second: Server | None = None

    @property
    def pids(self) -> list[int]:
        """The process and all its descendants: photo decoders count too."""
        other = [] if self.second is None else self.second.pids
        return [self.process.pid, *descendants(self.process.pid), *other]

    def cpu(self) -> float:
        """Seconds so far, user and system, all threads."""
        return sum(cpu_of(pid) for pid in self.pids)

    def settle(self, deadline: float = 20.0) -> None:
        """Wait until it has nothing left to do, so that one run does not pay for the one before."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            before = self.cpu()
            time.sleep(0.2)
            if self.cpu() - before <= 0.02:
                return
        raise BenchError("a server did not come to rest")

    def rss_kb(self) -> float:
        """Resident memory of the server process itself."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE_KB


def cpu_of(pid: int) -> float:
    """proc(5), stat: fields 14 and 15; the name in field 2 may hold blanks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def descendants(pid: int) -> list[int]:
    """Of the process, of all its threads."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def raise_file_limit() -> None:
    """For this process and everything that it starts. Raises `BenchError`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        raise BenchError(f"the limit of open files is {hard}; {FILES} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


def check_cores() -> None:
    """Raises `BenchError` unless both cores may be used."""
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise BenchError("two cores are needed: one for the server, one for the load")


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run on `core` alone; what is started meanwhile stays there, with all its threads. None: wherever it may."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start(command: Sequence[str], core: int | None, **options: Any) -> subprocess.Popen[str]:
    """A child on `core` (None: any), in the repository's folder."""
    with on_core(core):
        return subprocess.Popen(command, cwd=ROOT, text=True, **options)


def start_python(module: str, *arguments: str, core: int | None, **options: Any) -> subprocess.Popen[str]:
    """A module of this benchmark, by the interpreter that runs it."""
    return start([sys.executable, "-m", module, *arguments], core, **options)


def first_line(process: subprocess.Popen[str], what: str) -> str:
    """What a child prints once it is ready. Raises `BenchError` if it ends instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError(f"{what} ended with status {process.wait()} before it was ready")
    return line.strip()


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End it when the block does."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def check_disk(folder: Path) -> None:
    """Raises `BenchError` if `folder` is in memory: a commit costs nothing there."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    inside = [(len(mount[1]), mount[2]) for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    if max(inside)[1] in {"tmpfs", "ramfs"}:
        raise BenchError(f"{folder} is in memory; the benchmark needs a real disk")
