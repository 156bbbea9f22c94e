"""Running one bot: what it has to do, one after the other, in its own process; what it did, into the database.

A bot that crashes, hangs or floods costs itself time. Messages do not wait for it, nor do other bots.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections import deque
from functools import partial
from typing import Final

import structlog

from chat_server.bot_runner.process import BotFailed, BotProcess
from chat_server.bot_wire import Done, Unsound
from chat_server.domain.errors import Problem
from chat_server.ports import BlobStore, Clock, Storage
from chat_server.services import bot_tasks, bots
from chat_server.services.bots import Asked, Place, Plugin

BATCH: Final = 5
TURNS: Final = 50
"""Rooms that take turns."""
A_SECOND: Final = 50
"""Things that a bot does in a second, at most."""
SAYS_A_SECOND: Final = 20
"""Messages that it writes in a second, at most, where it has more and more to say."""
OURS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    Unsound,
)
"""Mistakes of the server's own about one thing; not what ails the database or the disk, which passes."""
log = structlog.get_logger("renraku.bots")


class BotWorker:
    """One task. `wake` when there may be something to do; a poll finds the timers."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        plugin: Plugin,
        process: BotProcess,
        blobs: BlobStore,
        place: Place,
        *,
        poll: float = 1.0,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._plugin = plugin
        self._blobs = blobs
        self._place = place
        self._poll = poll
        self._woken = asyncio.Event()
        self._process = process
        self._served: deque[int] = deque(maxlen=TURNS)
        """rooms that had their turn while others wait"""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    worked = await self.step()
                except Exception:
                    log.exception("running a bot failed", bot=self._plugin.name)
                    worked = 0
                if not worked:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._poll):
                            await self._woken.wait()
                    self._woken.clear()
        finally:
            await self._process.close()

    async def step(self) -> int:
        """Everything that is due, as far as one batch goes; answers how many things."""
        if await self._storage.read(lambda reader: bots.lacking(reader, self._plugin.name)):
            await self._storage.write(lambda tx: bots.ensure(tx, self._plugin))
        changes = await self._storage.read(lambda reader: bots.changes(reader, self._plugin.name, BATCH))
        for change in changes:
            await self._storage.write(
                partial(bots.show_changes, waiting=change, place=self._place), org_id=change.org_id
            )
        return len(changes) + await self._things()

    async def _things(self) -> int:
        """One after the other, each as it is then: what the bot kept about one is there when it is asked about the next."""
        done = 0
        while done < BATCH and (due := await self._next()):
            begun = time.monotonic()
            said = await self._do(due[0])
            done += 1
            more = len(due) > 1 or bool(self._served)
            self._served.append(due[0].due.room_id)
            if more:
                rest = max(1 / A_SECOND, said / SAYS_A_SECOND) - (time.monotonic() - begun)
                await asyncio.sleep(max(0.0, rest))
        return done

    async def _next(self) -> list[Asked]:
        """The next thing, and one more if there is. Rooms take turns: who floods one, or tidies up ten thousand memos, waits behind
        themselves."""
        due: list[Asked] = await self._storage.read(
            partial(bots.due, plugin=self._plugin.name, limit=2, but=self._served)
        )
        if not due and self._served:
            self._served.clear()
            due = await self._storage.read(partial(bots.due, plugin=self._plugin.name, limit=2))
        return due

    async def _do(self, asked: Asked) -> int:
        """Answers how much it said."""
        org_id = asked.due.org_id
        try:
            done = (
                Done(store=dict(asked.store))
                if asked.gone
                else await self._process.ask(bot_tasks.task(asked, self._clock.now()))
            )
            did = await bot_tasks.kept(self._blobs, org_id, done)
            await self._storage.write(partial(bots.finish, asked=asked, did=did, place=self._place), org_id=org_id)
            return len(did.posts)
        except BotFailed as failed:
            log.warning("a bot failed", bot=self._plugin.name, why=failed.kind, tries=asked.due.tries + 1)
            await self._fail(asked, failed.ja, failed.en)
        except Problem as problem:
            if problem.fault.code >= 8000:
                raise
            told = problem.as_dict()
            await self._fail(asked, told["ja"], told["en"])
        except OURS as error:
            # Asked for ever, it would hold up everything behind it. Where, and not what it says: that may be what was written.
            name, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__)[-3:])
            log.error("what a bot did could not be taken down", bot=self._plugin.name, error=name, where=where)
            await self._fail(asked, f"サーバーで扱えませんでした（{name}）", f"the server could not take it ({name})")
        return 0

    async def _fail(self, asked: Asked, ja: str, en: str) -> None:
        await self._storage.write(
            partial(bots.failed, asked=asked, ja=ja, en=en, place=self._place), org_id=asked.due.org_id
        )
