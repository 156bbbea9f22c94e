"""The secret by which a browser's worker says where its device is woken now. Kept hashed; signing out, a wipe and a restore end it
in the statements that do so (`sessions`), so that no way out of a session forgets it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chat_server.domain.policy import Policy, policy_of
from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Holder:
    """The device whose secret it is, and how it and its person stand. `topic`, `language`: of what it registered last."""

    org_id: int
    user_id: int
    device_id: int
    device: str
    zone: str
    ownership: str
    approved_at: int | None
    wipe_asked_at: int | None
    revoked_at: int | None
    disabled_at: int | None
    ends_at: int | None
    policy: Policy
    topic: str
    language: str


async def keep(tx: Tx, device_id: int, renewal_hash: str | None) -> None:
    """Good from now on, and none before it; None: none."""
    await tx.run("UPDATE devices SET renewal_hash = ? WHERE id = ?", renewal_hash, device_id)


async def is_good(reader: Reader, renewal_hash: str) -> bool:
    return await reader.one("SELECT 1 FROM devices WHERE renewal_hash = ?", renewal_hash) is not None


async def holder(reader: Reader, renewal_hash: str) -> Holder | None:
    row = await reader.one(
        "SELECT d.org_id, d.user_id, d.id, d.public_id, d.zone, d.ownership, d.approved_at, d.wipe_asked_at, d.revoked_at,"
        " u.disabled_at, u.ends_at, o.policy FROM devices d JOIN users u ON u.id = d.user_id"
        " JOIN organizations o ON o.id = d.org_id WHERE d.renewal_hash = ?",
        renewal_hash,
    )
    if row is None:
        return None
    last = await reader.one(
        "SELECT topic, language FROM push_tokens WHERE device_id = ? ORDER BY id DESC LIMIT 1", row[2]
    )
    return Holder(*[*row[:11], policy_of(json.loads(row[11])), *(last or ("", "ja"))])
