"""Carrying what is queued to the providers, and keeping what they say.

A parcel is marked as under way before it goes out and settled after the answer, each on the disk: a crash in between leaves it
marked, and it goes out once more, under the same id and collapse key. Nothing else goes out twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.ports import Clock, Storage
from chat_server.services.epoch import stream_epoch
from mobile_api.ledger.port import WAITING, Ledger, Settled, Taken
from mobile_api.providers.port import NO_LINE, SECONDS, Answer, Outcome, Parcel, Platform, Provider
from mobile_api.push.judging import Judge
from mobile_api.push.lanes import platform_of
from mobile_api.push.preparing import Preparer, Ready

AT_ONCE: Final = 128
"""Parcels of one lane that are under way: providers allow more, and more would not be faster."""
PATIENCE: Final = SECONDS + 5
"""Seconds; a provider promises less."""
_POLL: Final = 5.0
_LAST_WORDS: Final = 2.0
"""Seconds that answers are waited for when the process stops."""
log = structlog.get_logger("renraku.push")


class Engine:
    """One for the server, run where the process leads."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        providers: Mapping[Platform, Provider],
        clock: Clock,
        preparer: Preparer,
        judge: Judge,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._providers = providers
        self._clock = clock
        self._preparer = preparer
        self._judge = judge
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._line_up = False
        self._answered = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._busy: Counter[str] = Counter()
        self._results: list[Settled] = []
        self.on_answer: Callable[[str, str, float], None] = lambda platform, outcome, seconds: None
        """counts: the platform, what became of a try, how long it took"""

    def wake(self) -> None:
        """Something was queued."""
        self._woken.set()

    def line_up(self) -> None:
        """The relay can be reached (again): an hour without it must not cost ten minutes more."""
        self._line_up = True
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled, after `begin`. A failure is logged, and tried again."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry())
                group.create_task(self._keep())
        finally:
            await self._end()

    async def begin(self) -> None:
        """Before anything is handed over or carried: what the process before this one left is taken up."""
        while True:
            try:
                await self._ledger.belong(await stream_epoch(self._storage))
                again = await self._ledger.recover(self._clock.now())
            except OSError:
                log.exception("the ledger of pushes cannot be used; trying again")
                await asyncio.sleep(_POLL)
            else:
                if again:
                    log.warning("pushes whose answer is not known go out again", number=again)
                return

    async def _end(self) -> None:
        """What is answered within a moment is kept; the rest goes out again by whoever comes next."""
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=_LAST_WORDS)
        for task in list(self._under_way):
            task.cancel()
        if self._under_way:
            await asyncio.wait(list(self._under_way))
        with contextlib.suppress(OSError):
            await self._settle()

    # Taking and sending

    async def _carry(self) -> None:
        while True:
            self._woken.clear()
            try:
                took = await self._take()
            except Exception:
                log.exception("taking pushes failed")
                took = 0
                await asyncio.sleep(1)
            if not took:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(await self._rest()):
                        await self._woken.wait()

    async def _take(self) -> int:
        took = 0
        if self._line_up:
            await self._ledger.hurry(NO_LINE, self._clock.now())
            self._line_up = False  # now, not before: the ledger's disk may have been full
        for lane in await self._ledger.lanes():
            room = self._at_once - self._busy[lane]
            if room <= 0 or self._judge.resting(lane) > 0:
                continue
            taken = await self._ledger.take(lane, room, self._clock.now())
            took += len(taken)
            if taken:
                await self._send(taken)
        return took

    async def _rest(self) -> float:
        """Seconds until something may be due."""
        try:
            due = await self._ledger.next_due()
        except OSError:
            return _POLL
        wait = _POLL if due is None else (due - self._clock.now()) / limits.SECOND
        resting = self._judge.shortest_rest()
        # what is due and was not taken waits for a lane, which wakes us when it has room
        return max(0.01, min(_POLL, wait if wait > 0 else _POLL, resting or _POLL))

    async def _send(self, taken: list[Taken]) -> None:
        try:
            ready, settled = await self._preparer.prepare(taken)
        except Exception as error:
            log.exception("preparing pushes failed")
            if len(taken) > 1 and not isinstance(error, OSError | Problem):
                for single in taken:  # what one of them stumbles over holds up no other
                    await self._send([single])
                return
            ready, settled = [], [self._judge.not_prepared(single) for single in taken]
        self._keep_soon(settled)
        for one in ready:
            lane = one.taken.lane
            task = asyncio.create_task(self._one(one))
            self._under_way[task] = lane
            self._busy[lane] += 1
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        lane = self._under_way.pop(task)
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]  # named by what clients bring: kept, they would pile up
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a push ended in a fault of ours", exc_info=error)

    async def _one(self, one: Ready) -> None:
        platform = platform_of(one.taken.lane)
        provider = self._providers.get(platform) if platform is not None else None
        begun = time.monotonic()
        answer = await _ask(provider, one.parcel)
        self.on_answer(str(platform), answer.outcome.value, time.monotonic() - begun)
        try:
            settled = await self._judge.settle(one, answer)
        except Exception:
            # the database was busy, say: the provider will answer the same to the next try
            log.exception("what a provider said could not be acted on", outcome=answer.outcome.value)
            due = self._clock.now() + limits.SECOND
            settled = Settled(one.taken.id, one.taken.tries, WAITING, "the server was busy", due=due)
        self._keep_soon([settled])

    # Keeping what was answered

    def _keep_soon(self, results: list[Settled]) -> None:
        if results:
            self._results += results
            self._answered.set()

    async def _keep(self) -> None:
        while True:
            await self._answered.wait()
            self._answered.clear()
            try:
                await self._settle()
            except Exception:
                log.exception("keeping the answers about pushes failed; trying again")
                await asyncio.sleep(1)
                self._answered.set()

    async def _settle(self) -> None:
        """All that came while the last were written is one commit."""
        results = self._results[:]
        if results:
            await self._ledger.settle(results, self._clock.now())
            del self._results[: len(results)]
            self._woken.set()


async def _ask(provider: Provider | None, parcel: Parcel) -> Answer:
    """Never raises but when cancelled: a provider with a fault must not stop the others."""
    if provider is None:
        return Answer(Outcome.LATER, "no provider for this platform is set up")
    try:
        async with asyncio.timeout(PATIENCE):
            return await provider.send(parcel)
    except TimeoutError:
        return Answer(Outcome.UNKNOWN, "no answer in time")
    except Exception as error:
        log.exception("a provider failed", platform=provider.platform)
        return Answer(Outcome.UNKNOWN, f"fault of the provider's client: {type(error).__name__}")
