"""Several nodes of one server in one process: each with its own hub, dispatcher and end of the bus, all on one storage.
They compare when a test tells them to: what arrives otherwise was brought by a hint.

What a node's own use cases emit comes back to that node alone, as with processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chat_server.bus.memory import Exchange, MemoryBus
from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import AnyStorage, Reader, Row, Tx, Value
from chat_server.realtime.dispatch import Dispatcher, Load
from chat_server.realtime.hub import Hub
from chat_server.realtime.node import Node
from chat_server.services import keys as keyring
from chat_server.services.epoch import stream_epoch
from chat_server.services.keys import SENDS, Keys
from chat_server.services.nodes import Self
from chat_server.storage.jobs import answered
from chat_server.storage.sqlite.storage import SqliteStorage

T = TypeVar("T")


class _SignedTx:
    """The transaction, with the node's name on what it emits."""

    def __init__(self, tx: Tx, node: NodeStorage) -> None:
        self._tx = tx
        self._node = node
        self.now = tx.now

    async def one(self, sql: str, *values: Value) -> Row | None:
        return await self._tx.one(sql, *values)

    async def all(self, sql: str, *values: Value) -> Any:
        return await self._tx.all(sql, *values)

    async def run(self, sql: str, *values: Value) -> int:
        return await self._tx.run(sql, *values)

    def emit(self, note: object) -> None:
        self._tx.emit((self._node, note))


def _route(signed: list[Any]) -> None:
    """What one commit brought, to the nodes whose use cases it was."""
    by_node: dict[NodeStorage, list[Any]] = {}
    for node, note in signed:
        by_node.setdefault(node, []).append(note)
    for node, notes in by_node.items():
        node.committed(notes)


class NodeStorage:
    """One node's door to the storage that all share. `hold` keeps its notes back until `let_go`: a commit whose process
    has not got round to telling its hub yet."""

    def __init__(self, storage: AnyStorage) -> None:
        self._storage = storage
        storage.on_notes = _route
        self.on_notes: Callable[[list[Any]], None] = lambda notes: None
        self.hold = False
        self._held: list[list[Any]] = []

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        async def signed(tx: Tx) -> Any:
            return await use_case(_SignedTx(tx, self))

        self._storage.submit(org_id, signed, on_done)

    def committed(self, notes: list[Any]) -> None:
        self._held.append(notes)
        if not self.hold:
            self.let_go()

    def let_go(self) -> None:
        self.hold = False
        held, self._held = self._held, []
        for notes in held:
            self.on_notes(notes)

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        result: T = await answered(lambda done: self.submit(org_id, use_case, done))
        return result

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        return await self._storage.read(use_case)


class OwnSessions(NodeStorage):
    """The same on PostgreSQL, where each node has sessions of its own and nothing has to be told apart."""

    def __init__(self, storage: AnyStorage) -> None:
        self._storage = storage
        storage.on_notes = self.committed
        self.on_notes = lambda notes: None
        self.hold = False
        self._held = []

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        self._storage.submit(org_id, use_case, on_done)

    async def close(self) -> None:
        await self._storage.close()


@dataclass
class OneNode:
    storage: NodeStorage
    hub: Hub
    dispatcher: Dispatcher
    bus: MemoryBus
    keys: Keys
    node: Node

    async def close(self) -> None:
        """Whatever is being read is read to its end first."""
        await asyncio.gather(*self.dispatcher._tasks, return_exceptions=True)
        await self.node.following.catch_up()
        await self.node.close()
        if isinstance(self.storage, OwnSessions):
            await self.storage.close()

    async def settle(self) -> None:
        """Look at the database as it does once a second, and read what it finds."""
        await self.node.look()
        await self.node.following.catch_up()


async def open_node(storage: NodeStorage, exchange: Exchange, find: Callable[[str], Actor], name: str) -> OneNode:
    """`find`: who may come in, by the token that they show."""
    hub, keys, bus, clock = Hub(), Keys(), MemoryBus(exchange), SystemClock()

    def authenticate(token: str, scope: Any) -> Load:
        async def load(tx: Reader) -> tuple[Actor, int]:
            return find(token), 2**60

        return load

    await keyring.prepare(storage, keys)
    hub.epoch = await stream_epoch(storage)
    dispatcher = Dispatcher(storage, hub, clock, authenticate, keys.current(SENDS).secret)
    me = Self(new_id(clock.now()), name, "0", clock.now())
    node = Node(me, storage, dispatcher, bus, keys, lambda: False, every=3600)
    storage.on_notes = node.following.committed
    await node.start()
    return OneNode(storage, hub, dispatcher, bus, keys, node)


@contextlib.asynccontextmanager
async def nodes(
    folder: Path, find: Callable[[str], Actor], count: int = 2
) -> AsyncIterator[tuple[list[OneNode], Exchange, SqliteStorage]]:
    shared = await SqliteStorage.open(folder, SystemClock())
    exchange = Exchange()
    opened: list[OneNode] = []
    try:
        for number in range(count):
            opened.append(await open_node(NodeStorage(shared), exchange, find, f"node{number}"))
        yield opened, exchange, shared
    finally:
        for one in opened:
            await one.close()
        await shared.close()
