"""The outbox worker: it ends when it is told to, and takes away what it has done and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chat_server.clock import SystemClock
from chat_server.ports import Tx
from chat_server.services import jobs
from chat_server.workers.outbox import OutboxWorker
from tests.support.engines import open_storage
from tests.support.patience import DEADLINE
from tests.support.people import add_organization


async def test_a_wake_up_together_with_the_cancellation_does_not_keep_it_alive(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        for steps in range(40):
            worker = OutboxWorker(storage, pause=0, poll=60)
            task = asyncio.create_task(worker.run())
            for _ in range(20 + steps):
                await asyncio.sleep(0)
            await storage.read(lambda tx: tx.one("SELECT 1"))
            for _ in range(steps):
                await asyncio.sleep(0)
            worker.wake()
            task.cancel()
            async with asyncio.timeout(DEADLINE):
                await asyncio.gather(task, return_exceptions=True)
    finally:
        await storage.close()


async def test_a_job_that_came_late_under_a_smaller_number_is_not_lost(tmp_path: Path) -> None:
    """As on PostgreSQL, where numbers are given before the commit: 3 is committed after 5 was read."""
    storage = await open_storage(tmp_path, SystemClock())

    async def put(tx: Tx, number: int) -> None:
        await tx.run("INSERT INTO outbox (id, org_id, kind, at) VALUES (?, 1, 'message', 0)", number)

    async def kept(tx: Tx) -> list[int]:
        return [job.id for job in await jobs.oldest(tx, 10)]

    try:
        await add_organization(storage)
        for number in (2, 5):
            await storage.write(lambda tx, number=number: put(tx, number))  # type: ignore[misc]
        batch = await storage.read(lambda tx: jobs.oldest(tx, 10))
        await storage.write(lambda tx: put(tx, 3))
        await storage.write(lambda tx: jobs.finish(tx, batch))
        assert await storage.write(kept) == [3]
        assert await OutboxWorker(storage).expand() == 1
        assert await storage.write(kept) == []
    finally:
        await storage.close()
