"""SQL of the bytes that people have brought in."""

from __future__ import annotations

from typing import Final

from chat_server.ports import Reader, Tx

WHOLE: Final = 0
"""Instead of a person: the organization in all."""


async def add(tx: Tx, org_id: int, user_id: int, size: int) -> int:
    """Answers what it is then."""
    row = await tx.one(
        "INSERT INTO usage (org_id, user_id, bytes) VALUES (?, ?, ?)"
        " ON CONFLICT (org_id, user_id) DO UPDATE SET bytes = usage.bytes + excluded.bytes RETURNING bytes",
        org_id,
        user_id,
        size,
    )
    assert row is not None
    return int(row[0])


async def used(reader: Reader, org_id: int, user_id: int) -> int:
    row = await reader.one("SELECT bytes FROM usage WHERE org_id = ? AND user_id = ?", org_id, user_id)
    return int(row[0]) if row else 0
