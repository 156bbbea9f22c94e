"""Who can be mentioned in a room."""

from __future__ import annotations

from chat_server.ports import Reader


async def member(tx: Reader, room_id: int, user: str) -> tuple[int, str] | None:
    """(integer key, name) of a member of the room, by public id."""
    row = await tx.one(
        "SELECT u.id, u.name FROM users u JOIN memberships m ON m.user_id = u.id AND m.room_id = ? AND m.to_seq IS NULL"
        " WHERE u.public_id = ?",
        room_id,
        user,
    )
    return (int(row[0]), str(row[1])) if row else None


async def department_name(tx: Reader, org_id: int, department: str) -> str | None:
    row = await tx.one("SELECT name FROM departments WHERE org_id = ? AND public_id = ?", org_id, department)
    return str(row[0]) if row else None


async def department_members(tx: Reader, room_id: int, org_id: int, department: str) -> set[int]:
    """Members of the room who hold an appointment, in force now, in the department or below it."""
    rows = await tx.all(
        "WITH RECURSIVE tree(id) AS (SELECT id FROM departments WHERE org_id = ? AND public_id = ?"
        " UNION SELECT d.id FROM departments d JOIN tree t ON d.parent_id = t.id)"
        " SELECT DISTINCT m.user_id FROM memberships m JOIN appointments a ON a.user_id = m.user_id"
        " JOIN tree t ON t.id = a.department_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND a.starts_at <= ? AND (a.ends_at IS NULL OR a.ends_at > ?)",
        org_id, department, room_id, tx.now, tx.now,
    )  # fmt: skip
    return {int(row[0]) for row in rows}
