"""Removing what is past its time, some rows at once. Each answers the number of rows removed."""

from __future__ import annotations

from chat_server.ports import Tx


async def sign_ins(tx: Tx, before: int, limit: int) -> int:
    return await tx.run(
        "DELETE FROM sign_ins WHERE token_hash IN (SELECT token_hash FROM sign_ins WHERE expires_at < ? LIMIT ?)",
        before,
        limit,
    )


async def failures(tx: Tx, before: int, limit: int) -> int:
    return await tx.run(
        "DELETE FROM sign_in_failures WHERE key IN (SELECT key FROM sign_in_failures WHERE since < ? LIMIT ?)",
        before,
        limit,
    )


async def refresh_tokens(tx: Tx, before: int, limit: int) -> int:
    return await tx.run(
        "DELETE FROM refresh_tokens WHERE token_hash IN"
        " (SELECT token_hash FROM refresh_tokens WHERE expires_at < ? LIMIT ?)",
        before,
        limit,
    )
