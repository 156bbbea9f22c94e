"""Who has read, and who has not."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Row


async def of_message(tx: Reader, room_id: int, seq: int, author_id: int) -> Sequence[Row]:
    """(user_id, has read) of the members who may see `seq`, without the author, in department order, rank, reading."""
    return await tx.all(
        "SELECT m.user_id, m.read_seq >= ? FROM memberships m JOIN users u ON u.id = m.user_id"
        " LEFT JOIN appointments a ON a.id = (SELECT x.id FROM appointments x WHERE x.user_id = u.id"
        "   AND x.starts_at <= ? AND (x.ends_at IS NULL OR x.ends_at > ?)"
        "   ORDER BY CASE x.kind WHEN 'main' THEN 0 WHEN 'annual' THEN 1 ELSE 2 END, x.starts_at DESC LIMIT 1)"
        " LEFT JOIN departments d ON d.id = a.department_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND m.visible_seq <= ? AND m.user_id <> ? AND u.disabled_at IS NULL"
        " ORDER BY CASE WHEN d.position IS NULL THEN 1 ELSE 0 END, d.position,"
        " coalesce(a.rank, 999), u.reading, u.id",
        seq, tx.now, tx.now, room_id, seq, author_id,
    )  # fmt: skip
