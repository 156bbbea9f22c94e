"""Push tokens: where the providers find a device. A token is a secret: whoever has it can be told apart by it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from chat_server.domain.devices import MOVED, REPLACED, RESTORED, token_hash, zone_allowed
from chat_server.domain.policy import Policy, policy_of
from chat_server.ports import Reader, Row, Tx

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class PushToken:
    """One live registration. `id`, `user_id`, `device_id`, `org_id`: integer keys; `device`: the public id.

    `platform`: apns, fcm, web_push, unified. `p256dh`, `auth`: base64url, both empty where the device cannot decrypt.
    `registered_at`: UTC milliseconds.
    """

    id: int
    public_id: str
    org_id: int
    user_id: int
    device_id: int
    device: str
    platform: str
    token: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    topic: str
    language: str
    registered_at: int


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a device registers."""

    platform: str
    token: str = field(repr=False)
    p256dh: str = field(default="", repr=False)
    auth: str = field(default="", repr=False)
    topic: str = ""
    language: str = "ja"


_COLUMNS: Final = (
    "t.id, t.public_id, t.org_id, t.user_id, t.device_id, d.public_id, t.platform, t.token, t.p256dh, t.auth, t.topic,"
    " t.language, t.registered_at"
)


async def live_of(reader: Reader, users: Sequence[int], *, most_trusted: str) -> list[PushToken]:
    """The tokens by which these people (integer keys) may be woken now, by person and registration.

    Only of accounts in good standing, and of devices that are neither signed out nor waiting for approval nor asked to
    wipe, in a zone from which the organization lets them come. `most_trusted`: the innermost zone, of the settings.
    """
    rows: list[Row] = []
    for some in _some(users):
        rows += await reader.all(
            f"SELECT {_COLUMNS}, d.zone, d.ownership, d.approved_at FROM push_tokens t"  # noqa: S608 - question marks
            " JOIN devices d ON d.id = t.device_id JOIN users u ON u.id = t.user_id"
            f" WHERE t.user_id IN ({', '.join('?' * len(some))}) AND t.dropped_at IS NULL"
            "  AND d.revoked_at IS NULL AND d.wipe_asked_at IS NULL"
            "  AND u.disabled_at IS NULL AND (u.ends_at IS NULL OR u.ends_at > ?)"
            " ORDER BY t.user_id, t.id",
            *some,
            reader.now,
        )
    rules = await _rules(reader, {row[2] for row in rows})
    return [PushToken(*row[:13]) for row in rows if _may(rules[row[2]], row, most_trusted)]


def _may(rules: Policy, row: Row, most_trusted: str) -> bool:
    zone, ownership, approved_at = row[13:]
    return approved_at is not None and zone_allowed(rules.device_zones, zone, most_trusted, ownership)


async def _rules(reader: Reader, orgs: Iterable[int]) -> dict[int, Policy]:
    found = {}
    for org_id in orgs:
        row = await reader.one("SELECT policy FROM organizations WHERE id = ?", org_id)
        found[org_id] = policy_of(json.loads(row[0]) if row else {})
    return found


def _some(users: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(users), _AT_ONCE):
        yield users[start : start + _AT_ONCE]


async def put(tx: Tx, public_id: str, org_id: int, user_id: int, device_id: int, new: NewToken) -> int:
    """Register the device's token of that platform; answers its integer key.

    The same again renews its row; `public_id` is for a new one. A token that stood elsewhere, whosever it was, leaves
    its old row, and an older token of the device gives way: a device is woken once.
    """
    digest = token_hash(new.platform, new.token)
    row = await tx.one("SELECT id, device_id, user_id, dropped_at FROM push_tokens WHERE token_hash = ?", digest)
    if row is not None and (row[1], row[2], row[3]) == (device_id, user_id, None):
        await tx.run(
            "UPDATE push_tokens SET p256dh = ?, auth = ?, topic = ?, language = ?, registered_at = ? WHERE id = ?",
            new.p256dh, new.auth, new.topic, new.language, tx.now, row[0],
        )  # fmt: skip
        return int(row[0])
    if row is not None:
        await tx.run(
            "UPDATE push_tokens SET token_hash = NULL, token = '', p256dh = '', auth = '',"
            " dropped_why = CASE WHEN dropped_at IS NULL THEN ? ELSE dropped_why END,"
            " dropped_at = coalesce(dropped_at, ?) WHERE id = ?",
            MOVED, tx.now, row[0],
        )  # fmt: skip
    await drop_of_device(tx, device_id, REPLACED)
    made = await tx.one(
        "INSERT INTO push_tokens (public_id, org_id, user_id, device_id, platform, token, token_hash, p256dh, auth,"
        " topic, language, registered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, user_id, device_id, new.platform, new.token, digest, new.p256dh, new.auth, new.topic,
        new.language, tx.now,
    )  # fmt: skip
    assert made is not None
    return int(made[0])


async def drop(tx: Tx, token_id: int, why: str, registered_before: int | None = None) -> bool:
    """The provider says that the token is good for nothing. `registered_before`: only if it was not registered since
    (APNs tells when it died). False if it is not live, or newer."""
    return (
        await tx.run(
            "UPDATE push_tokens SET dropped_at = ?, dropped_why = ? WHERE id = ? AND dropped_at IS NULL"
            " AND (CAST(? AS BIGINT) IS NULL OR registered_at < ?)",
            tx.now, why, token_id, registered_before, registered_before,
        )
        == 1
    )  # fmt: skip


async def drop_of_device(tx: Tx, device_id: int, why: str) -> bool:
    """Whatever the device is woken by. False if nothing was."""
    changed = await tx.run(
        "UPDATE push_tokens SET dropped_at = ?, dropped_why = ? WHERE device_id = ? AND dropped_at IS NULL",
        tx.now,
        why,
        device_id,
    )
    return changed > 0


async def forget_all(tx: Tx) -> None:
    """After a restore: a token of then may be another person's device by now, and each registers again as it signs in."""
    await tx.run(
        "UPDATE push_tokens SET token_hash = NULL, token = '', p256dh = '', auth = '', dropped_why = ?,"
        " dropped_at = coalesce(dropped_at, ?) WHERE token_hash IS NOT NULL",
        RESTORED, tx.now,
    )  # fmt: skip


async def of_device(reader: Reader, device_id: int) -> tuple[str, int] | None:
    """(platform, registered_at) of the device's live token."""
    row = await reader.one(
        "SELECT platform, registered_at FROM push_tokens WHERE device_id = ? AND dropped_at IS NULL"
        " ORDER BY id DESC LIMIT 1",
        device_id,
    )
    return (str(row[0]), int(row[1])) if row else None


async def stands(reader: Reader, new: NewToken) -> tuple[int, str, str] | None:
    """(device_id, p256dh, auth) of the live registration of that very token, whosever it is."""
    row = await reader.one(
        "SELECT device_id, p256dh, auth FROM push_tokens WHERE token_hash = ? AND dropped_at IS NULL",
        token_hash(new.platform, new.token),
    )
    return (int(row[0]), str(row[1]), str(row[2])) if row else None


async def sweep(tx: Tx, before: int, limit: int) -> int:
    """Remove rows that were dropped before that; answers how many."""
    return await tx.run(
        "DELETE FROM push_tokens WHERE id IN (SELECT id FROM push_tokens WHERE dropped_at < ? LIMIT ?)", before, limit
    )
