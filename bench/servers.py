"""The three servers that are compared, each on the server's core, ended when the block ends."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.compiled import program
from bench.processes import (
    BUILD,
    LOAD_CORE,
    SERVER_CORE,
    BenchError,
    Server,
    check_disk,
    ended,
    first_line,
    start,
    start_python,
)


@contextlib.contextmanager
def floor() -> Iterator[Server]:
    """The C program that only writes to the sockets."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start([str(program("floor")), str(port)], SERVER_CORE)
    with ended(process):
        _wait_for(port)
        yield Server(port, process, "plain")


@contextlib.contextmanager
def websockets() -> Iterator[Server]:
    """The bare `websockets.broadcast` server."""
    process = start_python("bench.websockets_server", core=SERVER_CORE, stdout=subprocess.PIPE)
    with ended(process):
        yield Server(int(first_line(process, "the websockets server")), process, "plain")


@contextlib.contextmanager
def renraku(folder: Path, *options: str, core: int | None = SERVER_CORE) -> Iterator[Server]:
    """This server on a seeded data folder; its log goes to FOLDER/server.log.

    Raises `BenchError` with the log's last lines if it does not start.
    """
    path = folder / "server.log"
    with path.open("a") as log:
        process = start_python(
            "bench.renraku_server", str(folder), *options, core=core, stdout=subprocess.PIPE, stderr=log
        )
        with ended(process):
            try:
                port = int(first_line(process, "the server"))
            except BenchError as error:
                raise BenchError(f"{error}:\n{path.read_text()[-2000:]}") from None
            yield Server(port, process, "renraku")


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder on a real disk, removed afterwards."""
    BUILD.mkdir(exist_ok=True)
    check_disk(BUILD)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        yield Path(name)


def seeded(folder: Path, scenario: str, count: int, *database: str) -> Path:
    """Fill a new data folder below `folder`; answers its path. Its clients are in clients.txt."""
    data = folder / scenario
    data.mkdir()
    process = start_python("bench.seed", str(data), scenario, str(count), *database, core=LOAD_CORE)
    if process.wait(180):
        raise BenchError(f"seeding {scenario} failed")
    return data


def copied(data: Path, name: str) -> Path:
    """A copy of a data folder that no server has open."""
    return Path(shutil.copytree(data, data.parent / name))


def _wait_for(port: int) -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise BenchError("the floor did not listen")
