"""From the outbox to the ledger: whom each message wakes is worked out after its commit, and kept before the outbox forgets it.

A crash in between does it again, and the ledger takes each message once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.domain.push import Act
from chat_server.ports import Clock, Storage
from chat_server.services import jobs, push_expanding
from chat_server.services.push_expanding import Expansion, Looking
from mobile_api.ledger.looking import pack
from mobile_api.ledger.port import BADGE, RING, Handed, Ledger, Order
from mobile_api.push.lanes import lane_of, silent_badge

BATCH: Final = 50
log = structlog.get_logger("renraku.push")


class HandingOver:
    """One task. `wake` after the outbox has something; a slow poll covers what a crash left behind."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        clock: Clock,
        looking: Looking,
        most_trusted: str,
        *,
        poll: float = 5.0,
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._clock = clock
        self._looking = looking
        self._most_trusted = most_trusted
        self._poll = poll
        self._woken = asyncio.Event()
        self.on_queued: Callable[[], None] = lambda: None
        """called when parcels were queued"""
        self.on_decided: Callable[[str, int], None] = lambda why, people: None
        """counts decisions"""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A failure is logged and tried again: a message is never passed over."""
        while True:
            self._woken.clear()
            try:
                worked = await self.step()
            except Exception:
                log.exception("working out whom to wake failed")
                await asyncio.sleep(1)
                worked = 0
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._woken.wait()

    async def step(self) -> int:
        """One batch; answers how many of it are done. What one message stumbles over holds up no other: it is tried again."""
        batch = await self._storage.read(lambda reader: jobs.to_push(reader, BATCH))
        if not batch:
            return 0
        done = []
        for job in batch:
            try:
                if job.room_id is not None and job.seq is not None:
                    await self._work_out((job.room_id, job.seq))
            except (OSError, Problem):
                raise  # the ledger or the database: the others would fare no better
            except Exception:
                log.exception("working out whom a message wakes failed")
            else:
                done.append(job)
        if done:
            await self._storage.write(partial(jobs.pushed, batch=done))
        return len(done)

    async def _work_out(self, place: tuple[int, int]) -> None:
        """One view a message: a room of thousands must not hold up what stands behind it in the batch."""
        for one in await self._storage.read(
            partial(push_expanding.expand, places=[place], looking=self._looking, most_trusted=self._most_trusted)
        ):
            await self._hand_over(one)

    async def _hand_over(self, one: Expansion) -> None:
        now = self._clock.now()
        message = one.message
        handed = Handed(message.id, message.org_id, message.room_id, message.seq, pack(one.quiet))
        orders = orders_of(one, now)
        if await self._ledger.hand_over(handed, orders, now):
            for why, people in one.quiet.items():
                self.on_decided(why, len(people))
            rung = {token.user_id: decision for token, decision in one.wake if decision.act is Act.RING}
            for decision in rung.values():
                self.on_decided(decision.why.value, 1)
        if orders:
            self.on_queued()


def orders_of(one: Expansion, now: int) -> list[Order]:
    """A parcel for each device that is to be woken; `now`: UTC ms."""
    expires = now + limits.PUSH_LIVES
    found = []
    for token, decision in one.wake:
        lane = lane_of(token.platform, token.token)
        if decision.act is Act.BADGE and not silent_badge(lane):
            continue
        found.append(
            Order(
                public_id=new_id(now),
                user_id=token.user_id,
                device_id=token.device_id,
                room_id=one.message.room_id,
                message_id=one.message.id,
                seq=one.message.seq,
                lane=lane,
                kind=RING if decision.act is Act.RING else BADGE,
                why=decision.why.value,
                urgent=decision.urgent,
                expires=expires,
            )
        )
    return found
