"""The department tree and dated appointments."""

from __future__ import annotations

from dataclasses import dataclass

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Department:
    """A node of the tree; `position` is its place over the whole tree, depth first (建制順)."""

    id: int
    public_id: str
    parent_id: int | None
    code: str
    name: str
    position: int
    closed_at: int | None


_COLUMNS = "id, public_id, parent_id, code, name, position, closed_at"


async def all_departments(reader: Reader, org_id: int) -> list[Department]:
    """Every department of the organization in department order, closed ones too."""
    rows = await reader.all(
        f"SELECT {_COLUMNS} FROM departments WHERE org_id = ? ORDER BY position, id", org_id  # noqa: S608
    )  # fmt: skip
    return [Department(*row) for row in rows]


async def by_code(reader: Reader, org_id: int, code: str) -> Department | None:
    """One that is not closed."""
    row = await reader.one(
        f"SELECT {_COLUMNS} FROM departments WHERE org_id = ? AND code = ? AND closed_at IS NULL",  # noqa: S608
        org_id, code,
    )  # fmt: skip
    return Department(*row) if row else None


async def by_public_id(reader: Reader, org_id: int, department: str) -> Department | None:
    """Closed ones too."""
    row = await reader.one(
        f"SELECT {_COLUMNS} FROM departments WHERE org_id = ? AND public_id = ?", org_id, department  # noqa: S608
    )  # fmt: skip
    return Department(*row) if row else None


async def administers(reader: Reader, org_id: int, administrator_id: int, user_id: int) -> bool:
    """Whether `user_id` is appointed now, by whatever kind of appointment, in a department that `administrator_id`
    administers or below one, and administers nothing that lies outside of them."""
    row = await reader.one(
        "WITH RECURSIVE mine (id) AS ("
        "SELECT department_id FROM roles WHERE user_id = ? AND org_id = ? AND role = 'department_admin'"
        " UNION SELECT c.id FROM departments c JOIN mine ON c.parent_id = mine.id)"
        " SELECT 1 FROM users u WHERE u.id = ? AND u.org_id = ?"
        " AND EXISTS (SELECT 1 FROM appointments x WHERE x.user_id = u.id AND x.starts_at <= ?"
        " AND (x.ends_at IS NULL OR x.ends_at > ?) AND x.department_id IN (SELECT id FROM mine))"
        " AND NOT EXISTS (SELECT 1 FROM roles r WHERE r.user_id = u.id AND (r.role = 'organization_admin'"
        " OR (r.role = 'department_admin' AND r.department_id NOT IN (SELECT id FROM mine))))",
        administrator_id, org_id, user_id, org_id, reader.now, reader.now,
    )  # fmt: skip
    return row is not None


async def insert(
    tx: Tx, public_id: str, org_id: int, parent_id: int | None, code: str, name: str, position: int
) -> int:
    """Its integer key."""
    row = await tx.one(
        "INSERT INTO departments (public_id, org_id, parent_id, code, name, position, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, parent_id, code, name, position, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def change(
    tx: Tx, org_id: int, department_id: int, parent_id: int | None, name: str, position: int, closed_at: int | None
) -> None:
    await tx.run(
        "UPDATE departments SET parent_id = ?, name = ?, position = ?, closed_at = ? WHERE id = ? AND org_id = ?",
        parent_id, name, position, closed_at, department_id, org_id,
    )  # fmt: skip


async def set_code(tx: Tx, org_id: int, department_id: int, code: str) -> None:
    """For one whose code the server had made up."""
    await tx.run("UPDATE departments SET code = ? WHERE id = ? AND org_id = ?", code, department_id, org_id)


@dataclass(frozen=True, slots=True)
class Appointment:
    """発令: `kind` is main, concurrent, joint or annual; times in UTC milliseconds, `ends_at` no longer counts."""

    id: int
    user_id: int
    department_id: int
    kind: str
    post: str
    rank: int
    starts_at: int
    ends_at: int | None


_APPOINTMENT = "a.id, a.user_id, a.department_id, a.kind, a.post, a.rank, a.starts_at, a.ends_at"


async def appointments_of(reader: Reader, org_id: int, user_id: int) -> list[Appointment]:
    """Everything that person was, is and will be, oldest first."""
    rows = await reader.all(
        f"SELECT {_APPOINTMENT} FROM appointments a"  # noqa: S608
        " WHERE a.user_id = ? AND a.org_id = ? ORDER BY a.starts_at, a.id",
        user_id, org_id,
    )  # fmt: skip
    return [Appointment(*row) for row in rows]


async def appointments_of_all(reader: Reader, org_id: int) -> list[Appointment]:
    """Those of everybody in the organization, oldest first; for administration."""
    rows = await reader.all(
        f"SELECT {_APPOINTMENT} FROM appointments a WHERE a.org_id = ? ORDER BY a.starts_at, a.id",  # noqa: S608
        org_id,
    )
    return [Appointment(*row) for row in rows]


async def appoint(
    tx: Tx, org_id: int, user_id: int, department_id: int, kind: str, post: str, rank: int,
    starts_at: int, ends_at: int | None,
) -> None:  # fmt: skip
    await tx.run(
        "INSERT INTO appointments (org_id, user_id, department_id, kind, post, rank, starts_at, ends_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        org_id, user_id, department_id, kind, post, rank, starts_at, ends_at, tx.now,
    )  # fmt: skip


async def set_terms(
    tx: Tx, org_id: int, appointment_id: int, rank: int, starts_at: int, ends_at: int | None
) -> None:  # fmt: skip
    """What may change of an appointment while it stays the same one."""
    await tx.run(
        "UPDATE appointments SET rank = ?, starts_at = ?, ends_at = ? WHERE id = ? AND org_id = ?",
        rank, starts_at, ends_at, appointment_id, org_id,
    )  # fmt: skip


async def remove_appointment(tx: Tx, org_id: int, appointment_id: int) -> None:
    """Only for one that has not begun."""
    await tx.run("DELETE FROM appointments WHERE id = ? AND org_id = ?", appointment_id, org_id)
