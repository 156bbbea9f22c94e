"""One body for every bus: what `ports.Bus` says it MUST do, on memory, a real PostgreSQL and a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import asyncpg
import pytest

from chat_server.bus.memory import Exchange, MemoryBus
from chat_server.bus.postgresql import NotifyBus
from chat_server.bus.relay import Line, Relay
from chat_server.bus.valkey import ValkeyBus
from chat_server.ports import ITEM_BYTES, Bus
from tests.support import postgresql
from tests.support.bus_servers import RedisServer, redis_server
from tests.support.patience import DEADLINE


@pytest.fixture(scope="module")
def dsn() -> str:
    return postgresql.shared().empty()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@dataclass
class Listener:
    """A node's end of the bus, and all that it heard."""

    bus: Bus
    heard: list[bytes] = field(default_factory=list)
    joined: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.bus.heard = self._hear
        self.bus.joined = self._join

    def _hear(self, item: bytes) -> None:
        self.heard.append(item)
        self.changed.set()

    def _join(self) -> None:
        self.joined += 1
        self.changed.set()

    async def until(self, fits: Callable[[Listener], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not fits(self):
                self.changed.clear()
                await self.changed.wait()

    async def hears(self, *items: bytes) -> None:
        await self.until(lambda me: len(me.heard) >= len(items))
        assert self.heard == list(items)
        self.heard.clear()


@contextlib.asynccontextmanager
async def nodes(*buses: Bus) -> AsyncIterator[list[Listener]]:
    listeners = [Listener(bus) for bus in buses]
    for listener in listeners:
        await listener.bus.start()
    try:
        for listener in listeners:
            await listener.until(lambda me: me.joined > 0)
        yield listeners
    finally:
        for listener in listeners:
            await listener.bus.close()


@pytest.fixture(params=["memory", "postgresql", "valkey"])
def make(request: pytest.FixtureRequest) -> Callable[[], Bus]:
    if request.param == "memory":
        exchange = Exchange()
        return lambda: MemoryBus(exchange)
    if request.param == "postgresql":
        dsn = request.getfixturevalue("dsn")
        return lambda: NotifyBus(dsn=dsn)
    server = request.getfixturevalue("redis")
    return lambda: ValkeyBus(server.address)


async def test_every_other_node_hears_and_the_speaker_does_not(make: Callable[[], Bus]) -> None:
    async with nodes(make(), make(), make()) as (first, second, third):
        assert first.bus.state == "connected"
        first.bus.publish(b'{"room":1}')
        await second.hears(b'{"room":1}')
        await third.hears(b'{"room":1}')
        third.bus.publish(b"again")
        await first.hears(b"again")
        assert third.heard == []


async def test_what_one_node_says_is_heard_in_its_order_and_any_length(make: Callable[[], Bus]) -> None:
    """Many short items travel together, long ones in several payloads, none over what a notification holds."""
    said = [b"%d" % number for number in range(3000)] + [b"x" * ITEM_BYTES, "部屋".encode() * 1000, b"", b"end"]
    async with nodes(make(), make()) as (first, second):
        for item in said:
            first.bus.publish(item)
        await second.hears(*said)


@pytest.mark.parametrize("item", [b"x" * (ITEM_BYTES + 1), b"two\nlines"])
async def test_an_item_is_one_short_line(make: Callable[[], Bus], item: bytes) -> None:
    async with nodes(make()) as (only,):
        with pytest.raises(ValueError, match="one short line"):
            only.bus.publish(item)


async def test_who_has_left_hears_nothing(make: Callable[[], Bus]) -> None:
    async with nodes(make(), make(), make()) as (first, second, third):
        await second.bus.close()
        first.bus.publish(b"who is there")
        await third.hears(b"who is there")
        assert second.heard == []


async def test_a_listener_that_fails_loses_its_item_alone(make: Callable[[], Bus]) -> None:
    async with nodes(make(), make()) as (first, second):
        hear = second.bus.heard

        def failing(item: bytes) -> None:
            if item == b"bad":
                raise RuntimeError("cannot take this")
            hear(item)

        second.bus.heard = failing
        first.bus.publish(b"bad")
        first.bus.publish(b"good")
        await second.hears(b"good")


async def cut_listeners(dsn: str) -> int:
    """As an administrator, a failover or a firewall does."""
    connection = await asyncpg.connect(dsn)
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    finally:
        await connection.close()
    return len(ended)


async def test_a_cut_line_is_made_again_and_says_so(dsn: str) -> None:
    async with nodes(NotifyBus(dsn=dsn), NotifyBus(dsn=dsn)) as (first, second):
        assert await cut_listeners(dsn) >= 2
        await first.until(lambda me: me.joined == 2)
        await second.until(lambda me: me.joined == 2)
        first.bus.publish(b"after")
        await second.hears(b"after")


async def test_a_cut_bus_holds_nobody_up_and_keeps_nothing_old() -> None:
    with redis_server() as server:
        async with nodes(ValkeyBus(server.address), ValkeyBus(server.address)) as (first, second):
            server.stop()
            async with asyncio.timeout(DEADLINE):
                while "connected" in (first.bus.state, second.bus.state):  # noqa: ASYNC110 (nobody tells of a cut)
                    await asyncio.sleep(0.01)
            for _ in range(50_000):
                first.bus.publish(b"lost")
            server.start()
            await first.until(lambda me: me.joined == 2)
            await second.until(lambda me: me.joined == 2)
            first.bus.publish(b"after")
            await second.hears(b"after")


async def test_a_line_that_only_looks_healthy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side holds the sockets and answers nothing: no error ever comes, only silence."""
    monkeypatch.setattr("chat_server.bus.relay.BEAT", 0.1)
    monkeypatch.setattr("chat_server.bus.relay.SILENCE", 0.5)
    with redis_server() as server:
        async with nodes(ValkeyBus(server.address)) as (only,):
            server.freeze()
            async with asyncio.timeout(DEADLINE):
                while only.bus.state == "connected":
                    only.bus.publish(b"into the void")
                    await asyncio.sleep(0.01)


async def test_a_bus_that_was_never_there_is_waited_for() -> None:
    with redis_server() as server:
        server.stop()
        bus = ValkeyBus(server.address)
        listener = Listener(bus)
        await bus.start()
        try:
            bus.publish(b"nobody hears this")
            assert bus.state == "cut"
            server.start()
            await listener.until(lambda me: me.joined == 1)
        finally:
            await bus.close()


async def test_the_pause_before_dialling_again_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that is away for an hour is not dialled ten times a second by every node."""
    dialled = []

    class Nowhere(Relay):
        async def dial(self) -> Line:
            dialled.append(asyncio.get_running_loop().time())
            raise ConnectionRefusedError

    monkeypatch.setattr("chat_server.bus.relay.FIRST_PAUSE", 0.01)
    bus = Nowhere("nowhere")
    await bus.start()
    async with asyncio.timeout(DEADLINE):
        while len(dialled) < 7:  # noqa: ASYNC110 (the bus tells nobody of a failed try)
            await asyncio.sleep(0.01)
    await bus.close()
    pauses = [later - earlier for earlier, later in itertools.pairwise(dialled)]
    # By their least: half of one that doubles each time. How much longer they were is the machine's.
    assert all(pause > 0.99 * 0.01 * 2**number / 2 for number, pause in enumerate(pauses)), pauses
