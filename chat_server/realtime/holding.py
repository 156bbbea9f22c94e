"""Events between their commit and the sockets: they wait for neighbours, and a burst waits for the one before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chat_server.domain.events import RoomEvent

HOLD: Final = 0.002
"""Seconds that an event may wait for its neighbours, and only while their commit is known to be coming: in a busy room
one write then carries several events (0.14 instead of 0.26 CPU seconds per 100,000 deliveries). Acks never wait, and an
event that waits for nobody leaves in one system call with its sender's ack."""
PACE: Final = 0.02
"""Seconds between two bursts to one room: a line of 100 Mbit/s has carried the first away when the second comes."""
QUEUED: Final = 64
"""Events that wait for a burst, at most. A room that writes faster still loses slow readers, not the server's memory."""

log = structlog.get_logger("renraku.hub")

Burst = Callable[[list[RoomEvent]], int]
"""Writes the first of one room's events, as many as make a burst; answers how many."""


class Holding:
    """What is held of each room, in order."""

    def __init__(self, burst: Burst, more_coming: Callable[[str], bool]) -> None:
        self._burst = burst
        self._more_coming = more_coming
        self._held: dict[int, list[RoomEvent]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._pacing: dict[int, asyncio.TimerHandle] = {}
        """Rooms whose next burst has its time."""

    def add(self, event: RoomEvent) -> None:
        self._held.setdefault(event.room_id, []).append(event)

    def committed(self) -> None:
        """What one commit brought is here: write it, or wait for more to the same room that is on its way."""
        waiting = False
        for room_id, events in list(self._held.items()):
            if room_id in self._pacing:
                continue
            if self._more_coming(events[0].room):
                waiting = True
            else:
                self._write(room_id, keep=QUEUED)
        if waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HOLD, self._flush)

    def release(self, room_id: int) -> None:
        """Write everything of the room: what comes next changes who receives what comes after it."""
        pacing = self._pacing.pop(room_id, None)
        if pacing is not None:
            pacing.cancel()
        self._write(room_id, keep=0)

    def _flush(self) -> None:
        self._timer = None
        for room_id in [room_id for room_id in self._held if room_id not in self._pacing]:
            self._write(room_id, keep=QUEUED)

    def _go_on(self, room_id: int) -> None:
        del self._pacing[room_id]
        self._write(room_id, keep=QUEUED)

    def _write(self, room_id: int, keep: int) -> None:
        """A burst, and as many more as leave no more than `keep` events."""
        events = self._held.pop(room_id, [])
        try:
            while events:
                events = events[self._burst(events) :]
                if len(events) <= keep:
                    break
        except Exception:
            log.exception("a room's events could not be delivered", room=events[0].room)
            return
        if events:
            self._held[room_id] = events
            self._pacing[room_id] = asyncio.get_running_loop().call_later(PACE, self._go_on, room_id)
