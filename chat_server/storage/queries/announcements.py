"""SQL of announcements that somebody has yet to read."""

from __future__ import annotations

from typing import NamedTuple

from chat_server.ports import Reader


class Unread(NamedTuple):
    """`room`: a public id."""

    room: str
    name: str
    message_id: int


async def unread(reader: Reader, user_id: int, limit: int) -> list[Unread]:
    """By level, the newest first; not one's own, nor what one may not see."""
    rows = await reader.all(
        "SELECT r.public_id, r.name, x.id FROM memberships s JOIN rooms r ON r.id = s.room_id"
        " JOIN messages x ON x.room_id = s.room_id AND x.level IS NOT NULL AND x.seq > s.read_seq AND x.seq >= s.visible_seq"
        " WHERE s.user_id = ? AND s.to_seq IS NULL AND r.kind = 'announcement' AND r.archived_at IS NULL"
        " AND x.redacted_at IS NULL AND x.author_id <> s.user_id"
        " ORDER BY CASE x.level WHEN 'urgent' THEN 0 WHEN 'important' THEN 1 ELSE 2 END, x.created_at DESC, x.id DESC LIMIT ?",
        user_id, limit,
    )  # fmt: skip
    return [Unread(*row) for row in rows]
