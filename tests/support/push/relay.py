"""`renraku push-relay` as a process of its own, in front of the fakes of a town."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from mobile_api.relay import keys
from tests.support.patience import DEADLINE
from tests.support.ports import free_port
from tests.support.push.town import Town

_READY = re.compile(rb"ready: 127\.0\.0\.1:(\d+) ")


@dataclass
class RelayProcess:
    """`closed`: the folder for the server's end."""

    process: asyncio.subprocess.Process
    port: int
    closed: Path
    data: Path
    _log: Path

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    async def kill(self) -> None:
        """At once, as the kernel does it."""
        self.process.kill()
        await self.process.wait()

    async def logged(self, event: str, times: int = 1) -> None:
        """Until the log has it so often."""
        async with asyncio.timeout(DEADLINE):
            while self.log.count(f'"{event}"') < times:  # noqa: ASYNC110 - a process's file tells nobody
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def relay_process(folder: Path, town: Town, port: int = 0) -> AsyncIterator[RelayProcess]:
    """On `folder`: keys, settings and queue; a second one goes on where a killed one was."""
    config, log = _prepared(folder, town, port or free_port())
    with log.open("ab") as target:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server", "push-relay", "--config", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=target,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE):
                line = await process.stdout.readline()
            match = _READY.search(line)
            assert match, (line, log.read_text(encoding="utf-8"))
            yield RelayProcess(process, int(match[1]), folder / keys.CLOSED, folder / "data", log)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(DEADLINE):
                await process.communicate()


def _prepared(folder: Path, town: Town, port: int) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    if not (folder / keys.RELAY).exists():
        keys.make(folder)
    config, log = folder / "relay.toml", folder / "relay.log"
    config.write_text(
        f'address = "127.0.0.1"\nport = {port}\ndata = "{folder / "data"}"\nkeys = "{folder / keys.RELAY}"\n{town.settings}',
        encoding="utf-8",
    )
    return config, log
