"""Rows of everybody's own stream."""

from __future__ import annotations

from chat_server.ports import Tx


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
