"""The ledger's calls as steps: the same on both engines, which only say how a step becomes a transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from chat_server.ports import PushDecided
from mobile_api.ledger import carrying, looking, queueing
from mobile_api.ledger.port import Handed, Mark, Order, Rung, Settled, Taken
from mobile_api.ledger.session import Session

T = TypeVar("T")
Step = Callable[[Session], Awaitable[T]]


class Acts(ABC):
    """`ledger.port.Ledger` but for opening and closing."""

    @abstractmethod
    async def _write(self, step: Step[T]) -> T:
        """In a transaction that is on the disk when this answers. Raises OSError."""

    @abstractmethod
    async def _read(self, step: Step[T]) -> T:
        """On one view. Raises OSError."""

    async def belong(self, epoch: str) -> None:
        async def step(session: Session) -> None:
            if [tuple(row) for row in await session.all("SELECT value FROM state WHERE name = 'epoch'")] == [(epoch,)]:
                return
            for table in ("rung", "parcels", "handed"):
                await session.run(f"DELETE FROM {table}")  # noqa: S608
            await session.run("DELETE FROM state WHERE name = 'epoch'")
            await session.run("INSERT INTO state (name, value) VALUES ('epoch', ?)", epoch)

        await self._write(step)

    async def hand_over(self, handed: Handed, orders: Sequence[Order], now: int) -> bool:
        return await self._write(lambda session: queueing.hand_over(session, handed, orders, now))

    async def recover(self, now: int) -> int:
        return await self._write(lambda session: carrying.recover(session, now))

    async def hurry(self, reason: str, now: int) -> int:
        return await self._write(lambda session: carrying.hurry(session, reason, now))

    async def lanes(self) -> list[str]:
        return await self._read(carrying.lanes)

    async def take(self, lane: str, limit: int, now: int) -> list[Taken]:
        return await self._write(lambda session: carrying.take(session, lane, limit, now))

    async def next_due(self) -> int | None:
        return await self._read(carrying.next_due)

    async def settle(self, results: Sequence[Settled], now: int) -> None:
        await self._write(lambda session: carrying.settle(session, results, now))

    async def read(self, marks: Sequence[Mark], now: int, expires: int) -> int:
        return await self._write(lambda session: queueing.read(session, marks, now, expires))

    async def rung(self, after: tuple[int, int], limit: int) -> list[Rung]:
        return await self._read(lambda session: looking.rung(session, *after, limit))

    async def prune(self, before: int, limit: int) -> int:
        return await self._write(lambda session: looking.prune(session, before, limit))

    async def decided(self, message_id: int, user_id: int) -> PushDecided | None:
        return await self._read(lambda session: looking.decided(session, message_id, user_id))

    async def waiting(self) -> tuple[int, int | None]:
        return await self._read(looking.waiting)
