"""The outbox worker ends when it is told to, whatever happens in the same moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chat_server.clock import SystemClock
from chat_server.storage.sqlite.storage import SqliteStorage
from chat_server.workers.outbox import OutboxWorker


async def test_a_wake_up_together_with_the_cancellation_does_not_keep_it_alive(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())
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
            async with asyncio.timeout(5):
                await asyncio.gather(task, return_exceptions=True)
    finally:
        await storage.close()
