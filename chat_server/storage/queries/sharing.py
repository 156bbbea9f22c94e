"""Rooms between organizations."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Row, Tx


async def organization(tx: Reader, code: str) -> int | None:
    row = await tx.one("SELECT id FROM organizations WHERE code = ?", code)
    return int(row[0]) if row else None


async def room(tx: Reader, public_id: str) -> Row | None:
    """(id, home organization, history, members, archived_at)"""
    return await tx.one(
        "SELECT id, org_id, history, members, archived_at FROM rooms WHERE public_id = ? AND kind = 'private'",
        public_id,
    )


async def state(tx: Reader, room_id: int, org_id: int) -> str | None:
    """home, offered, open, closed; None: the room has nothing to do with the organization."""
    row = await tx.one("SELECT state FROM room_organizations WHERE room_id = ? AND org_id = ?", room_id, org_id)
    return str(row[0]) if row else None


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


async def members_of(tx: Reader, room_id: int, org_id: int, limit: int) -> Sequence[Row]:
    """(user_id, public id, membership_id, role) of an organization's people in the room."""
    return await tx.all(
        "SELECT u.id, u.public_id, m.id, m.role FROM memberships m JOIN users u ON u.id = m.user_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND u.org_id = ? ORDER BY m.id LIMIT ?",
        room_id,
        org_id,
        limit,
    )
