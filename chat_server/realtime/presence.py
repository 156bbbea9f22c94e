"""Presence: who is connected at any node, told to those who watch them here, and to nobody who may not know of them
(any more)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import structlog

from chat_server.domain.events import Left
from chat_server.ports import Storage
from chat_server.realtime.connection import Connection, tell
from chat_server.realtime.hub import Hub
from chat_server.services.presence import visible_people

log = structlog.get_logger("renraku.presence")


class Presence:
    """One for the process. People are public ids."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub
        self._watchers: dict[str, set[Connection]] = {}
        self._doubts: dict[Connection, set[str]] = {}
        """Whom a connection watches and may have lost sight of; a task asks, one connection after the other."""
        self._asking: asyncio.Task[None] | None = None
        self._leavings = 0
        self.elsewhere: Callable[[str], bool] = lambda user: False
        """whether somebody is connected at another node"""
        self.on_here: Callable[[str, bool], None] = lambda user, online: None
        """tells the other nodes"""
        hub.on_presence = self._changed_here
        hub.on_left = self.left

    def forget(self, connection: Connection) -> None:
        self._doubts.pop(connection, None)
        self._unwatch(connection, connection.watching)

    async def watch(self, connection: Connection, users: Collection[str]) -> dict[str, str]:
        """Replace the people whose presence this connection shows; those it may not see are left out."""
        leavings = self._leavings
        visible = await self._visible(connection, users)
        self._unwatch(connection, connection.watching)
        if not self._hub.has(connection):
            return {}
        connection.watching = frozenset(visible)
        for user in visible:
            self._watchers.setdefault(user, set()).add(connection)
        if self._leavings != leavings:
            self._doubt(connection, visible)  # after the view was taken, and before this list was there to be looked at
        return {user: "online" if self._online(user) else "offline" for user in visible}

    def _online(self, user: str) -> bool:
        return user in self._hub.online or self.elsewhere(user)

    def _changed_here(self, user: str, online: bool) -> None:
        """The first connection of somebody came to this node, or the last one went."""
        if not self.elsewhere(user):
            tell(self._watchers.get(user, ()), _wire(user, online))
        self.on_here(user, online)

    def look_again(self, user: str) -> None:
        """They came to another node, or went from it."""
        if user not in self._hub.online:
            tell(self._watchers.get(user, ()), _wire(user, self.elsewhere(user)))

    def left(self, gone: Left) -> None:
        """Somebody is in a room less: they may have lost sight of those in it, and those of them. Sight is more than one
        room (another one, the organization), so the database is asked."""
        self._leavings += 1
        for connection in self._hub.users.get(gone.user_id, ()):
            self._doubt(connection, connection.watching)
        for connection in self._watchers.get(gone.user, ()):
            self._doubt(connection, (gone.user,))

    def _doubt(self, connection: Connection, users: Collection[str]) -> None:
        if not users:
            return
        self._doubts.setdefault(connection, set()).update(users)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        while self._doubts:
            connection, doubtful = self._doubts.popitem()
            try:
                visible = await self._visible(connection, doubtful)
            except Exception:
                log.exception("nobody is shown of whom it is not known whether they may be")
                visible = []
            lost = connection.watching & doubtful.difference(visible)
            self._unwatch(connection, lost)
            for user in lost:
                connection.write(connection.codec.frame(_wire(user, online=False)))

    async def _visible(self, connection: Connection, users: Collection[str]) -> list[str]:
        return await self._storage.read(lambda tx: visible_people(tx, connection.actor, tuple(users)))

    def _unwatch(self, connection: Connection, users: frozenset[str]) -> None:
        for user in users:
            watchers = self._watchers.get(user, set())
            watchers.discard(connection)
            if not watchers:
                self._watchers.pop(user, None)
        connection.watching -= users


def _wire(user: str, online: bool) -> dict[str, Any]:
    return {"op": "presence", "user": user, "state": "online" if online else "offline"}
