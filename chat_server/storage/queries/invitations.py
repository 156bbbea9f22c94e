"""Who may be brought into a room, and who is in it."""

from __future__ import annotations

from dataclasses import dataclass

from chat_server.ports import Reader, Row


@dataclass(frozen=True, slots=True)
class Colleague:
    user_id: int
    kind: str


async def colleague(tx: Reader, org_id: int, user: str) -> Colleague | None:
    """A person of the organization who is neither disabled nor past the end date; no webhook's bot, which has its one room."""
    row = await tx.one(
        "SELECT id, kind FROM users WHERE org_id = ? AND public_id = ? AND disabled_at IS NULL"
        " AND (ends_at IS NULL OR ends_at > ?) AND (kind <> 'bot' OR NOT EXISTS (SELECT 1 FROM hooks h WHERE h.bot_id = users.id))",
        org_id,
        user,
        tx.now,
    )
    return Colleague(row[0], row[1]) if row else None


async def kind_of(tx: Reader, user_id: int) -> str:
    row = await tx.one("SELECT kind FROM users WHERE id = ?", user_id)
    assert row is not None
    return str(row[0])


async def member(tx: Reader, room_id: int, user: str) -> Row | None:
    """(user_id, org_id, membership_id, role) of a present member, by public id."""
    return await tx.one(
        "SELECT u.id, u.org_id, m.id, m.role FROM users u"
        " JOIN memberships m ON m.user_id = u.id AND m.room_id = ? AND m.to_seq IS NULL WHERE u.public_id = ?",
        room_id,
        user,
    )
