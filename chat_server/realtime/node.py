"""What a process does once a second where others serve the same database: compare, listen for their hearts, beat.

The database is the truth of who lives and of how far each stream goes, so nothing here needs the bus: it only makes
things quicker.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from chat_server.ports import Bus, Reader, Storage
from chat_server.realtime.dispatch import Dispatcher
from chat_server.realtime.following import Following
from chat_server.realtime.neighbours import Neighbours
from chat_server.services import keys as keyring
from chat_server.services import nodes
from chat_server.services.keys import Keys
from chat_server.services.nodes import Self

EVERY: Final = 0.8
"""Seconds between two comparisons: with the reading that follows, a lost hint is made good within about one."""
BEAT: Final = 2.0
"""Seconds between two heartbeats."""
LAPSE: Final = 7.0
"""Seconds without a heartbeat after which a node counts as gone: its people are offline then."""
LISTENED: Final = BEAT + 2 * EVERY
"""Seconds in which a heart that beats is heard."""
PATIENCE: Final = 5.0
"""Seconds that one look at the database may take."""
log = structlog.get_logger("renraku.node")


class Pulse:
    """Whose heart beats, by this process's own clock: no other machine's time is believed."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._seen: dict[str, tuple[int, float]] = {}

    def take(self, pulses: dict[str, int], now: float) -> set[str]:
        """The other nodes that live; `now` in seconds of a steady clock."""
        before = self._seen
        self._seen = {
            node: before[node] if node in before and before[node][0] == pulse else (pulse, now)
            for node, pulse in pulses.items()
            if node != self._own
        }
        return {node for node, (_, since) in self._seen.items() if now - since < LAPSE}


async def serving(storage: Storage) -> bool:
    """Whether a process serves the database at this moment. The row of one that was killed says so too, so its heart is
    listened to for a while."""
    before = await storage.read(nodes.recent)
    end = time.monotonic() + LISTENED
    while before and time.monotonic() < end:
        await asyncio.sleep(0.2)
        now = await storage.read(nodes.recent)
        if any(now.get(node, pulse) != pulse for node, pulse in before.items()):
            return True
        before = {node: pulse for node, pulse in before.items() if node in now}
    return False


class Node:
    """One for the process. `start` before anything is served, `close` when nothing is any more."""

    def __init__(
        self,
        me: Self,
        storage: Storage,
        dispatcher: Dispatcher,
        bus: Bus,
        keys: Keys,
        leads: Callable[[], bool],
        *,
        every: float = EVERY,
    ) -> None:
        self._me = me
        self._storage = storage
        self._bus = bus
        self._keys = keys
        self._leads = leads
        self._every = every
        self._pulse = Pulse(me.id)
        self._beaten = -BEAT
        self._compared = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.following = Following(storage, dispatcher.hub)
        self.neighbours = Neighbours(
            me.id, bus, dispatcher.hub, self.following, dispatcher.presence, dispatcher.ephemeral
        )
        self.neighbours.on_gap = self._compared.set
        dispatcher.follows = True
        keys.shared = True

    async def start(self) -> None:
        """Raises what the database raises."""
        await self._beat()
        await self.look()
        await self._bus.start()
        self._tasks = [asyncio.create_task(self.following.run()), asyncio.create_task(self._run())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._bus.close()
        with contextlib.suppress(Exception):
            await self._storage.write(partial(nodes.stop, node=self._me))

    @property
    def bus_state(self) -> str:
        return self._bus.state

    async def _run(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._compared.wait()
            self._compared.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.look()
                    if time.monotonic() - self._beaten >= BEAT:
                        await self._beat()
            except Exception as error:
                log.warning("the database was not looked at", error=str(error) or repr(error))

    async def look(self) -> None:
        """Everything that a node has to know of the others, in one view."""

        async def view(tx: Reader) -> Callable[[], None]:
            act = await self.following.compare(tx)
            found = await keyring.read(tx)
            pulses = await nodes.pulses(tx)

            def all_of_it() -> None:
                self._keys.replace(found)
                self.neighbours.tick(self._pulse.take(pulses, time.monotonic()))
                act()

            return all_of_it

        act = await self._storage.read(view)
        act()

    async def _beat(self) -> None:
        await self._storage.write(partial(nodes.beat, node=self._me, leads=self._leads()))
        self._beaten = time.monotonic()
