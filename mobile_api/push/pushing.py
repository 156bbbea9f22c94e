"""All of pushing as one worker: deciding, carrying, clearing, forgetting."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry

from chat_server.ports import Clock, Storage
from chat_server.services.push_expanding import Looking
from mobile_api.ledger.port import Ledger
from mobile_api.providers.port import Platform, Provider
from mobile_api.push.clearing import Clearing, forget
from mobile_api.push.counting import Counters
from mobile_api.push.engine import AT_ONCE, Engine
from mobile_api.push.handing import HandingOver
from mobile_api.push.judging import FIRST, Judge
from mobile_api.push.preparing import Preparer

_FORGETTING: Final = 60.0
"""Seconds between two looks for what is too old."""


class Pushing:
    """One for the server, run where the process leads. `secret`: for collapse keys. `origin`: of addresses for browsers."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        providers: Mapping[Platform, Provider],
        clock: Clock,
        looking: Looking,
        registry: CollectorRegistry,
        *,
        secret: bytes,
        most_trusted: str,
        origin: str = "",
        at_once: int = AT_ONCE,
        first: float = FIRST,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self.engine = Engine(
            storage,
            ledger,
            providers,
            clock,
            Preparer(storage, secret, most_trusted, origin),
            # by chance, so that what failed together does not come back together: nothing secret
            Judge(storage, clock, random.Random(), first=first),  # noqa: S311
            at_once=at_once,
        )
        self.handing = HandingOver(storage, ledger, clock, looking, most_trusted)
        self.clearing = Clearing(storage, ledger, clock)
        counters = Counters(registry)
        self.engine.on_answer = counters.answered
        self.handing.on_decided = counters.decided
        self.handing.on_queued = self.clearing.on_queued = self.engine.wake

    def wake(self) -> None:
        """A message went from the outbox on to be pushed."""
        self.handing.wake()

    def committed(self, notes: Iterable[Any]) -> None:
        """What this process committed."""
        self.clearing.heard(notes)

    async def run(self) -> None:
        """Until cancelled."""
        await self.engine.begin()
        async with asyncio.TaskGroup() as group:
            for work in (self.engine.run, self.handing.run, self.clearing.run, self._forget):
                group.create_task(work())

    async def _forget(self) -> None:
        while True:
            # at once again while there is more, with a rest for those who write
            gone = await forget(self._ledger, self._clock)
            await asyncio.sleep(0.1 if gone else _FORGETTING)
