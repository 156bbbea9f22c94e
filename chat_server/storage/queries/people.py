"""People as the directory shows them, and the rows of their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.ports import Reader, Row, Tx
from chat_server.storage.queries.appointments import JOIN_MAIN, LOWEST_RANK, PLACE, SECTION, UNPLACED

_AT_ONCE: Final = 500
"""Parameters of one statement: engines have a limit."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with the main appointment in force at the reading's `now`.

    `department` is the label of protocol.md (the two lowest levels), `position` its place in department order.
    """

    user_id: int
    org_id: int
    id: str
    kind: str
    login: str
    name: str
    reading: str
    former_name: str | None
    organization: str
    sponsor: str | None
    department: str
    post: str
    rank: int
    position: int
    disabled_at: int | None
    ends_at: int | None


COLUMNS: Final = (
    "u.id, u.org_id, u.public_id, u.kind, u.login, u.name, u.reading, u.former_name, o.name, s.name,"
    f" coalesce({SECTION}, ''), coalesce(a.post, ''),"
    f" coalesce(a.rank, {LOWEST_RANK}), coalesce(d.position, {UNPLACED}), u.disabled_at, u.ends_at"
)
"""In the order of `Person`; `FROM_PERSON` gives them."""

FROM_PERSON: Final = (
    " FROM users u JOIN organizations o ON o.id = u.org_id LEFT JOIN users s ON s.id = u.sponsor_id" + JOIN_MAIN
)
"""Takes `now` twice."""


def person(row: Row) -> Person:
    """From `COLUMNS`."""
    return Person(*row)


async def by_ids(reader: Reader, user_ids: Sequence[int]) -> list[Person]:
    """By integer keys, which the caller may know of; any order."""
    found: list[Person] = []
    for begin in range(0, len(user_ids), _AT_ONCE):
        some = user_ids[begin : begin + _AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = await reader.all(
            f"SELECT {COLUMNS}{FROM_PERSON} WHERE u.id IN ({marks})", reader.now, reader.now, *some
        )  # fmt: skip
        found += map(person, rows)
    return found


async def by_public_id(reader: Reader, org_id: int, user: str) -> Person | None:
    """Somebody of the organization, disabled or not."""
    row = await reader.one(
        f"SELECT {COLUMNS}{FROM_PERSON} WHERE u.public_id = ? AND u.org_id = ?",
        reader.now, reader.now, user, org_id,
    )  # fmt: skip
    return person(row) if row else None


async def by_login(reader: Reader, org_id: int, login: str) -> list[Person]:
    """Everybody who has or had `login` (folded): the holder of now first, then those who lost it last."""
    rows = await reader.all(
        f"SELECT {COLUMNS}{FROM_PERSON} WHERE u.org_id = ? AND u.login = ?"
        " ORDER BY u.disabled_at IS NOT NULL, u.disabled_at DESC, u.id DESC",
        reader.now, reader.now, org_id, login,
    )  # fmt: skip
    return [person(row) for row in rows]


async def of_organization(reader: Reader, org_id: int) -> list[Person]:
    """Everybody, in department order, disabled ones too; for administration, never for a request of a member."""
    rows = await reader.all(
        f"SELECT {COLUMNS}{FROM_PERSON} WHERE u.org_id = ?"
        f" ORDER BY {PLACE}",
        reader.now, reader.now, org_id,
    )  # fmt: skip
    return [person(row) for row in rows]


async def user_id(reader: Reader, org_id: int, user: str) -> int | None:
    """The integer key of a person of the organization, by public id; disabled ones too."""
    row = await reader.one("SELECT id FROM users WHERE public_id = ? AND org_id = ?", user, org_id)
    return int(row[0]) if row else None


async def login_holder(reader: Reader, org_id: int, login: str) -> int | None:
    """Who signs in with `login` (folded) now."""
    row = await reader.one("SELECT id FROM users WHERE org_id = ? AND login = ? AND disabled_at IS NULL", org_id, login)
    return int(row[0]) if row else None


@dataclass(frozen=True, slots=True)
class NewUser:
    """A row of `users` to be."""

    public_id: str
    org_id: int
    kind: str
    login: str
    name: str
    reading: str
    former_name: str | None = None
    password_hash: str | None = None
    sponsor_id: int | None = None
    ends_at: int | None = None


async def insert(tx: Tx, new: NewUser) -> int:
    """Its integer key."""
    row = await tx.one(
        "INSERT INTO users (public_id, org_id, kind, login, name, reading, former_name, password_hash, sponsor_id,"
        " ends_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        new.public_id, new.org_id, new.kind, new.login, new.name, new.reading, new.former_name, new.password_hash,
        new.sponsor_id, new.ends_at, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def set_names(tx: Tx, org_id: int, user_id: int, name: str, reading: str, former_name: str | None) -> None:
    await tx.run(
        "UPDATE users SET name = ?, reading = ?, former_name = ? WHERE id = ? AND org_id = ?",
        name, reading, former_name, user_id, org_id,
    )  # fmt: skip


async def set_end(tx: Tx, org_id: int, user_id: int, ends_at: int | None) -> None:
    """A guest's last moment."""
    await tx.run("UPDATE users SET ends_at = ? WHERE id = ? AND org_id = ?", ends_at, user_id, org_id)


async def disable(tx: Tx, org_id: int, user_id: int) -> bool:
    """False if it was so already."""
    return (
        await tx.run(
            "UPDATE users SET disabled_at = ? WHERE id = ? AND org_id = ? AND disabled_at IS NULL",
            tx.now, user_id, org_id,
        )
        == 1
    )  # fmt: skip


async def enable(tx: Tx, org_id: int, user_id: int) -> bool:
    """False if it was so already. The caller has made sure that the login is free."""
    return (
        await tx.run(
            "UPDATE users SET disabled_at = NULL WHERE id = ? AND org_id = ? AND disabled_at IS NOT NULL",
            user_id, org_id,
        )
        == 1
    )  # fmt: skip


async def roles(reader: Reader, org_id: int, user_id: int) -> list[tuple[str, int]]:
    """(role, integer key of the department or 0)."""
    rows = await reader.all(
        "SELECT role, department_id FROM roles WHERE user_id = ? AND org_id = ? ORDER BY role, department_id",
        user_id, org_id,
    )  # fmt: skip
    return [(str(row[0]), int(row[1])) for row in rows]


async def roles_of_all(reader: Reader, org_id: int) -> dict[int, list[str]]:
    """Integer key of the user → role names."""
    rows = await reader.all("SELECT DISTINCT user_id, role FROM roles WHERE org_id = ? ORDER BY user_id, role", org_id)
    found: dict[int, list[str]] = {}
    for user_id, role in rows:
        found.setdefault(int(user_id), []).append(str(role))
    return found


async def grant(tx: Tx, org_id: int, user_id: int, role: str, department_id: int) -> bool:
    """False if it was so already."""
    return (
        await tx.run(
            "INSERT INTO roles (org_id, user_id, role, department_id, granted_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (user_id, role, department_id) DO NOTHING",
            org_id, user_id, role, department_id, tx.now,
        )
        == 1
    )  # fmt: skip


async def withdraw(tx: Tx, org_id: int, user_id: int, role: str, department_id: int) -> bool:
    """False if it was so already."""
    return (
        await tx.run(
            "DELETE FROM roles WHERE org_id = ? AND user_id = ? AND role = ? AND department_id = ?",
            org_id, user_id, role, department_id,
        )
        == 1
    )  # fmt: skip
