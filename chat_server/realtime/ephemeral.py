"""Typing and receipts: never stored, never in a message's way, and only to those who look."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.events import ReadMoved
from chat_server.ports import Storage
from chat_server.realtime.channel import Channel
from chat_server.realtime.connection import Connection
from chat_server.realtime.hub import Hub
from chat_server.services.reading import positions

_TYPING_SECONDS: Final = 3.0


class Ephemeral:
    """One for the process; a task of its own sends counts of readers once a second."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub
        self._typed: dict[tuple[Connection, int], float] = {}
        self._moved: set[int] = set()
        self._counting: asyncio.Task[None] | None = None
        hub.on_read_moved = self.read_moved

    def forget(self, connection: Connection) -> None:
        for key in [key for key in self._typed if key[0] is connection]:
            del self._typed[key]

    # Typing

    def typing(self, connection: Connection, room: str) -> None:
        """Tell those who look at the room; strangers and floods are passed over in silence."""
        channel = self._hub.by_room.get(room)
        if channel is None or channel.room_id not in connection.rooms:
            return
        now, key = time.monotonic(), (connection, channel.room_id)
        if now - self._typed.get(key, 0.0) < _TYPING_SECONDS:
            return
        self._typed[key] = now
        actor = connection.actor
        wire = {"op": "typing", "room": room, "user": actor.id, "name": actor.name}
        self._to_lookers(channel, wire, but=actor.user_id)

    # Receipts

    def read_moved(self, note: ReadMoved) -> None:
        channel = self._hub.channels.get(note.room_id)
        if channel is None or not channel.lookers:
            return
        if note.named and note.members <= limits.RECEIPT_MEMBERS:
            self._to_lookers(channel, {"op": "receipt", "room": note.room, "user": note.user, "upto": note.upto})
            return
        self._moved.add(note.room_id)
        if self._counting is None or self._counting.done():
            self._counting = asyncio.get_running_loop().create_task(self._count_until_quiet())

    async def _count_until_quiet(self) -> None:
        """1,000 readers of a message are a handful of frames, not 1,000,000."""
        while self._moved:
            await asyncio.sleep(1)
            moved, self._moved = self._moved, set()
            for room_id in moved:
                channel = self._hub.channels.get(room_id)
                if channel is not None and channel.lookers:
                    await self._send_counts(channel)

    async def _send_counts(self, channel: Channel) -> None:
        counts = await self._storage.read(lambda tx: positions(tx, channel.room_id))
        self._to_lookers(channel, {"op": "receipts", "room": channel.room, "upto": counts})

    # Writing

    def _to_lookers(self, channel: Channel, wire: dict[str, Any], but: int = 0) -> None:
        frames: dict[int, bytes] = {}
        for connection in list(channel.lookers):
            if connection.actor.user_id != but:
                index = connection.codec.index
                if index not in frames:
                    frames[index] = connection.codec.frame(wire)
                connection.write(frames[index])
