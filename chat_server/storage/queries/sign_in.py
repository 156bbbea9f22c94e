"""Accounts as sign-in sees them, flows under way, and the counters of failures."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may try to sign in."""

    user_id: int
    org_id: int
    user: str
    org: str
    login: str
    kind: str
    password_hash: str | None = field(repr=False)
    disabled_at: int | None
    ends_at: int | None


async def find_login(reader: Reader, organization: str, login: str) -> tuple[int, Account | None]:
    """(integer key of the organization or 0, its account with `login` that is not disabled). Both folded."""
    row = await reader.one(
        "SELECT u.id, o.id, u.public_id, o.public_id, u.login, u.kind, u.password_hash, u.disabled_at, u.ends_at"
        " FROM organizations o LEFT JOIN users u ON u.org_id = o.id AND u.login = ? AND u.disabled_at IS NULL"
        " WHERE o.code = ?",
        login, organization,
    )  # fmt: skip
    if row is None:
        return 0, None
    return int(row[1]), Account(*row) if row[0] is not None else None


async def account(reader: Reader, org_id: int, user_id: int) -> Account | None:
    """By integer keys."""
    row = await reader.one(
        "SELECT u.id, o.id, u.public_id, o.public_id, u.login, u.kind, u.password_hash, u.disabled_at, u.ends_at"
        " FROM users u JOIN organizations o ON o.id = u.org_id WHERE u.id = ? AND o.id = ?",
        user_id, org_id,
    )  # fmt: skip
    return Account(*row) if row else None


async def set_password(tx: Tx, org_id: int, user_id: int, password_hash: str | None) -> None:
    await tx.run("UPDATE users SET password_hash = ? WHERE id = ? AND org_id = ?", password_hash, user_id, org_id)


async def replace_password(tx: Tx, org_id: int, user_id: int, old: str, new: str) -> None:
    """The same password hashed with newer parameters; nothing happens if it was changed meanwhile."""
    await tx.run(
        "UPDATE users SET password_hash = ? WHERE id = ? AND org_id = ? AND password_hash = ?",
        new, user_id, org_id, old,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way. `user_id` 0: no such person; it goes on all the same."""

    org_id: int
    user_id: int
    account: str
    device_name: str
    zone: str
    passed: str
    expires_at: int


async def insert_flow(tx: Tx, token_hash: str, flow: Flow) -> None:
    await tx.run(
        "INSERT INTO sign_ins (token_hash, org_id, user_id, account, device_name, zone, passed, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        token_hash, flow.org_id, flow.user_id, flow.account, flow.device_name, flow.zone, flow.passed, flow.expires_at,
    )  # fmt: skip


async def take_flow(tx: Tx, token_hash: str) -> Flow | None:
    """Spend the token: two who bring it at once are one success."""
    row = await tx.one(
        "DELETE FROM sign_ins WHERE token_hash = ?"
        " RETURNING org_id, user_id, account, device_name, zone, passed, expires_at",
        token_hash,
    )
    return Flow(*row) if row else None


async def count(tx: Tx, key: str, window: int) -> tuple[int, int]:
    """Count one more; (failures, since) within the window that runs. One statement: two racing attempts are both
    counted. A window that lies in the future (the clock was set back) begins anew instead of lasting a day."""
    row = await tx.one(
        "INSERT INTO sign_in_failures (key, failures, since) VALUES (?, 1, ?)"
        " ON CONFLICT (key) DO UPDATE SET"
        " failures = CASE WHEN sign_in_failures.since > ? AND sign_in_failures.since <= ?"
        "   THEN sign_in_failures.failures + 1 ELSE 1 END,"
        " since = CASE WHEN sign_in_failures.since > ? AND sign_in_failures.since <= ?"
        "   THEN sign_in_failures.since ELSE ? END"
        " RETURNING failures, since",
        key, tx.now, tx.now - window, tx.now, tx.now - window, tx.now, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0]), int(row[1])


async def failures(reader: Reader, key: str, window: int) -> int:
    """Within the window that runs."""
    row = await reader.one(
        "SELECT failures FROM sign_in_failures WHERE key = ? AND since > ? AND since <= ?",
        key, reader.now - window, reader.now,
    )  # fmt: skip
    return int(row[0]) if row else 0


async def give_back(tx: Tx, key: str) -> None:
    await tx.run("UPDATE sign_in_failures SET failures = failures - 1 WHERE key = ? AND failures > 0", key)


async def forget(tx: Tx, key: str) -> None:
    await tx.run("DELETE FROM sign_in_failures WHERE key = ?", key)


async def touch(tx: Tx, key: str) -> None:
    """Write the counter as it is."""
    await tx.run("UPDATE sign_in_failures SET failures = failures WHERE key = ?", key)
