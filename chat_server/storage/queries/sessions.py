"""Devices and refresh tokens.

Two rows of `refresh_tokens` stand for one session, however often it was refreshed: the *family*, whose hash is of the
part that all its tokens share and whose `used_at` is set from the start, and the one *current* token.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from chat_server.domain.policy import Policy, policy_of
from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class FoundActor:
    """A user on a device, as of now."""

    user_id: int
    org_id: int
    kind: str
    name: str
    disabled_at: int | None
    ends_at: int | None
    device_id: int
    zone: str
    revoked_at: int | None
    approved_at: int | None
    wipe_asked_at: int | None
    ownership: str
    roles: frozenset[str]
    policy: Policy


async def actor(reader: Reader, user: str, device: str, org: str) -> FoundActor | None:
    """By public ids that must belong together."""
    rows = await reader.all(
        "SELECT u.id, u.org_id, u.kind, u.name, u.disabled_at, u.ends_at, d.id, d.zone, d.revoked_at,"
        " d.approved_at, d.wipe_asked_at, d.ownership, r.role, o.policy"
        " FROM users u"
        " JOIN organizations o ON o.id = u.org_id AND o.public_id = ?"
        " JOIN devices d ON d.user_id = u.id AND d.public_id = ?"
        " LEFT JOIN roles r ON r.user_id = u.id"
        " WHERE u.public_id = ?",
        org, device, user,
    )  # fmt: skip
    if not rows:
        return None
    roles = frozenset(row[12] for row in rows if row[12] is not None)
    return FoundActor(*[*rows[0][:12], roles, policy_of(json.loads(rows[0][13]))])


@dataclass(frozen=True, slots=True)
class Family:
    """The session that a refresh token belongs to."""

    user_id: int
    org_id: int
    user: str
    org: str
    kind: str
    disabled_at: int | None
    user_ends_at: int | None
    device_id: int
    device: str
    zone: str
    revoked_at: int | None
    expires_at: int


async def family(reader: Reader, token_hash: str) -> Family | None:
    """By the family's hash or by the current token's."""
    row = await reader.one(
        "SELECT u.id, u.org_id, u.public_id, o.public_id, u.kind, u.disabled_at, u.ends_at, d.id, d.public_id, d.zone,"
        "  d.revoked_at, t.expires_at"
        " FROM refresh_tokens t JOIN devices d ON d.id = t.device_id JOIN users u ON u.id = t.user_id"
        " JOIN organizations o ON o.id = u.org_id"
        " WHERE t.token_hash = ?",
        token_hash,
    )
    return Family(*row) if row else None


async def insert_token(
    tx: Tx, token_hash: str, org_id: int, user_id: int, device_id: int, expires_at: int, used_at: int | None
) -> None:
    await tx.run(
        "INSERT INTO refresh_tokens (token_hash, org_id, user_id, device_id, issued_at, expires_at, used_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        token_hash, org_id, user_id, device_id, tx.now, expires_at, used_at,
    )  # fmt: skip


async def use_token(tx: Tx, token_hash: str) -> bool:
    """Spend the current token; False if it was not current (any more)."""
    return await tx.run("DELETE FROM refresh_tokens WHERE token_hash = ? AND used_at IS NULL", token_hash) == 1


async def is_current(reader: Reader, token_hash: str, since: int) -> bool:
    """Whether it is a token that was issued after `since` and not used yet."""
    row = await reader.one(
        "SELECT 1 FROM refresh_tokens WHERE token_hash = ? AND used_at IS NULL AND issued_at > ?", token_hash, since
    )
    return row is not None


async def extend_family(tx: Tx, family_hash: str, expires_at: int) -> None:
    await tx.run("UPDATE refresh_tokens SET expires_at = ? WHERE token_hash = ?", expires_at, family_hash)


async def drop_current(tx: Tx, device_id: int) -> None:
    """Leave the family's own row: whoever still holds a token of it is told why it ended."""
    await tx.run("DELETE FROM refresh_tokens WHERE device_id = ? AND used_at IS NULL", device_id)


async def drop_all(tx: Tx, device_id: int) -> None:
    await tx.run("DELETE FROM refresh_tokens WHERE device_id = ?", device_id)


@dataclass(frozen=True, slots=True)
class Device:
    """An installed client that is signed in, or that has yet to clear its data."""

    id: int
    public_id: str
    name: str
    zone: str
    address: str
    created_at: int
    seen_at: int
    platform: str
    app_version: str
    ownership: str
    approved_at: int | None
    wipe_asked_at: int | None
    wiped_at: int | None
    wiped_unsent: int | None
    revoked_at: int | None
    user_id: int


_DEVICE: Final = (
    "d.id, d.public_id, d.name, d.zone, d.address, d.created_at, d.seen_at, d.platform, d.app_version, d.ownership,"
    " d.approved_at, d.wipe_asked_at, d.wiped_at, d.wiped_unsent, d.revoked_at, d.user_id"
)


async def insert_device(
    tx: Tx, public_id: str, org_id: int, user_id: int, name: str, zone: str, address: str, *, approved: bool = True
) -> int:
    """Its integer key. Unless `approved` it waits until an administrator says so."""
    row = await tx.one(
        "INSERT INTO devices (public_id, org_id, user_id, name, zone, address, created_at, seen_at, approved_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, user_id, name, zone, address, tx.now, tx.now, tx.now if approved else None,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def seen(tx: Tx, device_id: int, address: str) -> None:
    await tx.run("UPDATE devices SET seen_at = ?, address = ? WHERE id = ?", tx.now, address, device_id)


async def devices(reader: Reader, org_id: int, user_id: int) -> list[Device]:
    """Those that can still refresh, and those that have yet to say that their data is gone; last seen first."""
    rows = await reader.all(
        f"SELECT {_DEVICE} FROM devices d"  # noqa: S608 - our own columns
        " WHERE d.org_id = ? AND d.user_id = ? AND d.revoked_at IS NULL AND (d.wipe_asked_at IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.device_id = d.id AND t.expires_at > ?))"
        " ORDER BY d.seen_at DESC, d.id DESC",
        org_id, user_id, reader.now,
    )  # fmt: skip
    return [Device(*row) for row in rows]


async def device(reader: Reader, device_id: int) -> Device | None:
    """By its integer key, signed out or not."""
    row = await reader.one(f"SELECT {_DEVICE} FROM devices d WHERE d.id = ?", device_id)  # noqa: S608
    return Device(*row) if row else None


async def waiting(reader: Reader, org_id: int, limit: int) -> list[Device]:
    """Devices of the organization that wait for approval, the first first."""
    rows = await reader.all(
        f"SELECT {_DEVICE} FROM devices d WHERE d.org_id = ? AND d.approved_at IS NULL AND d.revoked_at IS NULL"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.device_id = d.id AND t.expires_at > ?)"
        " ORDER BY d.id LIMIT ?",
        org_id, reader.now, limit,
    )  # fmt: skip
    return [Device(*row) for row in rows]


async def wiping(reader: Reader, org_id: int, limit: int) -> list[Device]:
    """Devices of the organization that were asked to clear their data, whether they did or not, the last first."""
    rows = await reader.all(
        f"SELECT {_DEVICE} FROM devices d WHERE d.org_id = ? AND d.wipe_asked_at IS NOT NULL ORDER BY d.id DESC LIMIT ?",  # noqa: S608
        org_id, limit,
    )  # fmt: skip
    return [Device(*row) for row in rows]


async def describe(tx: Tx, device_id: int, name: str, platform: str, app_version: str, ownership: str) -> None:
    """What the device says of itself."""
    await tx.run(
        "UPDATE devices SET name = ?, platform = ?, app_version = ?, ownership = ? WHERE id = ?",
        name, platform, app_version, ownership, device_id,
    )  # fmt: skip


async def approve(tx: Tx, device_id: int, by: int | None) -> None:
    await tx.run("UPDATE devices SET approved_at = ?, approved_by = ? WHERE id = ?", tx.now, by, device_id)


async def own(tx: Tx, device_id: int, ownership: str) -> None:
    await tx.run("UPDATE devices SET ownership = ? WHERE id = ?", ownership, device_id)


async def ask_to_wipe(tx: Tx, device_id: int) -> bool:
    """False if it was asked already. It says no more where it is woken (`push_renewals`)."""
    return (
        await tx.run(
            "UPDATE devices SET wipe_asked_at = ?, renewal_hash = NULL WHERE id = ? AND wipe_asked_at IS NULL",
            tx.now, device_id,
        )
        == 1
    )  # fmt: skip


async def wiped(tx: Tx, device_id: int, unsent: int) -> None:
    await tx.run("UPDATE devices SET wiped_at = ?, wiped_unsent = ? WHERE id = ?", tx.now, unsent, device_id)


async def device_id(reader: Reader, org_id: int, user_id: int, device: str) -> int | None:
    """The integer key of a device of this very user that is not signed out."""
    row = await reader.one(
        "SELECT id FROM devices WHERE public_id = ? AND org_id = ? AND user_id = ? AND revoked_at IS NULL",
        device, org_id, user_id,
    )  # fmt: skip
    return int(row[0]) if row else None


async def live_device_ids(reader: Reader, org_id: int, user_id: int) -> list[int]:
    """Every device that is not signed out, whether it can still refresh or not; but for those that are to clear their
    data: signed out, they would never hear of it."""
    rows = await reader.all(
        "SELECT id FROM devices WHERE org_id = ? AND user_id = ? AND revoked_at IS NULL AND wipe_asked_at IS NULL"
        " ORDER BY id",
        org_id, user_id,
    )  # fmt: skip
    return [int(row[0]) for row in rows]


async def revoke(tx: Tx, device_id: int) -> bool:
    """False if it was signed out already. Nothing that it held is good any more, whichever way it came to that."""
    return (
        await tx.run(
            "UPDATE devices SET revoked_at = ?, renewal_hash = NULL WHERE id = ? AND revoked_at IS NULL",
            tx.now, device_id,
        )
        == 1
    )  # fmt: skip


async def end_everything(tx: Tx) -> int:
    """Every session of every organization, and sign-ins under way; answers how many devices were signed in."""
    await tx.run("DELETE FROM refresh_tokens")
    await tx.run("DELETE FROM sign_ins")
    return await tx.run("UPDATE devices SET revoked_at = ?, renewal_hash = NULL WHERE revoked_at IS NULL", tx.now)
