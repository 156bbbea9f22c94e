"""Answers of unsafe HTTP calls, kept for a day under the key that the client chose."""

from __future__ import annotations

from chat_server.ports import Reader, Row, Tx


async def find(reader: Reader, user_id: int, key: str, since: int) -> Row | None:
    """(request_hash, status, answer) of a call that was claimed after `since`."""
    return await reader.one(
        "SELECT request_hash, status, answer FROM idempotency WHERE user_id = ? AND key = ? AND at > ?",
        user_id, key, since,
    )  # fmt: skip


async def claim(tx: Tx, user_id: int, key: str, org_id: int, request_hash: bytes, since: int) -> bool:
    """Take the key; false if a call that began after `since` has it. Waits for a transaction that is just taking it."""
    await tx.run("DELETE FROM idempotency WHERE user_id = ? AND key = ? AND at <= ?", user_id, key, since)
    taken = await tx.run(
        "INSERT INTO idempotency (user_id, key, org_id, request_hash, status, answer, at) VALUES (?, ?, ?, ?, 0, ?, ?)"
        " ON CONFLICT DO NOTHING",
        user_id, key, org_id, request_hash, b"", tx.now,
    )  # fmt: skip
    return taken == 1


async def keep(tx: Tx, user_id: int, key: str, status: int, answer: bytes) -> None:
    await tx.run(
        "UPDATE idempotency SET status = ?, answer = ? WHERE user_id = ? AND key = ?", status, answer, user_id, key
    )


async def drop(tx: Tx, until: int, limit: int) -> int:
    """Remove answers of before `until`, at most `limit`; answers how many."""
    return await tx.run(
        "DELETE FROM idempotency WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency WHERE at <= ? LIMIT ?)",
        until,
        limit,
    )
