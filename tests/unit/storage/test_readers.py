"""Reading connections: one view each, and whole again after whatever ended a view early."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chat_server.clock import SystemClock
from chat_server.storage.sqlite.storage import READERS, SqliteStorage
from tests.support.patience import DEADLINE


async def _one(tx: Any) -> Any:
    return await tx.one("SELECT 1")


async def test_a_cancelled_read_leaves_its_connection_usable(tmp_path: Path) -> None:
    """Cancelled at any moment, BEGIN included: every connection serves the next view."""
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    try:
        for steps in range(12):
            reads = [asyncio.create_task(storage.read(_one)) for _ in range(READERS)]
            for _ in range(steps):
                await asyncio.sleep(0)
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)
            async with asyncio.timeout(DEADLINE):
                assert await asyncio.gather(*(storage.read(_one) for _ in range(READERS))) == [(1,)] * READERS
    finally:
        await storage.close()


async def test_a_failed_read_leaves_its_connection_usable(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())

    async def fails(tx: Any) -> None:
        await tx.one("SELECT 1")
        raise ValueError("in the middle")

    try:
        for _ in range(READERS * 2):
            with pytest.raises(ValueError, match="in the middle"):
                await storage.read(fails)
        assert await storage.read(_one) == (1,)
    finally:
        await storage.close()


async def test_a_view_is_consistent(tmp_path: Path) -> None:
    """What is committed while somebody reads is not seen in the same view."""
    storage = await SqliteStorage.open(tmp_path, SystemClock())

    async def put(tx: Any) -> None:
        await tx.run("INSERT INTO settings (name, value) VALUES ('new', '1')")

    async def twice(tx: Any) -> tuple[int, int]:
        before = (await tx.one("SELECT count(*) FROM settings"))[0]
        await storage.write(put)
        return before, (await tx.one("SELECT count(*) FROM settings"))[0]

    try:
        assert await storage.read(twice) == (0, 0)
        assert (await storage.read(lambda tx: tx.one("SELECT count(*) FROM settings"))) == (1,)
    finally:
        await storage.close()
