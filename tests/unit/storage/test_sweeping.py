"""The sweep removes what is due, and walks no table in the writer to find it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.ports import Row, Tx, Value
from chat_server.services import idempotency, own_stream, sweeping
from chat_server.storage.sqlite.storage import SqliteStorage
from chat_server.workers.sweeper import Sweeper
from tests.support.engines import open_storage
from tests.support.people import add_people


@dataclass
class Explaining:
    """A transaction that keeps the engine's plan of every statement."""

    inner: Tx
    plans: dict[str, list[str]] = field(default_factory=dict)
    now: int = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.inner.now

    async def one(self, sql: str, *values: Value) -> Row | None:
        await self._explain(sql, values)
        return await self.inner.one(sql, *values)

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        await self._explain(sql, values)
        return await self.inner.all(sql, *values)

    async def run(self, sql: str, *values: Value) -> int:
        await self._explain(sql, values)
        return await self.inner.run(sql, *values)

    def emit(self, note: object) -> None:
        self.inner.emit(note)

    async def _explain(self, sql: str, values: Sequence[Value]) -> None:
        self.plans[sql] = [row[3] for row in await self.inner.all(f"EXPLAIN QUERY PLAN {sql}", *values)]


@pytest.mark.asyncio
async def test_nothing_is_scanned_in_the_writer(tmp_path: Path) -> None:
    storage = await SqliteStorage.open(tmp_path, SystemClock())

    async def sweep(tx: Tx) -> dict[str, list[str]]:
        explaining = Explaining(tx)
        await sweeping.sweep(explaining)
        await idempotency.sweep(explaining)
        await own_stream.trim(explaining, 1)
        return explaining.plans

    try:
        plans = await storage.write(sweep)
        assert len(plans) >= 5
        for sql, steps in plans.items():
            assert not [step for step in steps if step.startswith("SCAN")], sql
    finally:
        await storage.close()


@pytest.mark.asyncio
async def test_what_is_due_goes_and_the_rest_stays(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    counts = {"sign_ins": 700, "sign_in_failures": 700, "refresh_tokens": 700}

    async def fill(tx: Tx) -> None:
        for number in range(701):
            end = 1 if number < 700 else tx.now + 60_000
            await tx.run(
                "INSERT INTO sign_ins (token_hash, account, device_name, zone, expires_at) VALUES (?, '', '', '', ?)",
                f"t{number}", end,
            )  # fmt: skip
            await tx.run("INSERT INTO sign_in_failures (key, failures, since) VALUES (?, 1, ?)", f"k{number}", end)
            await tx.run(
                "INSERT INTO refresh_tokens (token_hash, org_id, user_id, device_id, issued_at, expires_at)"
                " SELECT ?, org_id, user_id, id, 1, ? FROM devices LIMIT 1",
                f"t{number}", end,
            )  # fmt: skip

    async def left(tx: Tx) -> dict[str, int]:
        return {table: int((await tx.all(f"SELECT count(*) FROM {table}"))[0][0]) for table in counts}

    try:
        await add_people(storage, 1)
        await storage.write(fill)
        await Sweeper(storage).sweep()
        assert await storage.write(left) == dict.fromkeys(counts, 1)
    finally:
        await storage.close()
