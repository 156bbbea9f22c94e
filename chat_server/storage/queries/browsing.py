"""Lists of rooms one may join and of people in a room, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.ports import Reader, Row
from chat_server.storage.queries.appointments import PLACE
from chat_server.storage.queries.directory import Search, Viewer, matches
from chat_server.storage.queries.people import COLUMNS, FROM_PERSON, Person, person

_ORDER: Final = f"CASE WHEN u.org_id = r.org_id THEN 0 ELSE u.org_id END, {PLACE}"
"""The home organization first; then department order, rank, reading."""

MemberKey = tuple[int, int, int, str, int]


async def members(
    reader: Reader, room_id: int, after: MemberKey, limit: int, viewer: Viewer, search: Search | None
) -> list[tuple[Person, str, MemberKey]]:
    """Present members after a key: person, role, key. With `search` those whom it means for `viewer`."""
    wanted, values = matches(viewer, search) if search is not None else ("1 = 1", [])
    rows = await reader.all(
        f"SELECT {_ORDER}, m.role, {COLUMNS} {FROM_PERSON}"
        " JOIN memberships m ON m.user_id = u.id AND m.to_seq IS NULL JOIN rooms r ON r.id = m.room_id"
        f" WHERE m.room_id = ? AND ({_ORDER}) > (?, ?, ?, ?, ?) AND {wanted} ORDER BY {_ORDER} LIMIT ?",
        reader.now, reader.now, room_id, *after, *values, limit,
    )  # fmt: skip
    return [(person(row[6:]), row[5], (row[0], row[1], row[2], row[3], row[4])) for row in rows]


async def open_rooms(reader: Reader, org_id: int, user_id: int, after: tuple[str, int], limit: int) -> Sequence[Row]:
    """(id, public_id, name, reading, topic, history, members) of open rooms that the user is not in, after (name, id)."""
    return await reader.all(
        "SELECT r.id, r.public_id, r.name, r.reading, r.topic, r.history, r.members FROM rooms r"
        " WHERE r.org_id = ? AND r.kind = 'open' AND r.archived_at IS NULL AND (r.name, r.id) > (?, ?)"
        " AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.room_id = r.id AND m.user_id = ? AND m.to_seq IS NULL)"
        " ORDER BY r.name, r.id LIMIT ?",
        org_id, *after, user_id, limit,
    )  # fmt: skip
