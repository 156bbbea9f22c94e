"""Walking an organization's people in chunks."""

from __future__ import annotations

from chat_server.ports import Reader


async def chunk(tx: Reader, org_id: int, after: int, limit: int) -> tuple[list[int], int]:
    """(integer keys above `after`, the directory's version)."""
    rows = await tx.all(
        "SELECT id FROM users WHERE org_id = ? AND id > ? AND disabled_at IS NULL AND kind = 'member'"
        " ORDER BY id LIMIT ?",
        org_id,
        after,
        limit,
    )
    version = await tx.one("SELECT directory_version FROM organizations WHERE id = ?", org_id)
    return [int(row[0]) for row in rows], int(version[0]) if version else 0
