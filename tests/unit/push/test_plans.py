"""No step of the ledger, and no question about a message's recipients, reads a table from end to end."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chat_server.clock import SystemClock
from chat_server.fuse import Fuse
from chat_server.ports import Reader
from chat_server.services import jobs, push_expanding, push_loading
from chat_server.storage import engines
from chat_server.storage.queries import notifications, push_recipients
from mobile_api.ledger import carrying, looking, queueing
from mobile_api.ledger.port import ACCEPTED, BADGE, WAITING, Mark, Settled
from mobile_api.ledger.session import Row, Value
from mobile_api.ledger.sqlite import _Session, make
from tests.support.push.orders import DAY, NOW, handed, order

COUNTING = (
    "SELECT count(*), min(created_at) FROM parcels WHERE state < 10",
    "UPDATE parcels SET state = ?, due_at = ?, answer = 'the server stopped before the answer' WHERE state = 1",
)


class Explaining(_Session):
    """Keeps how each statement is carried out."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self.plans: dict[str, list[str]] = {}

    def _explain(self, sql: str, values: Sequence[Value]) -> None:
        if not sql.startswith(("CREATE", "DROP")):
            self.plans[sql] = [row[3] for row in self._db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        self._explain(sql, values)
        return await super().all(sql, *values)

    async def run(self, sql: str, *values: Value) -> int:
        self._explain(sql, values)
        return await super().run(sql, *values)

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        if rows:
            self._explain(sql, rows[0])
        await super().many(sql, rows)


def scans(plans: dict[str, list[str]], tables: Sequence[str]) -> list[tuple[str, str]]:
    """Whole tables and whole indexes that are read. Counting what is under way is allowed to read what is under way."""
    return [
        (sql, line)
        for sql, lines in plans.items()
        for line in lines
        if line.startswith("SCAN")
        and line.split()[1] in tables
        and not (sql in COUNTING or "INDEX outbox_push" in line)
    ]


async def test_the_ledger_scans_nothing() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    session = Explaining(db)
    await make(session)
    for message in range(1, 40):
        await queueing.hand_over(session, handed(message), [order(1, message), order(2, message, kind=BADGE)], NOW)
    (one,) = [taken for taken in await carrying.take(session, "fcm", 10, NOW) if taken.device_id == 1]
    await carrying.settle(session, [Settled(one.id, one.tries, ACCEPTED, rang=True)], NOW)
    await carrying.settle(session, [Settled(one.id, one.tries, WAITING)], NOW)
    await carrying.recover(session, NOW)
    await carrying.hurry(session, "no line", NOW)
    assert await carrying.lanes(session) == ["fcm"]
    await carrying.next_due(session)
    assert await queueing.read(session, [Mark(101, 7, 39)], NOW, NOW + DAY) == 1
    await looking.rung(session, 0, 0, 10)
    await looking.decided(session, 5, 101)
    await looking.waiting(session)
    await looking.prune(session, NOW + 1, 5)
    found = scans(session.plans, ("parcels", "p", "b", "handed", "rung", "r"))
    assert found == [], found
    assert len(session.plans) > 15
    db.close()


class ExplainingReader:
    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.now = inner.now
        self.plans: dict[str, list[str]] = {}

    async def one(self, sql: str, *values: Any) -> Any:
        await self._explain(sql, values)
        return await self._inner.one(sql, *values)

    async def all(self, sql: str, *values: Any) -> Any:
        await self._explain(sql, values)
        return await self._inner.all(sql, *values)

    async def _explain(self, sql: str, values: Sequence[Any]) -> None:
        self.plans[sql] = [row[3] for row in await self._inner.all(f"EXPLAIN QUERY PLAN {sql}", *values)]


async def test_whom_a_message_wakes_is_found_by_indexes(tmp_path: Path) -> None:
    storage = await engines.open_storage("", tmp_path, SystemClock(), Fuse())

    async def ask(reader: Reader) -> dict[str, list[str]]:
        explaining = ExplainingReader(reader)
        await push_expanding.expand(explaining, [(1, 1)], lambda room: (), "lgwan")
        await push_recipients.members(explaining, 1, 1)
        await push_loading.load(explaining, {1, 2}, {1}, {1}, "lgwan")
        await push_loading.keys_of(explaining, {"x"})
        await jobs.to_push(explaining, 10)
        await notifications.of_person(explaining, 1)
        await notifications.rooms(explaining, 1)
        return explaining.plans

    try:
        plans = await storage.read(ask)
        tables = (
            "m",
            "u",
            "n",
            "l",
            "s",
            "x",
            "r",
            "t",
            "d",
            "q",
            "outbox",
            "memberships",
            "messages",
            "mentions",
            "rooms",
        )
        assert scans(plans, tables) == []
        assert len(plans) > 8
    finally:
        await storage.close()
