"""Clients behind the sample proxy: a node is killed, or both are restarted one after the other, in a busy minute. Nobody's
message is lost, doubled or out of order, and nobody has to do anything."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from chat_client import Client, EventStream
from chat_client import events as e
from tests.client.waiting import FastClock
from tests.support.cluster import Cluster, cluster, nginx
from tests.support.patience import DEADLINE

PEOPLE = 4
EACH = 25


class Talk:
    """Everybody writes at once and reads everything; `written` counts the acks."""

    def __init__(self, town: Cluster) -> None:
        self.town = town
        self.written = 0
        self.changed = asyncio.Condition()
        self.clients: list[Client] = []
        self.streams: list[EventStream] = []

    async def come(self, port: int, closing: AsyncExitStack) -> None:
        for who in range(PEOPLE):
            client = Client(f"http://127.0.0.1:{port}", credentials=self.town.credentials(who), clock=FastClock(10))
            closing.push_async_callback(client.close)
            self.streams.append(client.events())
            self.clients.append(client)
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*(client.start() for client in self.clients))

    async def write(self) -> None:
        await asyncio.gather(*(self._one(who, client) for who, client in enumerate(self.clients)))

    async def _one(self, who: int, client: Client) -> None:
        for number in range(EACH):
            await client.send(self.town.room, f"{who}-{number}")
            async with self.changed:
                self.written += 1
                self.changed.notify_all()

    async def after(self, messages: int) -> None:
        async with asyncio.timeout(DEADLINE), self.changed:
            await self.changed.wait_for(lambda: self.written >= messages)

    async def read(self, stream: EventStream) -> list[str]:
        """Every text; seqs without gap or repetition."""
        texts: list[str] = []
        last: int | None = None
        while len(texts) < PEOPLE * EACH:
            event = await anext(stream)
            if isinstance(event, e.RoomEvent):
                assert last is None or event.seq == last + 1
                last = event.seq
            if isinstance(event, e.MessagePosted):
                texts.append(event.message.text)
        return texts

    async def happens(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        writing = asyncio.create_task(self.write())
        reading = [asyncio.create_task(self.read(stream)) for stream in self.streams]
        async with asyncio.timeout(DEADLINE):
            await meanwhile()
            await writing
            heard = await asyncio.gather(*reading)
        for who in range(PEOPLE):
            own = [text for text in heard[0] if text.startswith(f"{who}-")]
            assert own == [f"{who}-{number}" for number in range(EACH)], "each once, in the order of their author"
        assert all(texts == heard[0] for texts in heard), "everybody heard the same in the same order"


@pytest.fixture
async def town() -> AsyncIterator[Cluster]:
    async with cluster(people=PEOPLE) as found:
        yield found


@pytest.fixture
async def talk(town: Cluster) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as closing:
        with nginx(*(node.port for node in town.nodes)) as port:
            talking = Talk(town)
            await talking.come(port, closing)
            yield talking
            await closing.aclose()


async def test_a_node_is_killed_and_comes_back(town: Cluster, talk: Talk) -> None:
    async def meanwhile() -> None:
        await talk.after(10)
        await town.nodes[0].kill()
        await talk.after(50)
        await town.nodes[0].start()
        await talk.after(70)
        await town.nodes[1].kill()

    await talk.happens(meanwhile)


async def test_a_node_that_freezes_gives_up_the_writers_lock(town: Cluster, talk: Talk) -> None:
    """Stopped in the middle of writing, its sockets open: the database ends its session, the other node's people go on,
    and when it wakes up it dials again and follows."""

    async def meanwhile() -> None:
        await talk.after(10)
        town.nodes[0].send_signal(signal.SIGSTOP)
        frozen_at = talk.written
        await talk.after(frozen_at + 20)
        town.nodes[0].send_signal(signal.SIGCONT)

    await talk.happens(meanwhile)


async def test_a_rolling_restart(town: Cluster, talk: Talk) -> None:
    async def meanwhile() -> None:
        for number, node in enumerate(town.nodes):
            await talk.after(10 + 40 * number)
            assert await node.stop() == 0
            await node.start()

    await talk.happens(meanwhile)
