"""The processes that serve the database, as each of them writes itself down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import nodes as queries

_RECENT: Final = 5 * limits.MINUTE
FORGOTTEN: Final = limits.HOUR
"""Silent for so long, a node that was killed is taken off the list."""


@dataclass(frozen=True, slots=True)
class Self:
    """This process. `id`: of this start."""

    id: str
    name: str
    release: str
    started_at: int


async def beat(tx: Tx, node: Self, *, leads: bool) -> None:
    """Say that it lives."""
    await queries.put(tx, node.id, node.name, node.release, node.started_at, int(leads))


async def stop(tx: Tx, node: Self) -> None:
    """It ends in order."""
    await queries.remove(tx, node.id)


async def pulses(tx: Reader) -> dict[str, int]:
    """By node, a number that changes while it lives: clocks of two machines are not compared."""
    return {row.id: row.seen_at for row in await queries.everyone(tx)}


async def recent(tx: Reader) -> dict[str, int]:
    """The same of those that may be alive: silent for less than a few minutes, whatever the clocks."""
    return {row.id: row.seen_at for row in await queries.everyone(tx) if abs(tx.now - row.seen_at) < _RECENT}


async def listed(tx: Reader) -> list[dict[str, Any]]:
    """`[{name, release, leads, started_at, seen_at}]`, the longest running first."""
    return [
        {
            "name": row.name,
            "release": row.release,
            "leads": row.leads,
            "started_at": row.started_at,
            "seen_at": row.seen_at,
        }
        for row in await queries.everyone(tx)
    ]


async def forget_silent(tx: Tx) -> None:
    await queries.remove_silent(tx, tx.now - FORGOTTEN)
