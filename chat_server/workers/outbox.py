"""Expanding the outbox: what a commit left to do, done after it and in its order.

A crash between a job's work and its removal repeats the work: everything done here is safe to do twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from chat_server.ports import Storage
from chat_server.services import jobs

BATCH: Final = 500
CHUNK: Final = 200
"""People told of a directory change in one transaction: keeps the writer free (20 ms)."""
log = structlog.get_logger("renraku.outbox")


class OutboxWorker:
    """One task. `wake` after a commit that put something in; a slow poll covers what a crash left behind."""

    def __init__(self, storage: Storage, *, pause: float = 0.25, poll: float = 5.0) -> None:
        self._storage = storage
        self._pause = pause
        self._poll = poll
        self._woken = asyncio.Event()
        self.on_bots: Callable[[], None] = lambda: None
        """called when bots or webhooks have something to do"""
        self.pushing = False
        """whether messages go on to be pushed"""
        self.on_messages: Callable[[], None] = lambda: None
        """called when some do"""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A failure is logged and tried again: a job is never dropped."""
        while True:
            try:
                worked = await self.expand()
            except Exception:
                log.exception("expanding the outbox failed")
                worked = 0
            if worked < BATCH:
                # A short rest joins what a busy second brings into one batch instead of one transaction a message.
                await asyncio.sleep(self._pause)
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the wake-up, and a
                # server that is stopping would wait for this task for ever.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._woken.wait()
                self._woken.clear()

    async def expand(self) -> int:
        """One batch; answers its size. Messages go to the bots and the webhooks of their rooms, and on to be pushed."""
        batch = await self._storage.read(lambda tx: jobs.oldest(tx, BATCH, pushing=self.pushing))
        if not batch:
            return 0
        for org_id in dict.fromkeys(job.org_id for job in batch if job.kind == jobs.DIRECTORY):
            await self._tell_everybody(org_id)
        for job in batch:
            if job.kind == jobs.CLOSED_SIDE and job.room_id is not None:
                while await self._storage.write(partial(jobs.empty_closed, room_id=job.room_id), org_id=job.org_id):
                    pass
        if await self._storage.write(partial(jobs.finish, batch=batch, pushing=self.pushing)):
            self.on_bots()
        if self.pushing and any(job.kind == jobs.MESSAGE for job in batch):
            self.on_messages()
        return len(batch)

    async def _tell_everybody(self, org_id: int) -> None:
        after = 0
        while True:
            found = partial(jobs.people_after, org_id=org_id, after=after, limit=CHUNK)
            people, version = await self._storage.read(found)
            if not people:
                return
            tell = partial(jobs.tell_directory, org_id=org_id, people=people, version=version)
            await self._storage.write(tell, org_id=org_id)
            after = people[-1]
