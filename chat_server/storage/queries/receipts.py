"""Who has read, and who has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.ports import Reader, Row
from chat_server.storage.queries.appointments import JOIN_MAIN, PLACE

_ASKED: Final = " WHERE m.room_id = ? AND m.to_seq IS NULL AND m.visible_seq <= ? AND m.user_id <> ? AND u.disabled_at IS NULL AND u.kind <> 'bot'"
"""Members who may see it, people alone, without its author: (room, seq, author)."""


async def by_department(reader: Reader, room_id: int, seq: int, author_id: int) -> Sequence[Row]:
    """(org_id, department_id or NULL, people, how many of them have read), by the main appointment of now."""
    return await reader.all(
        f"SELECT u.org_id, a.department_id, count(*), sum(CASE WHEN m.read_seq >= ? THEN 1 ELSE 0 END) FROM memberships m"  # noqa: S608
        f" JOIN users u ON u.id = m.user_id{JOIN_MAIN}{_ASKED} GROUP BY u.org_id, a.department_id",
        seq, reader.now, reader.now, room_id, seq, author_id,
    )  # fmt: skip


async def of_message(tx: Reader, room_id: int, seq: int, author_id: int) -> Sequence[Row]:
    """(user_id, has read) of the members who may see `seq`, people alone, without the author, in department order, rank, reading."""
    return await tx.all(
        f"SELECT m.user_id, m.read_seq >= ? FROM memberships m JOIN users u ON u.id = m.user_id{JOIN_MAIN}"  # noqa: S608
        f"{_ASKED} ORDER BY {PLACE}",
        seq, tx.now, tx.now, room_id, seq, author_id,
    )  # fmt: skip
