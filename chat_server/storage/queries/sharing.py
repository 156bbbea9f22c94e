"""Rooms between organizations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.ports import Reader, Row, Tx


@dataclass(frozen=True, slots=True)
class Shared:
    """A private room, as far as sharing needs it. `org_id` is its home."""

    room_id: int
    room: str
    org_id: int
    history: str
    members: int
    archived_at: int | None


_SHARED = "SELECT id, public_id, org_id, history, members, archived_at FROM rooms WHERE kind = 'private'"


async def room(tx: Reader, public_id: str) -> Shared | None:
    row = await tx.one(f"{_SHARED} AND public_id = ?", public_id)
    return Shared(*row) if row else None


async def room_by_id(tx: Reader, room_id: int) -> Shared:
    row = await tx.one(f"{_SHARED} AND id = ?", room_id)
    assert row is not None, "only private rooms are shared, and none is deleted"
    return Shared(*row)


async def organization(tx: Reader, code: str) -> int | None:
    row = await tx.one("SELECT id FROM organizations WHERE code = ?", code)
    return int(row[0]) if row else None


async def state(tx: Reader, room_id: int, org_id: int) -> str | None:
    """home, offered, open, closed; None: the room has nothing to do with the organization."""
    row = await tx.one("SELECT state FROM room_organizations WHERE room_id = ? AND org_id = ?", room_id, org_id)
    return str(row[0]) if row else None


async def other_side(tx: Reader, room_id: int, organization: str) -> Row | None:
    """(integer key, code, state) of an organization that is not the home one, by public id."""
    return await tx.one(
        "SELECT o.id, o.code, s.state FROM room_organizations s JOIN organizations o ON o.id = s.org_id"
        " WHERE s.room_id = ? AND o.public_id = ? AND s.state <> 'home'",
        room_id,
        organization,
    )


async def sides(tx: Reader, room_id: int) -> Sequence[Row]:
    """(public id, name, state, at) of the organizations that the room is offered to or open with."""
    return await tx.all(
        "SELECT o.public_id, o.name, s.state, s.at FROM room_organizations s JOIN organizations o ON o.id = s.org_id"
        " WHERE s.room_id = ? AND s.state IN ('offered', 'open') ORDER BY s.at, o.id",
        room_id,
    )


async def set_state(tx: Tx, room_id: int, org_id: int, new: str, by: int) -> None:
    await tx.run(
        "INSERT INTO room_organizations (room_id, org_id, state, by_user, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (room_id, org_id) DO UPDATE SET state = excluded.state, by_user = excluded.by_user,"
        " at = excluded.at",
        room_id, org_id, new, by, tx.now,
    )  # fmt: skip


async def offered(tx: Reader, org_id: int) -> Sequence[Row]:
    """(room, name, topic, home organization's name, at), the newest first."""
    return await tx.all(
        "SELECT r.public_id, r.name, r.topic, o.name, s.at FROM room_organizations s JOIN rooms r ON r.id = s.room_id"
        " JOIN organizations o ON o.id = r.org_id"
        " WHERE s.org_id = ? AND s.state = 'offered' AND r.archived_at IS NULL ORDER BY s.at DESC LIMIT 200",
        org_id,
    )


async def anybody_of(tx: Reader, room_id: int, org_id: int) -> bool:
    """Whether somebody of the organization is in the room and could bring colleagues in."""
    row = await tx.one(
        "SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND m.org_id = ? AND m.role <> 'read_only' LIMIT 1",
        room_id,
        org_id,
    )
    return row is not None


@dataclass(frozen=True, slots=True)
class Leftover:
    """Somebody still in a room that was closed on their side, and who closed it."""

    user_id: int
    org_id: int
    user: str
    membership_id: int
    role: str
    by_id: int
    by_org: int
    by: str


async def leftovers(tx: Reader, room_id: int, limit: int) -> list[Leftover]:
    rows = await tx.all(
        "SELECT u.id, u.org_id, u.public_id, m.id, m.role, b.id, b.org_id, b.public_id FROM room_organizations s"
        " JOIN memberships m ON m.room_id = s.room_id AND m.org_id = s.org_id AND m.to_seq IS NULL"
        " JOIN users u ON u.id = m.user_id JOIN users b ON b.id = s.by_user"
        " WHERE s.room_id = ? AND s.state = 'closed' ORDER BY m.id LIMIT ?",
        room_id,
        limit,
    )
    return [Leftover(*row) for row in rows]
