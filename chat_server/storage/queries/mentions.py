"""Who can be mentioned in a room. At most `limits.MENTIONS` are asked for at once, in one statement of each kind."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader


async def members(tx: Reader, room_id: int, users: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Public id → (integer key, name) of those who are members of the room."""
    marks = ",".join("?" * len(users))
    rows = await tx.all(
        "SELECT u.public_id, u.id, u.name FROM users u"  # noqa: S608 (question marks)
        " JOIN memberships m ON m.user_id = u.id AND m.room_id = ? AND m.to_seq IS NULL"
        f" WHERE u.public_id IN ({marks})",
        room_id,
        *users,
    )
    return {row[0]: (int(row[1]), str(row[2])) for row in rows}


async def departments(
    tx: Reader, room_id: int, org_id: int, departments: Sequence[str]
) -> dict[str, tuple[str, set[int]]]:
    """Public id → (name, members of the room who hold an appointment, in force now, in it or below it).

    Departments that nobody in the room belongs to are absent.
    """
    marks = ",".join("?" * len(departments))
    rows = await tx.all(
        "WITH RECURSIVE tree(called, name, id) AS"  # noqa: S608 (question marks)
        f" (SELECT public_id, name, id FROM departments WHERE org_id = ? AND public_id IN ({marks})"
        " UNION SELECT t.called, t.name, d.id FROM tree t JOIN departments d ON d.parent_id = t.id)"
        " SELECT t.called, t.name, m.user_id FROM memberships m JOIN appointments a ON a.user_id = m.user_id"
        " JOIN tree t ON t.id = a.department_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND a.starts_at <= ? AND (a.ends_at IS NULL OR a.ends_at > ?)",
        org_id, *departments, room_id, tx.now, tx.now,
    )  # fmt: skip
    found: dict[str, tuple[str, set[int]]] = {}
    for called, name, user_id in rows:
        found.setdefault(called, (name, set()))[1].add(user_id)
    return found
