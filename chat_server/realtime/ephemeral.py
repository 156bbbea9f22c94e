"""Typing, receipts and confirmations: never stored, never in a message's way, and only to those who look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from chat_server.domain import limits
from chat_server.domain.events import ConfirmedIn, ReadMoved
from chat_server.ports import Storage
from chat_server.realtime.channel import Channel
from chat_server.realtime.connection import Connection, tell
from chat_server.realtime.hub import Hub
from chat_server.realtime.items import Types
from chat_server.services.confirming import counts
from chat_server.services.reading import positions

_TYPING_SECONDS: Final = 3.0


class Ephemeral:
    """One for the process; a task of its own sends counts of readers once a second."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub
        self._moved: set[int] = set()
        self._confirmed: dict[int, set[str]] = {}
        self._counting: asyncio.Task[None] | None = None
        self.on_typing: Callable[[Types], None] = lambda item: None
        """tells the other nodes"""
        hub.on_read_moved = self.read_moved
        hub.on_confirmed = self.confirmed

    # Typing

    def typing(self, connection: Connection, room: str) -> None:
        """Tell those who look at the room; strangers and floods are passed over in silence."""
        channel = self._hub.by_room.get(room)
        if channel is None or channel.room_id not in connection.rooms:
            return
        now, actor = time.monotonic(), connection.actor
        if now - connection.typed.get(channel.room_id, -_TYPING_SECONDS) < _TYPING_SECONDS:
            return
        connection.typed[channel.room_id] = now
        item = Types(channel.room_id, room, actor.user_id, actor.id, actor.name)
        self.types(item)
        self.on_typing(item)

    def types(self, item: Types) -> None:
        """Somebody types here or at another node: tell those who look at the room here."""
        channel = self._hub.channels.get(item.room_id)
        if channel is None or not channel.lookers:
            return
        wire = {"op": "typing", "room": item.room, "user": item.user, "name": item.name}
        tell([looker for looker in channel.lookers if looker.actor.user_id != item.user_id], wire)

    # Receipts

    def read_moved(self, note: ReadMoved) -> None:
        channel = self._hub.channels.get(note.room_id)
        if channel is None or not channel.lookers:
            return
        if note.named and note.members <= limits.RECEIPT_MEMBERS:
            tell(channel.lookers, {"op": "receipt", "room": note.room, "user": note.user, "upto": note.upto})
            return
        self._moved.add(note.room_id)
        self._count_soon()

    def confirmed(self, note: ConfirmedIn) -> None:
        channel = self._hub.channels.get(note.room_id)
        if channel is not None and channel.lookers:
            self._confirmed.setdefault(note.room_id, set()).add(note.message)
            self._count_soon()

    def _count_soon(self) -> None:
        if self._counting is None or self._counting.done():
            self._counting = asyncio.get_running_loop().create_task(self._count_until_quiet())

    async def _count_until_quiet(self) -> None:
        """1,000 readers of a message are a handful of frames, not 1,000,000."""
        while self._moved or self._confirmed:
            await asyncio.sleep(1)
            moved, self._moved = self._moved, set()
            confirmed, self._confirmed = self._confirmed, {}
            for room_id in moved:
                channel = self._hub.channels.get(room_id)
                if channel is not None and channel.lookers:
                    await self._send_counts(channel)
            for room_id, messages in confirmed.items():
                channel = self._hub.channels.get(room_id)
                if channel is not None and channel.lookers:
                    await self._send_confirmations(channel, sorted(messages))

    async def _send_confirmations(self, channel: Channel, messages: list[str]) -> None:
        found = await self._storage.read(lambda tx: counts(tx, messages))
        tell(channel.lookers, {"op": "confirmations", "room": channel.room, "confirmed": found})

    async def _send_counts(self, channel: Channel) -> None:
        counts = await self._storage.read(lambda tx: positions(tx, channel.room_id))
        tell(channel.lookers, {"op": "receipts", "room": channel.room, "upto": counts})
