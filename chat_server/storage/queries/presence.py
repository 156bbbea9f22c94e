"""Who may know of whom."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader


async def visible(tx: Reader, user_id: int, org_id: int, users: Sequence[str]) -> list[str]:
    """Public ids among `users` of people in `org_id` (0: none), or in a room with `user_id`."""
    marks = ",".join("?" * len(users))
    rows = await tx.all(
        f"SELECT u.public_id FROM users u WHERE u.public_id IN ({marks}) AND u.disabled_at IS NULL AND (u.org_id = ?"  # noqa: S608
        " OR EXISTS (SELECT 1 FROM memberships a JOIN memberships b ON b.room_id = a.room_id AND b.to_seq IS NULL"
        "   WHERE a.user_id = u.id AND a.to_seq IS NULL AND b.user_id = ?))",
        *users,
        org_id,
        user_id,
    )
    return [str(row[0]) for row in rows]
