"""Rows of everybody's own stream."""

from __future__ import annotations

from chat_server.ports import Reader, Tx


async def take_position(tx: Tx, user_id: int, org_id: int) -> int:
    """The next seq of the stream of `user_id`."""
    row = await tx.one(
        "UPDATE users SET last_seq = last_seq + 1 WHERE id = ? AND org_id = ? RETURNING last_seq", user_id, org_id
    )
    assert row is not None, "an own stream belongs to an existing user of the organization"
    return int(row[0])


async def insert(tx: Tx, user_id: int, seq: int, org_id: int, kind: str, data: bytes | None) -> None:
    await tx.run(
        "INSERT INTO user_events (user_id, seq, org_id, kind, at, data) VALUES (?, ?, ?, ?, ?, ?)",
        user_id, seq, org_id, kind, tx.now, data,
    )  # fmt: skip


async def longer_than(tx: Reader, events: int) -> list[int]:
    """Integer keys of those whose stream holds more; a walk over everybody, for a reader and not for the writer."""
    return [int(row[0]) for row in await tx.all("SELECT id FROM users WHERE last_seq - first_seq >= ?", events)]


async def drop_first(tx: Tx, user_id: int, number: int, keep: int) -> bool:
    """Let the stream begin `number` events later if `keep` are left then; false if they are not."""
    row = await tx.one(
        "UPDATE users SET first_seq = first_seq + ? WHERE id = ? AND last_seq - first_seq + 1 >= ? RETURNING first_seq",
        number, user_id, number + keep,
    )  # fmt: skip
    if row is None:
        return False
    await tx.run("DELETE FROM user_events WHERE user_id = ? AND seq < ?", user_id, row[0])
    return True
