"""What the server has still to do behind the acks: how much of each kind waits, and for how long the oldest has."""

from __future__ import annotations

import contextlib
from typing import Final, NamedTuple

from chat_server.domain import limits
from chat_server.ports import MESSAGES, PushRecord, Reader, SearchIndex, Storage
from chat_server.storage.queries import backlog as queries

SEARCH: Final = "search"
PUSH: Final = "push"


class Waiting(NamedTuple):
    """`seconds`: since the oldest was due; 0 where nothing waits."""

    number: int
    seconds: float


async def waiting(storage: Storage, index: SearchIndex, pushes: PushRecord | None = None) -> dict[str, Waiting]:
    """By kind: outbox, search, bots, webhooks, scheduled, push …; `…_parked` are given up until somebody looks at them."""
    position = await index.position(MESSAGES)
    now, found = await storage.read(lambda reader: _look(reader, position))
    if pushes is not None:
        # a ledger that fails is said in the log; everything else is counted all the same
        with contextlib.suppress(OSError):
            found[PUSH] = queries.Waiting(*await pushes.waiting())
    return {
        name: Waiting(one.number, 0.0 if one.since is None else max(0, now - one.since) / limits.SECOND)
        for name, one in found.items()
    }


async def _look(reader: Reader, position: int) -> tuple[int, dict[str, queries.Waiting]]:
    return reader.now, {SEARCH: await queries.behind(reader, position), **await queries.waiting(reader)}
