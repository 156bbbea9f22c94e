"""One of several processes does what is done once; another takes over when it dies, falls silent or stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from chat_server.storage.engines import Alone
from chat_server.storage.postgresql import leading
from chat_server.storage.postgresql.leading import PostgresLeadership
from tests.support import postgresql
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "ASK", 0.1)
    # Not as quick as could be: the server must not end the session of one that a busy machine kept from asking for a second.
    monkeypatch.setattr(leading, "ANSWER", 1.0)
    monkeypatch.setattr(leading, "IDLE", 4)


class Office:
    """Whoever works, one after the other; two at once are an error."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.log: list[str] = []
        self.changed = asyncio.Condition()
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def hire(self, name: str, address: str) -> PostgresLeadership:
        leadership = PostgresLeadership(address)
        self.tasks[name] = asyncio.create_task(leadership.hold(lambda: self._work(name)))
        return leadership

    async def _work(self, name: str) -> None:
        assert not self.at_work, f"{name} begins while {self.at_work} works"
        self.at_work.append(name)
        await self._tell(name)
        try:
            await asyncio.Event().wait()
        finally:
            self.at_work.remove(name)

    async def _tell(self, name: str) -> None:
        async with self.changed:
            self.log.append(name)
            self.changed.notify_all()

    async def until(self, *log: str) -> None:
        async with asyncio.timeout(DEADLINE), self.changed:
            await self.changed.wait_for(lambda: len(self.log) >= len(log))
        assert self.log == list(log)

    async def dismiss(self, name: str) -> None:
        task = self.tasks.pop(name)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    found = Office()
    yield found
    for name in list(found.tasks):
        await found.dismiss(name)
    assert found.at_work == []


@pytest.fixture(scope="module")
def database() -> str:
    return postgresql.shared().empty()


async def test_one_works_and_the_next_takes_over_when_it_stops(office: Office, database: str) -> None:
    first = office.hire("first", database)
    await office.until("first")
    second = office.hire("second", database)
    third = office.hire("third", database)
    assert (first.leads, second.leads, third.leads) == (True, False, False)
    await office.dismiss("first")
    async with asyncio.timeout(DEADLINE), office.changed:
        await office.changed.wait_for(lambda: len(office.log) == 2)
    assert [first.leads, second.leads, third.leads].count(True) == 1


async def test_whoever_loses_its_session_stops(office: Office, database: str) -> None:
    office.hire("first", database)
    await office.until("first")
    office.hire("second", database)
    connection = await asyncpg.connect(database)
    try:
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    finally:
        await connection.close()
    async with asyncio.timeout(DEADLINE), office.changed:
        await office.changed.wait_for(lambda: len(office.log) == 2)


async def test_whoever_is_cut_off_stops_before_another_begins(office: Office, database: str) -> None:
    """Nothing comes back and no error either: the server ends the silent session, and by then the work has stopped."""
    port = postgresql.shared().port
    async with CuttingProxy("127.0.0.1", port) as line:
        office.hire("first", database.replace(f":{port}", f":{line.port}"))
        await office.until("first")
        office.hire("second", database)
        line.stall()
        await office.until("first", "second")
        await office.dismiss("first")


async def test_work_that_fails_is_begun_again(database: str) -> None:
    begun = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 2:
            again.set()
        raise RuntimeError("a worker that falls over")

    holding = asyncio.create_task(PostgresLeadership(database).hold(work))
    try:
        await asyncio.wait_for(again.wait(), DEADLINE)
    finally:
        holding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await holding


async def test_one_process_alone_just_works() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    alone = Alone()
    await alone.hold(work)
    assert alone.leads
    assert done.is_set()
