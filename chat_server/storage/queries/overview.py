"""SQL of what an organization's administrators see of it as a whole: rooms and bytes, never words."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Row
from chat_server.storage.queries.people import COLUMNS, FROM_PERSON, Person, person
from chat_server.storage.queries.usage import WHOLE


async def rooms(reader: Reader, org_id: int, after: tuple[str, int], limit: int) -> Sequence[Row]:
    """(id, public_id, kind, name, members, messages, last at, created_at, archived_at) after (name, id), without the
    direct rooms and memo pads of people. A message that was redacted since still says when somebody wrote last."""
    return await reader.all(
        "SELECT r.id, r.public_id, r.kind, r.name, r.members, r.last_ordinal,"
        " (SELECT m.created_at FROM messages m WHERE m.room_id = r.id AND m.ordinal = r.last_ordinal LIMIT 1),"
        " r.created_at, r.archived_at FROM rooms r"
        " WHERE r.org_id = ? AND r.kind NOT IN ('direct', 'memo') AND (r.name, r.id) > (?, ?)"
        " ORDER BY r.name, r.id LIMIT ?",
        org_id, *after, limit,
    )  # fmt: skip


async def owners(reader: Reader, room_ids: Sequence[int]) -> Sequence[Row]:
    """(room_id, name) of those who own these rooms now, the longest-standing first."""
    marks = ",".join("?" * len(room_ids))
    return await reader.all(
        "SELECT m.room_id, u.name FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL"  # noqa: S608
        f" WHERE m.room_id IN ({marks}) AND m.to_seq IS NULL AND m.role = 'owner' ORDER BY m.id",
        *room_ids,
    )


async def largest_users(reader: Reader, org_id: int, limit: int) -> list[tuple[Person, int]]:
    """Who has brought in the most bytes, disabled people too: their files are still there."""
    rows = await reader.all(
        f"SELECT g.bytes, {COLUMNS}{FROM_PERSON} JOIN usage g ON g.user_id = u.id AND g.org_id = u.org_id"
        f" WHERE g.org_id = ? AND g.user_id <> {WHOLE} AND g.bytes > 0 ORDER BY g.bytes DESC, u.id LIMIT ?",
        reader.now, reader.now, org_id, limit,
    )  # fmt: skip
    return [(person(row[1:]), int(row[0])) for row in rows]
