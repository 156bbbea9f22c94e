"""SQL of what waits to be done: how much, and since when. Each question is answered by an index."""

from __future__ import annotations

from typing import Final, NamedTuple

from chat_server.ports import Reader


class Waiting(NamedTuple):
    """`since`: when the oldest of them should have been done (UTC ms)."""

    number: int
    since: int | None


_WAITING: Final = {
    "outbox": "SELECT count(*), min(at) FROM outbox WHERE parked_at IS NULL",
    "push_expanding": "SELECT count(*), min(at) FROM outbox WHERE kind = 'push' AND parked_at IS NULL",
    "outbox_parked": "SELECT count(*), min(parked_at) FROM outbox WHERE parked_at IS NOT NULL",
    "bots": "SELECT count(*), min(due_at) FROM bot_events WHERE parked_at IS NULL AND due_at <= ?",
    "previews": "SELECT count(*), min(due_at) FROM renditions WHERE state = 'pending' AND due_at <= ?",
    "webhooks": "SELECT count(*), min(since) FROM hook_deliveries WHERE parked_at IS NULL",
    "webhooks_parked": "SELECT count(*), min(parked_at) FROM hook_deliveries WHERE parked_at IS NOT NULL",
    "scheduled": "SELECT count(*), min(send_at) FROM scheduled WHERE failed_at IS NULL AND send_at <= ?",
    "tidying": "SELECT count(*), min(due_at) FROM tidying WHERE due_at <= ?",
    "search_changes": "SELECT count(*), NULL FROM search_changes",
}


async def waiting(reader: Reader) -> dict[str, Waiting]:
    found = {}
    for name, sql in _WAITING.items():
        row = await reader.one(sql, *([reader.now] if "?" in sql else []))
        assert row is not None
        found[name] = Waiting(int(row[0]), row[1])
    return found


async def behind(reader: Reader, position: int) -> Waiting:
    """Messages that the index has not come to. Their numbers have hardly a gap: counting them all would read them all."""
    row = await reader.one("SELECT coalesce(max(id), 0) FROM messages")
    assert row is not None
    first = await reader.one("SELECT created_at FROM messages WHERE id > ? ORDER BY id LIMIT 1", position)
    return Waiting(0, None) if first is None else Waiting(int(row[0]) - position, first[0])
