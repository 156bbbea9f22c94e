"""Rooms as the operator sees them: never their content."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Row


async def of_organization(tx: Reader, org_id: int) -> Sequence[Row]:
    """(public_id, kind, name, members, messages, archived_at), without the direct and memo rooms of people."""
    return await tx.all(
        "SELECT public_id, kind, name, members, last_ordinal, archived_at FROM rooms"
        " WHERE org_id = ? AND kind NOT IN ('direct', 'memo') ORDER BY name, id",
        org_id,
    )


async def room_id(tx: Reader, org_id: int, room: str) -> int | None:
    row = await tx.one(
        "SELECT id FROM rooms WHERE org_id = ? AND public_id = ? AND kind NOT IN ('direct', 'memo')", org_id, room
    )
    return int(row[0]) if row else None


async def members(tx: Reader, room_id: int) -> Sequence[Row]:
    """(login, name, role, organization's code)."""
    return await tx.all(
        "SELECT u.login, u.name, m.role, o.code FROM memberships m JOIN users u ON u.id = m.user_id"
        " JOIN organizations o ON o.id = u.org_id WHERE m.room_id = ? AND m.to_seq IS NULL"
        " ORDER BY m.role, u.reading, u.id",
        room_id,
    )


async def an_owner(tx: Reader, room_id: int) -> str | None:
    """Login of the longest-standing owner of the home organization."""
    row = await tx.one(
        "SELECT u.login FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL"
        " JOIN rooms r ON r.id = m.room_id AND r.org_id = u.org_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND m.role = 'owner' ORDER BY m.id LIMIT 1",
        room_id,
    )
    return str(row[0]) if row else None


async def person(tx: Reader, org_id: int, login: str) -> Row | None:
    """(id, public_id, kind, name) of somebody who is not disabled."""
    return await tx.one(
        "SELECT id, public_id, kind, name FROM users WHERE org_id = ? AND login = ? AND disabled_at IS NULL",
        org_id,
        login,
    )
