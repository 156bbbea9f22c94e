"""The model of the streams over two nodes on one database: hints are lost, notes come late, nodes are killed, clients
move. It ends where one node ends: everybody holds what the server has, each event once, and nothing after a removal."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from chat_server.bus.memory import Exchange
from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.ports import Storage
from chat_server.storage.postgresql.storage import PostgresStorage
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.property.test_stream_model import ENOUGH, Streams, codes, person, pick
from tests.support import postgresql
from tests.support.two_nodes import NodeStorage, OneNode, OwnSessions, open_node

NODES = 2
which_node = st.integers(0, NODES - 1)


class TwoNodes(Streams):
    """Everything of `Streams`, and what several nodes add to it."""

    async def open(self) -> None:
        self.shared = await SqliteStorage.open(Path(self.folder), SystemClock())
        self.exchange = Exchange()
        self.nodes = [await self._node(number) for number in range(NODES)]
        self.requests = 0
        self.app = self.nodes[0]

    async def _node(self, number: int) -> OneNode:
        return await open_node(NodeStorage(self.shared), self.exchange, self._by_token, f"node{number}")

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()
        await self.shared.close()

    def _by_token(self, token: str) -> Actor:
        return next(actor for actor in self.people if actor.id == token)

    def somewhere(self) -> Storage:
        self.requests += 1
        return self.nodes[self.requests % NODES].storage

    async def settle(self) -> None:
        for node in self.nodes:
            node.storage.let_go()
        for node in self.nodes:
            await node.settle()

    # What happens

    @rule(who=person, to=which_node)
    def somebody_moves(self, who: int, to: int) -> None:
        """The line breaks, and the proxy leads the client elsewhere."""
        self._somebody(who)
        self.clients[who].cut()
        self.clients[who].app = self.nodes[to]
        self._somebody(who)

    @rule(cut=st.booleans())
    def the_bus_is_cut_or_mended(self, cut: bool) -> None:
        self.exchange.cut = cut

    @rule(late=which_node, acts=st.lists(st.tuples(person, codes, pick), min_size=1, max_size=6))
    def a_nodes_notes_come_late(self, late: int, acts: list[tuple[int, int, int]]) -> None:
        """Others read what it committed before its own hub hears of it."""
        node = self.nodes[late]
        node.storage.hold = True
        for who, code, which in acts:
            self.act(who, code, which)
        self.do(self.nodes[1 - late].settle())
        if acts[0][1] % 2:
            self.do(node.settle())
        node.storage.let_go()

    @rule(which=which_node)
    def a_node_compares(self, which: int) -> None:
        self.do(self.nodes[which].settle())

    @rule(which=which_node)
    def a_node_is_killed(self, which: int) -> None:
        """Its clients find the other one; it comes back empty-handed."""
        killed = self.nodes[which]
        killed.storage.on_notes = lambda notes: None
        for client in self.clients:
            if client.app is killed:
                client.cut()
                client.app = self.nodes[1 - which]
        self.do(killed.close())
        self.nodes[which] = self.do(self._node(which))
        self.app = self.nodes[0]


class TwoNodesOnPostgres(TwoNodes):
    """The same with sessions of their own on a real PostgreSQL: what one commits, the other reads in its own views."""

    async def open(self) -> None:
        self.address = postgresql.shared().fresh()
        self.exchange = Exchange()
        self.starts = 0
        self.nodes = [await self._node(number) for number in range(NODES)]
        self.requests = 0
        self.app = self.nodes[0]

    async def _node(self, number: int) -> OneNode:
        self.starts += 1
        storage = await PostgresStorage.open(self.address, Path(self.folder) / f"{self.starts}", SystemClock())
        return await open_node(OwnSessions(storage), self.exchange, self._by_token, f"node{number}")

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()


TestTwoNodes = TwoNodes.TestCase
TestTwoNodes.settings = ENOUGH
TestTwoNodesOnPostgres = TwoNodesOnPostgres.TestCase
TestTwoNodesOnPostgres.settings = settings(ENOUGH, max_examples=10)
