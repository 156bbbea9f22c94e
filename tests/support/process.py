"""`renraku serve`, or another command that serves, as a process of its own, its log in a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import database_of
from tests.support.patience import DEADLINE

_READY = re.compile(rb"http://127\.0\.0\.1:(\d+)/(?: \(zone (\w+)\))?")


@dataclass
class ServerProcess:
    """`ports` by zone. `log`: everything that the process wrote to standard error so far."""

    process: asyncio.subprocess.Process
    ports: dict[str, int]
    _log: Path

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")


@contextlib.asynccontextmanager
async def server_process(
    folder: Path,
    scratch: Path,
    zones: tuple[str, ...] = ("internet", "lgwan"),
    command: tuple[str, ...] = ("serve",),
    settings: str = "",
) -> AsyncIterator[ServerProcess]:
    """Serve the data folder `folder` until the end of the block; then an orderly stop. `settings`: more lines of TOML."""
    config = scratch / "renraku.toml"
    listeners = "".join(f'[[listen]]\naddress = "127.0.0.1"\nport = 0\nzone = "{zone}"\n' for zone in zones)
    database = database_of(folder)
    config.write_text(
        f'data = "{folder}"\ndatabase = "{database}"\nzones = {list(zones)}\nlog = "json"\n{settings}{listeners}',
        encoding="utf-8",
    )
    log = scratch / "server.log"
    with log.open("wb") as target:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server", *command,
            env={**os.environ, "RENRAKU_CONFIG": str(config)},
            stdout=asyncio.subprocess.PIPE, stderr=target,
        )  # fmt: skip
        try:
            yield ServerProcess(process, await _ports(process, zones, log), log)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(DEADLINE):
                await process.communicate()


async def _ports(process: asyncio.subprocess.Process, zones: tuple[str, ...], log: Path) -> dict[str, int]:
    assert process.stdout is not None
    ports: dict[str, int] = {}
    async with asyncio.timeout(DEADLINE):
        while len(ports) < len(zones):
            line = await process.stdout.readline()
            assert line, f"the server did not start: see {log}"
            if match := _READY.search(line):
                # The demonstration does not name the zone; it has one.
                ports[match[2].decode() if match[2] else zones[0]] = int(match[1])
    return ports
