"""One reader's view of what happens: a bounded queue from the link to an `async for`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Self

from chat_client.events import ClientEvent, EpochChanged, Event, MeEvent, Resynced, RoomEvent, RoomGone, TransientEvent
from chat_client.stream import Positions

QUEUED: Final = 10_000
"""Events that wait for a slow reader. Beyond it, it is told to load the rooms anew, as a slow connection would be."""


class EventStream:
    """Iterate it. It outlives connections and ends with the client: quietly after `close()`, otherwise by raising."""

    def __init__(
        self, positions: Callable[[], Positions], ended: Callable[[EventStream], None], *, limit: int = QUEUED
    ) -> None:
        self._positions = positions
        self._ended = ended
        self._limit = limit
        self._queue: deque[Event] = deque()
        self._handling: Event | None = None
        self._finished = False
        self._error: BaseException | None = None
        self._wake = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._handling = None
        while not self._queue:
            if self._finished:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        self._handling = self._queue.popleft()
        return self._handling

    def close(self) -> None:
        """Stop listening."""
        self.finish(None)
        self._queue.clear()
        self._ended(self)

    def positions(self) -> Positions:
        """What this reader has dealt with: everything before the event it got last.

        Given to a `Client` of a later run, what follows is delivered there: nothing is lost, and at most the event that
        was being dealt with comes twice.
        """
        delivered = self._positions()
        epoch, me, rooms = delivered.epoch, delivered.me, dict(delivered.rooms)
        begun: set[str | None] = set()
        for event in self._unhandled():
            if isinstance(event, EpochChanged):
                # The old one: the next run has to be told of the change as well.
                return Positions(event.before, me, rooms)
            if isinstance(event, Resynced) and event.room not in begun:
                begun.add(event.room)
                if event.room is None:
                    me = 0
                else:
                    # Unnamed, it is a room to be loaded when the next run connects.
                    rooms.pop(event.room, None)
            elif isinstance(event, RoomEvent) and event.room not in begun:
                begun.add(event.room)
                rooms[event.room] = event.seq - 1
            elif isinstance(event, MeEvent) and None not in begun:
                begun.add(None)
                me = event.seq - 1
        return Positions(epoch, me, rooms)

    def put(self, event: Event) -> None:
        """From the link."""
        if self._finished:
            return
        if len(self._queue) >= self._limit:
            if isinstance(event, TransientEvent):
                return
            self._overflow()
        self._queue.append(event)
        self._wake.set()

    def finish(self, error: BaseException | None) -> None:
        """From the client: nothing more will come. What is queued can still be read."""
        if not self._finished:
            self._finished = True
            self._error = error
            self._wake.set()

    def _unhandled(self) -> Iterator[Event]:
        if self._handling is not None:
            yield self._handling
        yield from self._queue

    def _overflow(self) -> None:
        kept: list[Event] = []
        behind: dict[str | None, int] = {}
        for event in self._queue:
            if isinstance(event, RoomEvent):
                behind[event.room] = event.seq
            elif isinstance(event, MeEvent):
                behind[None] = event.seq
            elif isinstance(event, Resynced):
                behind[event.room] = event.head
            elif isinstance(event, RoomGone):
                behind.pop(event.room, None)
                kept.append(event)
            elif isinstance(event, ClientEvent):
                kept.append(event)
        # Of connections coming and going the last word is enough, or a flapping line would fill the queue for good.
        self._queue = deque(kept[-self._limit // 4 :])
        self._queue.extend(Resynced(room, head) for room, head in behind.items())
