"""The writer's thread: it lives through a failing answer and a savepoint that is gone, and nobody holds it for long."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chat_server.clock import SystemClock
from chat_server.ports import Tx
from chat_server.storage.jobs import BATCH, BATCH_SECONDS
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.patience import DEADLINE


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
        async with asyncio.timeout(DEADLINE):
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
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(ValueError, match="went"):
                await storage.write(loses_it)
            assert await storage.write(_nothing) == "done"
    finally:
        await storage.close()


async def batches(storage: SqliteStorage, *queued: tuple[int, Callable[[Tx], Awaitable[None]]]) -> list[list[object]]:
    """What each commit brought, when all of this is queued behind a use case that is under way. Notes tell who was in it."""
    committed: list[list[object]] = []
    storage.on_notes = committed.append
    under_way, go_on = threading.Event(), threading.Event()

    async def hold(tx: Tx) -> None:
        tx.emit("hold")
        under_way.set()
        assert go_on.wait(DEADLINE)

    writes = [asyncio.create_task(storage.write(hold))]
    await asyncio.to_thread(under_way.wait, DEADLINE)
    writes += [asyncio.create_task(storage.write(use_case, org_id=org_id)) for org_id, use_case in queued]
    await asyncio.sleep(0)  # each of them has come as far as the queue
    go_on.set()
    await asyncio.gather(*writes)
    return committed


def noting(note: object) -> Callable[[Tx], Awaitable[None]]:
    async def use_case(tx: Tx) -> None:
        tx.emit(note)

    return use_case


@pytest.mark.asyncio
async def test_a_flood_of_one_organization_does_not_delay_its_neighbours(tmp_path: Path) -> None:
    """They take turns: whoever came last, behind four batches of another's, is in the very next one, and early in it."""
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    try:
        flood = [(1, noting(("flood", n))) for n in range(4 * BATCH)]
        own = [(org_id, noting(("own", org_id, n))) for org_id in (2, 3) for n in range(2)]
        async with asyncio.timeout(DEADLINE):
            held, first, *later = await batches(storage, *flood, *own)
        assert held == ["hold"]
        assert first[:6] == [
            ("flood", 0), ("own", 2, 0), ("own", 3, 0), ("flood", 1), ("own", 2, 1), ("own", 3, 1),
        ]  # fmt: skip
        order = [note for batch in (first, *later) for note in batch if note[0] == "flood"]  # type: ignore[index]
        assert order == [("flood", n) for n in range(4 * BATCH)], "each organization's own order is kept"
    finally:
        await storage.close()


@pytest.mark.asyncio
async def test_no_batch_holds_the_writer_longer_than_its_time_and_one_job(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    job = BATCH_SECONDS / 4

    def working(n: int) -> Callable[[Tx], Awaitable[None]]:
        async def use_case(tx: Tx) -> None:
            began = time.perf_counter()
            while time.perf_counter() - began < job:
                pass
            tx.emit(n)

        return use_case

    try:
        async with asyncio.timeout(DEADLINE):
            committed = await batches(storage, *[(1, working(n)) for n in range(40)])
        # A job takes at least its time, however busy the machine: so many fit into a batch's, and one goes over its end.
        assert max(len(batch) for batch in committed) <= BATCH_SECONDS / job + 1
        assert list(itertools.chain(*committed)) == ["hold", *range(40)]
    finally:
        await storage.close()
