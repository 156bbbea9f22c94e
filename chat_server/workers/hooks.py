"""Telling other systems: each hook in the order of its room, several hooks at once, so that one that hangs holds up itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from functools import partial
from typing import Final

import structlog

from chat_server.domain.errors import Problem
from chat_server.domain.webhooks import host_of
from chat_server.ports import Clock, Storage, Webhooks
from chat_server.services import hook_deliveries
from chat_server.services.bots import Place
from chat_server.services.hook_deliveries import Letter
from chat_server.services.keys import Keys

AT_ONCE: Final = 16
OF_ONE_HOST: Final = 2
"""Hooks that one host is told of at once: where it hangs, the others' places are not taken."""
A_SECOND: Final = 20
"""Deliveries of one hook in a second, at most."""
TURN: Final = 50
"""Deliveries of one hook until others have their turn."""
REST: Final = 60.0
"""Seconds until what failed by no fault of the other side is tried again."""
_CANDIDATES: Final = 200
_JITTER: Final = 0.1
log = structlog.get_logger("renraku.webhooks")


class HookWorker:
    """One task, and one more for each hook that is telling. `wake` when there may be something to tell."""

    def __init__(
        self, storage: Storage, clock: Clock, webhooks: Webhooks, keys: Keys, place: Place, *, poll: float = 1.0
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._webhooks = webhooks
        self._keys = keys
        self._place = place
        self._poll = poll
        self._woken = asyncio.Event()
        self._telling: dict[str, tuple[str, asyncio.Task[None]]] = {}
        """hook → its host and its task"""
        self._resting: dict[str, float] = {}
        """hook → until when it is left alone, after a mistake of ours"""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self.begin()
                except Exception:
                    log.exception("looking for what webhooks have to tell failed")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            await self.stop()

    async def begin(self) -> int:
        """Start those that have something to tell, as far as there is room; answers how many."""
        ready = await self._storage.read(partial(hook_deliveries.ready, limit=_CANDIDATES))
        busy = Counter(host for host, _ in self._telling.values())
        begun = 0
        for hook, url in ready:
            host = host_of(url)
            if len(self._telling) >= AT_ONCE:
                break
            if hook in self._telling or busy[host] >= OF_ONE_HOST or self._resting.get(hook, 0.0) > time.monotonic():
                continue
            busy[host] += 1
            begun += 1
            task = asyncio.create_task(self._tell(hook))
            self._telling[hook] = (host, task)
            task.add_done_callback(partial(self._ended, hook))
        return begun

    async def idle(self) -> None:
        """Until all that was begun has ended."""
        while self._telling:
            await asyncio.wait([task for _, task in self._telling.values()])
            await asyncio.sleep(0)  # the callbacks of those that ended

    async def stop(self) -> None:
        """A delivery that is cut off is repeated, under the same id."""
        tasks = [task for _, task in self._telling.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, hook: str, task: asyncio.Task[None]) -> None:
        del self._telling[hook]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a webhook's deliveries failed", hook=hook, error=type(error).__name__)
            # Nothing of it is written down: at once again it would be told again, every second for ever.
            self._resting[hook] = time.monotonic() + REST
        else:
            self._resting.pop(hook, None)
            self.wake()  # somebody may have waited for the place

    async def _tell(self, hook: str) -> None:
        """What one hook has to tell, one after the other, until a try fails."""
        for _ in range(TURN):
            letter = await self._storage.read(partial(hook_deliveries.next_letter, public_id=hook))
            if letter is None or not await self._deliver(letter):
                return
            await asyncio.sleep(1 / A_SECOND)

    async def _deliver(self, letter: Letter) -> bool:
        """Whether the next one may be told: this one was, or was given up."""
        org_id = letter.hook.org_id
        try:
            if letter.body is not None:
                await self._storage.read(partial(hook_deliveries.check, letter=letter))
                await self._webhooks.post(letter.hook.url, letter.headers(self._keys, self._clock.now()), letter.body)
        except Problem as problem:
            if problem.fault.code >= 8000:
                raise
            log.warning(
                "a webhook was not told",
                hook=letter.hook.public_id,
                why=problem.fault.name,
                tries=letter.delivery.tries + 1,
            )
            jitter = 1 + random.uniform(-_JITTER, _JITTER)  # noqa: S311 (spreads load)
            fail = partial(hook_deliveries.failed, letter=letter, problem=problem, jitter=jitter, place=self._place)
            return await self._storage.write(fail, org_id=org_id)
        await self._storage.write(partial(hook_deliveries.arrived, letter=letter), org_id=org_id)
        return True
