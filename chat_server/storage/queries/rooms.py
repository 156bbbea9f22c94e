"""Rooms and memberships."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chat_server.domain.events import Ranges
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Row, Tx

_STANDING = """
SELECT r.id, r.public_id, r.org_id, r.kind, r.history, r.archived_at IS NOT NULL, r.members, r.last_seq, r.first_seq,
       m.role, m.id, m.visible_seq, m.read_seq, m.read_ordinal, m.involvement
FROM rooms r
JOIN memberships m ON m.room_id = r.id AND m.user_id = ? AND m.to_seq IS NULL
JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL AND (u.ends_at IS NULL OR u.ends_at > ?)
"""


def _standing(row: Row) -> Standing:
    room_id, room, org_id, kind, history, archived, *rest = row
    return Standing(room_id, room, org_id, kind, history, bool(archived), *rest)


async def standing(tx: Reader, user_id: int, room: str) -> Standing | None:
    """`user_id` in the room with the public id `room`, if a member now, not disabled, no guest whose time is over."""
    row = await tx.one(_STANDING + "WHERE r.public_id = ?", user_id, tx.now, room)
    return _standing(row) if row else None


async def standing_by_id(tx: Reader, user_id: int, room_id: int) -> Standing | None:
    """The same by the room's integer key."""
    row = await tx.one(_STANDING + "WHERE r.id = ?", user_id, tx.now, room_id)
    return _standing(row) if row else None


async def next_seq(tx: Tx, room_id: int) -> int:
    """Take the next position of the room's stream."""
    row = await tx.one("UPDATE rooms SET last_seq = last_seq + 1 WHERE id = ? RETURNING last_seq", room_id)
    assert row is not None
    return int(row[0])


async def add_event(
    tx: Tx,
    room_id: int,
    seq: int,
    org_id: int,
    kind: str,
    actor_id: int,
    message_id: int | None = None,
    target: int | None = None,
    data: bytes | None = None,
) -> None:
    """Write the event that takes `seq`."""
    await tx.run(
        "INSERT INTO events (room_id, seq, org_id, kind, at, actor_id, message_id, target, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        room_id, seq, org_id, kind, tx.now, actor_id, message_id, target, data,
    )  # fmt: skip


async def member_ids(tx: Reader, room_id: int, user_ids: Sequence[int]) -> set[int]:
    """Those of `user_ids` (at most a few hundred) who are members now."""
    marks = ",".join("?" * len(user_ids))
    rows = await tx.all(
        f"SELECT user_id FROM memberships WHERE room_id = ? AND to_seq IS NULL AND user_id IN ({marks})",  # noqa: S608 (question marks)
        room_id,
        *user_ids,
    )
    return {int(row[0]) for row in rows}


_INTERVALS = """
SELECT m.room_id, CASE WHEN m.visible_seq < r.first_seq THEN r.first_seq ELSE m.visible_seq END,
       coalesce(m.to_seq, 9007199254740991)
FROM memberships m JOIN rooms r ON r.id = m.room_id AND (m.to_seq IS NULL OR m.to_seq >= r.first_seq)
"""


async def intervals(tx: Reader, room_id: int, user_id: int) -> Ranges:
    """What `user_id` may see of the room: (first, last) seq of each interval, last = a large number while inside.

    Nothing before the room's first kept event: what retention has ended is there for nobody.
    """
    rows = await tx.all(_INTERVALS + "WHERE m.room_id = ? AND m.user_id = ?", room_id, user_id)
    return tuple((int(first), int(last)) for _, first, last in rows)


async def all_intervals(tx: Reader, user_id: int) -> dict[int, Ranges]:
    """The same for every room that `user_id` is or was in, by the room's integer key."""
    found: dict[int, Ranges] = {}
    for room_id, first, last in await tx.all(_INTERVALS + "WHERE m.user_id = ?", user_id):
        found[room_id] = (*found.get(room_id, ()), (int(first), int(last)))
    return found


async def public_id(tx: Reader, room_id: int) -> str:
    row = await tx.one("SELECT public_id FROM rooms WHERE id = ?", room_id)
    assert row is not None
    return str(row[0])


async def create(
    tx: Tx, public_id: str, org_id: int, kind: str, name: str, topic: str, history: str, key: str | None, by: int,
    reading: str = "",
) -> int:  # fmt: skip
    """A room with nobody in it; answers its integer key."""
    row = await tx.one(
        "INSERT INTO rooms (public_id, org_id, kind, name, reading, topic, history, direct_key, created_by, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, kind, name, reading, topic, history, key, by, tx.now,
    )  # fmt: skip
    assert row is not None
    await tx.run(
        "INSERT INTO room_organizations (room_id, org_id, state, by_user, at) VALUES (?, ?, 'home', ?, ?)",
        row[0], org_id, by, tx.now,
    )  # fmt: skip
    return int(row[0])


async def by_key(tx: Reader, key: str) -> str | None:
    """Public id of the direct or memo room with this key."""
    row = await tx.one("SELECT public_id FROM rooms WHERE direct_key = ?", key)
    return str(row[0]) if row else None


async def memo_of(reader: Reader, key: str) -> tuple[int, str] | None:
    """(integer key, public id) of the memo room with this key."""
    row = await reader.one("SELECT id, public_id FROM rooms WHERE direct_key = ?", key)
    return (int(row[0]), str(row[1])) if row else None


async def open_room(tx: Reader, org_id: int, room: str) -> Row | None:
    """(id, history, members) of an open, living room of the organization."""
    return await tx.one(
        "SELECT id, history, members FROM rooms"
        " WHERE org_id = ? AND public_id = ? AND kind = 'open' AND archived_at IS NULL",
        org_id, room,
    )  # fmt: skip


async def facts(tx: Reader, room_id: int) -> Row:
    """(public_id, kind, name, reading, topic, history, outflow, archived_at) for RoomInfo."""
    row = await tx.one(
        "SELECT public_id, kind, name, reading, topic, history, outflow, archived_at FROM rooms WHERE id = ?", room_id
    )
    assert row is not None
    return row


async def update(
    tx: Tx, room_id: int, name: str, reading: str, topic: str, history: str, outflow: str, archived_at: int | None
) -> None:
    await tx.run(
        "UPDATE rooms SET name = ?, reading = ?, topic = ?, history = ?, outflow = ?, archived_at = ? WHERE id = ?",
        name, reading, topic, history, outflow, archived_at, room_id,
    )  # fmt: skip


async def add_member(
    tx: Tx, org_id: int, room_id: int, user_id: int, role: str, from_seq: int, visible_seq: int
) -> None:
    """Begin an interval. Everything written so far counts as read, whether it may be seen or not."""
    await tx.run(
        "INSERT INTO memberships (org_id, room_id, user_id, role, outsider, from_seq, visible_seq, visible_ordinal,"
        " read_seq, read_ordinal, joined_at)"
        " SELECT u.org_id, r.id, u.id, ?, CASE WHEN u.kind = 'guest' OR u.org_id <> r.org_id THEN 1 ELSE 0 END, ?, ?,"
        " r.last_ordinal, ?, r.last_ordinal, ? FROM rooms r JOIN users u ON u.id = ? AND u.org_id = ? WHERE r.id = ?",
        role, from_seq, visible_seq, from_seq, tx.now, user_id, org_id, room_id,
    )  # fmt: skip
    await tx.run("UPDATE rooms SET members = members + 1 WHERE id = ?", room_id)


async def end_membership(tx: Tx, membership_id: int, room_id: int, to_seq: int) -> None:
    await tx.run("UPDATE memberships SET to_seq = ?, left_at = ? WHERE id = ?", to_seq, tx.now, membership_id)
    await tx.run("UPDATE rooms SET members = members - 1 WHERE id = ?", room_id)


async def set_role(tx: Tx, membership_id: int, role: str) -> None:
    await tx.run("UPDATE memberships SET role = ? WHERE id = ?", role, membership_id)


async def set_involvement(tx: Tx, membership_id: int, involvement: str) -> None:
    await tx.run("UPDATE memberships SET involvement = ? WHERE id = ?", involvement, membership_id)


async def owners(tx: Reader, room_id: int) -> int:
    """People: a bot that writes announcements manages nothing."""
    row = await tx.one(
        "SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL AND u.kind <> 'bot'"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND m.role = 'owner'",
        room_id,
    )
    return int(row[0]) if row else 0


async def ordinal_at(tx: Reader, room_id: int, seq: int) -> int:
    """Ordinal of the last message at or before `seq`."""
    row = await tx.one(
        "SELECT ordinal FROM messages WHERE room_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", room_id, seq
    )
    return int(row[0]) if row else 0


async def move_marker(tx: Tx, membership_id: int, seq: int, ordinal: int) -> bool:
    """Read markers only increase; false if this one would not."""
    changed = await tx.run(
        "UPDATE memberships SET read_seq = ?, read_ordinal = ? WHERE id = ? AND read_seq < ?",
        seq, ordinal, membership_id, seq,
    )  # fmt: skip
    return changed == 1


async def markers(tx: Reader, room_id: int, limit: int) -> Sequence[Row]:
    """(read_seq, how many members), furthest first: what a large room is told once a second."""
    return await tx.all(
        "SELECT read_seq, count(*) FROM memberships WHERE room_id = ? AND to_seq IS NULL"
        " GROUP BY read_seq ORDER BY read_seq DESC LIMIT ?",
        room_id,
        limit,
    )


async def user_keys(tx: Reader, users: Collection[str]) -> dict[str, int]:
    """Integer keys of people who stand in events."""
    if not users:
        return {}
    marks = ",".join("?" * len(users))
    rows = await tx.all(f"SELECT public_id, id FROM users WHERE public_id IN ({marks})", *users)  # noqa: S608 (question marks)
    return {str(user): int(key) for user, key in rows}
