"""PostgreSQL dies under the server: what was acknowledged is there once, nothing else was promised, and it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.errors import Problem
from chat_server.ports import Reader, Tx
from chat_server.storage.postgresql.storage import PostgresStorage
from tests.support.patience import DEADLINE
from tests.support.postgresql import Cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("fsync=on")
    made.start()
    yield made
    made.remove()


@pytest.fixture
async def storage(cluster: Cluster, tmp_path: Path) -> AsyncIterator[PostgresStorage]:
    opened = await PostgresStorage.open(cluster.fresh(), tmp_path, SystemClock())
    yield opened
    await opened.close()


async def kept(reader: Reader) -> set[str]:
    return {row[0] for row in await reader.all("SELECT name FROM settings WHERE name LIKE 'x%'")}


async def writing(
    storage: PostgresStorage, who: int, acknowledged: set[str], acks: asyncio.Queue[str], done: asyncio.Event
) -> None:
    """One after the other, each again under the same key until it is answered, as clients do."""
    number = 0
    while not done.is_set():
        name = f"x{who}-{number}"

        async def once(tx: Tx, name: str = name) -> None:
            await tx.run("INSERT INTO settings (name, value) VALUES (?, '') ON CONFLICT DO NOTHING", name)

        try:
            await storage.write(once, org_id=who)
        except Problem as problem:
            if problem.fault.code != 8001:
                raise
            await asyncio.sleep(0.02)  # a client waits longer
            continue
        acknowledged.add(name)
        acks.put_nowait(name)
        number += 1


async def answered(acks: asyncio.Queue[str], more: int) -> None:
    async with asyncio.timeout(DEADLINE):
        for _ in range(more):
            await acks.get()


@pytest.mark.parametrize("what", ["one session", "everything"])
async def test_what_was_acknowledged_outlives_the_database(
    cluster: Cluster, storage: PostgresStorage, what: str
) -> None:
    acknowledged: set[str] = set()
    acks: asyncio.Queue[str] = asyncio.Queue()
    done = asyncio.Event()
    writers = [asyncio.create_task(writing(storage, n, acknowledged, acks, done)) for n in range(5)]
    for _ in range(2):
        await answered(acks, 50)
        if what == "everything":
            await asyncio.to_thread(cluster.kill)
            await asyncio.to_thread(cluster.start)
        else:
            sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renraku'"
            await asyncio.to_thread(cluster.execute, sql)
        while not acks.empty():
            acks.get_nowait()  # what is counted from here on was acknowledged after the fault
    await answered(acks, 50)
    done.set()
    await asyncio.gather(*writers)
    assert await storage.read(kept) == acknowledged
