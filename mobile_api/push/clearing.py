"""What was read at the desk stops ringing on the phone.

The own stream tells at once what was read through this process. A slow round compares what devices show with the read markers:
so it is found, too, what was read through another process, or while this one was down, and who left a room.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from chat_server.domain import limits
from chat_server.domain.events import UserEvent
from chat_server.ports import Clock, Storage
from chat_server.services import push_loading
from mobile_api.ledger.port import Ledger, Mark

PAGE: Final = 500
log = structlog.get_logger("renraku.push")


class Clearing:
    """One task. `heard` with what was committed."""

    def __init__(self, storage: Storage, ledger: Ledger, clock: Clock, *, round_seconds: float = 5.0) -> None:
        self._storage = storage
        self._ledger = ledger
        self._clock = clock
        self._round = round_seconds
        self._read: dict[tuple[int, str], int] = {}
        """(user, room's public id) → read up to"""
        self._woken = asyncio.Event()
        self._after = (0, 0)
        self.on_queued: Callable[[], None] = lambda: None

    def heard(self, notes: Iterable[Any]) -> None:
        for note in notes:
            if isinstance(note, UserEvent) and note.kind == "read":
                key = (note.user_id, str(note.body["room"]))
                self._read[key] = max(self._read.get(key, 0), int(note.body["upto"]))
                self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._round):
                    await self._woken.wait()
            except TimeoutError:
                pass
            heard = self._woken.is_set()
            self._woken.clear()
            try:
                await (self.take_heard() if heard else self.look_round())
            except Exception:
                log.exception("clearing what was read failed")
                await asyncio.sleep(1)

    async def take_heard(self) -> None:
        """A page of what was told."""
        some = dict(list(self._read.items())[:PAGE])
        rooms = await self._storage.read(lambda reader: push_loading.keys_of(reader, {room for _, room in some}))
        await self._clear([Mark(user, rooms[room], upto) for (user, room), upto in some.items() if room in rooms])
        for key, upto in some.items():
            if self._read.get(key) == upto:
                del self._read[key]
        if self._read:
            self._woken.set()

    async def look_round(self) -> None:
        """A page of what devices show; the next round goes on from there."""
        page = await self._ledger.rung(self._after, PAGE)
        self._after = (page[-1].device_id, page[-1].room_id) if len(page) == PAGE else (0, 0)
        if not page:
            return
        users, rooms = {one.user_id for one in page}, {one.room_id for one in page}
        marks = await self._storage.read(lambda reader: push_loading.read_marks(reader, users, rooms))
        # who is not in the room any more has nothing to see there
        read = [
            Mark(one.user_id, one.room_id, one.seq)
            for one in page
            if marks.get((one.user_id, one.room_id), one.seq) >= one.seq
        ]
        await self._clear(read)

    async def _clear(self, marks: list[Mark]) -> None:
        now = self._clock.now()
        if marks and await self._ledger.read(marks, now, now + limits.PUSH_LIVES):
            self.on_queued()


async def forget(ledger: Ledger, clock: Clock) -> int:
    """One step of forgetting what is too old to be asked for; how many rows."""
    with contextlib.suppress(OSError):
        return await ledger.prune(clock.now() - limits.PUSH_KEPT, PAGE)
    return 0
