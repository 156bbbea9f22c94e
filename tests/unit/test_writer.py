"""The writer's thread lives through a failing answer and a savepoint that is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chat_server.clock import SystemClock
from chat_server.ports import Tx
from chat_server.storage.sqlite.storage import SqliteStorage


async def _nothing(tx: Tx) -> str:
    tx.emit("note")
    return "done"


@pytest.mark.asyncio
async def test_an_answer_that_fails_takes_neither_neighbours_nor_notes_along(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    heard: list[object] = []
    storage.on_notes = heard.extend

    def fails(result: Any, error: BaseException | None) -> None:
        raise RuntimeError("the socket is closed")

    try:
        storage.submit(0, _nothing, fails)
        async with asyncio.timeout(5):
            assert await storage.write(_nothing) == "done"
        assert heard == ["note", "note"]
    finally:
        await storage.close()


@pytest.mark.asyncio
async def test_a_lost_savepoint_fails_its_batch_and_not_the_thread(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())

    async def loses_it(tx: Tx) -> None:
        await tx.run("RELEASE job")
        raise ValueError("after the savepoint went")

    try:
        async with asyncio.timeout(5):
            with pytest.raises(ValueError, match="went"):
                await storage.write(loses_it)
            assert await storage.write(_nothing) == "done"
    finally:
        await storage.close()
