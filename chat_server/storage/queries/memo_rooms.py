"""SQL of memo rooms: whose one is, where its owner may send things on, and what is tidied up."""

from __future__ import annotations

from typing import NamedTuple

from chat_server.ports import Reader, Tx


class Owner(NamedTuple):
    """Whose room it is. `id`: public."""

    user_id: int
    org_id: int
    id: str
    kind: str
    name: str


class Named(NamedTuple):
    """A room. `room`: public id."""

    room_id: int
    room: str
    name: str


class Tidying(NamedTuple):
    """What is asked for a memo room: see `services.tidying`."""

    room_id: int
    org_id: int
    before_at: int | None
    days: int


class Old(NamedTuple):
    """A message that may go, and who wrote it: `author`, `message`: public ids."""

    message: str
    author_id: int
    author_org: int
    author: str
    kind: str
    name: str
    zone: str


async def owner(reader: Reader, room_id: int) -> Owner | None:
    """Unless they may do nothing any more."""
    row = await reader.one(
        "SELECT u.id, u.org_id, u.public_id, u.kind, u.name FROM memberships m JOIN users u ON u.id = m.user_id"
        " WHERE m.room_id = ? AND m.role = 'owner' AND m.to_seq IS NULL AND u.disabled_at IS NULL",
        room_id,
    )
    return None if row is None else Owner(*row)


async def rooms_of(reader: Reader, user_id: int) -> list[Named]:
    """Rooms with a name that somebody is in, the oldest first."""
    rows = await reader.all(
        "SELECT r.id, r.public_id, r.name FROM memberships m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.user_id = ? AND m.to_seq IS NULL AND r.archived_at IS NULL AND r.kind NOT IN ('direct', 'memo') ORDER BY r.id",
        user_id,
    )
    return [Named(*row) for row in rows]


async def has_outsiders(reader: Reader, room_id: int) -> bool:
    """Whether guests or people of other organizations are in it, or may be at any moment."""
    row = await reader.one(
        "SELECT 1 FROM rooms r WHERE r.id = ? AND (EXISTS (SELECT 1 FROM memberships o WHERE o.room_id = r.id AND o.outsider = 1"
        " AND o.to_seq IS NULL) OR EXISTS (SELECT 1 FROM room_organizations g WHERE g.room_id = r.id AND g.state <> 'home'))",
        room_id,
    )
    return row is not None


async def ask(tx: Tx, room_id: int, org_id: int, before_at: int | None, days: int | None) -> None:
    """`days` None: as it is. What is asked for is looked at now."""
    await tx.run(
        "INSERT INTO tidying (room_id, org_id, before_at, days, due_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (room_id) DO UPDATE SET before_at = coalesce(excluded.before_at, tidying.before_at),"
        " days = CASE WHEN ? = 1 THEN tidying.days ELSE excluded.days END, due_at = excluded.due_at",
        room_id, org_id, before_at, days or 0, tx.now, int(days is None),
    )  # fmt: skip


async def asked(reader: Reader, room_id: int) -> Tidying | None:
    """What is asked for a room now."""
    row = await reader.one("SELECT room_id, org_id, before_at, days FROM tidying WHERE room_id = ?", room_id)
    return None if row is None else Tidying(*row)


async def due(reader: Reader, limit: int) -> list[Tidying]:
    rows = await reader.all(
        "SELECT room_id, org_id, before_at, days FROM tidying WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        reader.now,
        limit,
    )
    return [Tidying(*row) for row in rows]


async def old(reader: Reader, room_id: int, before_at: int, limit: int) -> list[Old]:
    """The oldest that may go: what is pinned stays."""
    rows = await reader.all(
        "SELECT m.public_id, u.id, u.org_id, u.public_id, u.kind, u.name, m.zone FROM messages m JOIN users u ON u.id = m.author_id"
        " WHERE m.room_id = ? AND m.created_at < ? AND m.redacted_at IS NULL AND m.pinned_at IS NULL ORDER BY m.seq LIMIT ?",
        room_id, before_at, limit,
    )  # fmt: skip
    return [Old(*row) for row in rows]


async def tidied(tx: Tx, one: Tidying, next_at: int | None) -> None:
    """Until `next_at`; None: for good. What was asked for meanwhile stays."""
    if next_at is None:
        await tx.run(
            "DELETE FROM tidying WHERE room_id = ? AND days = 0 AND coalesce(before_at, 0) = ?",
            one.room_id,
            one.before_at or 0,
        )
    else:
        await tx.run(
            "UPDATE tidying SET before_at = NULL, due_at = ? WHERE room_id = ? AND days = ? AND coalesce(before_at, 0) = ?",
            next_at, one.room_id, one.days, one.before_at or 0,
        )  # fmt: skip
