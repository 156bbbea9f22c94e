"""Catching up: from the last seq that a client holds to live, without a hole (docs/protocol.md, section 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.ports import Reader, Storage
from chat_server.realtime.connection import Connection
from chat_server.realtime.hub import Hub
from chat_server.services import pages, streams
from chat_server.services.commands import Pull, Resume
from chat_server.services.pages import Page
from chat_server.services.streams import GONE, LIVE, REPLAY, RESYNC, Resumption

T = TypeVar("T")
_ATTEMPTS: Final = 5
"""How often a read is repeated because the person's memberships changed under it."""


class CatchingUp:
    """Reads where a connection stands and subscribes it in the same step of the event loop, so that nothing that is
    committed in between is missed."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub

    async def resume(self, connection: Connection, command: Resume) -> dict[str, Any]:
        """`resumed`. Raises `Problem` 8001."""
        actor, epoch = connection.actor, self._hub.epoch
        same_epoch = command.epoch in (None, epoch)

        async def plan(tx: Reader) -> Resumption:
            return await streams.plan(tx, actor, command.me, command.rooms, same_epoch=same_epoch)

        found = await self._steady(connection, plan)
        # No await from here on: what is subscribed now has missed nothing.
        rooms: dict[str, dict[str, Any]] = {room: {"head": 0, "state": GONE} for room in command.rooms}
        for head, state, visible in found.rooms:
            last = max(head.last_seq, self._hub.heads.get(head.room_id, 0))
            if state == LIVE and head.room in command.rooms and last > command.rooms[head.room]:
                state = REPLAY
            if state != REPLAY:
                self._hub.subscribe(connection, head.room_id, head.room, visible, last)
            rooms[head.room] = {"head": last, "state": state}
        own_last, own_state = found.me
        if own_state == LIVE and connection.own_head > own_last:
            own_state = REPLAY
        connection.waiting = None  # the plan, read after it was filled, names those rooms
        connection.own_live = own_state in (LIVE, RESYNC)
        me = {"head": max(own_last, connection.own_head), "state": own_state}
        return {"op": "resumed", "epoch": epoch, "me": me, "rooms": rooms}

    async def pull(self, connection: Connection, command: Pull) -> dict[str, Any]:
        """`page`; the connection is live from its last event on if there is nothing after it. Raises `Problem` 3001,
        8001."""
        actor = connection.actor

        async def read(tx: Reader) -> Page:
            if command.room is None:
                return await pages.own_page(tx, actor, command.after, command.limit)
            return await pages.room_page(tx, actor, command.room, command.after, command.limit)

        page = await self._steady(connection, read)
        if command.room is None:
            head = max(page.head, connection.own_head)
            if not connection.own_live and page.last >= head:
                self._hub.caught_up(connection)
            live = connection.own_live
        else:
            head = max(page.head, self._hub.heads.get(page.room_id, 0))
            if page.room_id not in connection.rooms and page.last >= head:
                self._hub.subscribe(connection, page.room_id, command.room, page.visible, head)
            live = page.room_id in connection.rooms
        return {"op": "page", "room": command.room, "events": page.events, "head": head, "live": live}

    async def _steady(self, connection: Connection, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        """A read whose answer still holds: repeated if a membership of the person changed meanwhile, because a
        removal that was committed after the view was taken must not be followed by a subscription."""
        for _ in range(_ATTEMPTS):
            changes = connection.changes
            result = await self._storage.read(use_case)
            if connection.changes == changes:
                return result
        raise Problem(DATABASE_BUSY, retry_after=1)
