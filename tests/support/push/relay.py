"""`renraku push-relay` in front of the fakes of a town, as a process of its own or within the test's, and the server's end."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chat_server.config import Settings
from mobile_api.providers.choosing import direct
from mobile_api.providers.port import Parcel, Platform, Provider
from mobile_api.relay import keys
from mobile_api.relay.opening import open_providers
from mobile_api.relay.queue import Queue
from mobile_api.relay.serving import Relay
from mobile_api.relay.settings import RelaySettings
from tests.support.patience import DEADLINE
from tests.support.ports import free_port
from tests.support.push.town import CONTACT, Town

SECRET = bytes(31) + b"\x07"
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


@contextlib.asynccontextmanager
async def relay_here(
    folder: Path, town: Town, providers: Mapping[Platform, Provider] | None = None
) -> AsyncIterator[tuple[int, Relay]]:
    """In this process, behind a real line: where a test sets bounds, or brings `providers` of its own. Its port, and itself."""
    config, _ = _prepared(folder, town, 0)
    settings = msgspec.convert(tomllib.loads(config.read_text(encoding="utf-8")), RelaySettings)

    def sign(parcel: Parcel, origin: str) -> str:
        return relay.sign(parcel, origin)

    own = direct(settings, sign)
    queue = Queue(Path(settings.data))
    relay = Relay(Path(settings.keys), queue, own if providers is None else providers)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    running = asyncio.create_task(relay.run(settings.address, 0, port, stop))
    try:
        yield await port, relay
    finally:
        stop.set()
        await running
        for provider in own.values():
            await provider.close()
        queue.close()


@contextlib.asynccontextmanager
async def closed_side(
    found: Town, folder: Path, port: int, host: str = "127.0.0.1", **differs: object
) -> AsyncIterator[dict[Platform, Provider]]:
    """The server's providers: it has no key of a provider, and no trust in the fakes. `folder`: the keys “closed”."""
    values = {
        "push": "relay", "push_relay": f"{host}:{port}", "push_relay_keys": str(folder), "push_contact": CONTACT,
        "push_web_hosts": found.values["push_web_hosts"], "push_unified_hosts": found.values["push_unified_hosts"],
        "push_private_hosts": [], **differs,
    }  # fmt: skip
    providers = open_providers(msgspec.convert(values, Settings), SECRET)
    try:
        yield providers
    finally:
        for provider in providers.values():
            await provider.close()
