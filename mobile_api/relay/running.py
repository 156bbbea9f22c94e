"""The relay as a process: its settings, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from mobile_api.providers.choosing import WrongSetting, direct
from mobile_api.providers.port import Parcel
from mobile_api.relay.keys import NoKeys
from mobile_api.relay.queue import Busy, Queue
from mobile_api.relay.serving import Relay
from mobile_api.relay.settings import RelaySettings


class CannotRun(Exception):
    """The text says what to do."""


def run(settings: RelaySettings, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Raises `CannotRun`."""
    asyncio.run(_run(settings, ready))


async def _run(settings: RelaySettings, ready: Callable[[str], None]) -> None:
    signers: list[Relay] = []

    def sign(parcel: Parcel, origin: str) -> str:
        return signers[0].sign(parcel, origin)

    try:
        providers = direct(settings, sign)
        queue = Queue(Path(settings.data))
    except (WrongSetting, Busy) as error:
        raise CannotRun(str(error)) from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    port: asyncio.Future[int] = loop.create_future()

    def say(found: asyncio.Future[int]) -> None:
        if not found.cancelled():
            ready(f"The push relay is ready: {settings.address}:{found.result()} ({', '.join(providers)})")

    port.add_done_callback(say)
    try:
        relay = Relay(Path(settings.keys), queue, providers)
        signers.append(relay)
        await relay.run(settings.address, settings.port, port, stop)
    except NoKeys as error:
        raise CannotRun(str(error)) from None
    except sqlite3.Error as error:
        raise CannotRun(
            f"The queue in {settings.data} cannot be written ({error}). Make room on the disk, and start the relay again; "
            "the server hands over once more what was not answered."
        ) from None
    except OSError as error:
        raise CannotRun(f"Cannot listen on {settings.address}:{settings.port} ({error.strerror}).") from None
    finally:
        port.cancel()
        for provider in providers.values():
            await provider.close()
        with contextlib.suppress(sqlite3.Error):
            queue.close()
