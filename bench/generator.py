"""Running the load generator (`load.c`) against a server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.compiled import program
from bench.processes import LOAD_CORE, BenchError, Server, first_line, start

Result = dict[str, Any]


def _command(server: Server, clients: Path, options: Sequence[str | float]) -> list[str]:
    command = [program("load"), "--port", server.port, "--speak", server.speaks, "--clients", clients, *options]
    if server.second is not None:
        command += ["--second-port", server.second.port]
    return [str(word) for word in command]


def run(server: Server, clients: Path, *options: str | float, timeout: float = 120) -> Result:
    """One measured run; the server has come to rest before and after. Raises `BenchError`."""
    server.settle()
    pids = [word for pid in server.pids for word in ("--pid", pid)]
    process = start(
        _command(server, clients, [*options, *pids]), LOAD_CORE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise BenchError(f"the load did not end within {timeout:.0f} s") from None
    if process.returncode:
        raise BenchError(err.strip() or f"the load ended with status {process.returncode}")
    server.settle()
    result: Result = json.loads(out)
    return result


class Running:
    """A run that lasts as long as the block; then `result` has its figures."""

    def __init__(self, server: Server, clients: Path, *options: str | float) -> None:
        command = _command(server, clients, [*options, "--seconds", 1_000_000])
        self._process = start(command, LOAD_CORE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.result: Result = {}

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        out, err = self._process.communicate(timeout=30)
        if self._process.returncode:
            raise BenchError(err.strip() or f"the load ended with status {self._process.returncode}")
        self.result = json.loads(out)


class Idle:
    """Connections that do nothing, held while the block runs."""

    def __init__(self, server: Server, clients: Path) -> None:
        self._process = start(
            _command(server, clients, ["--idle"]), LOAD_CORE, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.count = 0

    def __enter__(self) -> Idle:
        self.count = json.loads(first_line(self._process, "the load"))["ready"]
        return self

    def __exit__(self, *_: object) -> None:
        """End of input tells it to go; a connection that the server cut meanwhile is an error."""
        self._process.communicate()
        if self._process.returncode:
            raise BenchError("a connection that did nothing was not left alone")


def plain_clients(folder: Path, members: int) -> Path:
    """For the floor and for websockets: nobody signs in there."""
    path = folder / "plain.txt"
    path.write_text("- 0\n" * members)
    return path
