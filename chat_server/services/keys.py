"""Signing keys: made at the first start, rotated, the old ones verify until they retire.

The process holds them in one `Keys` object; whoever changes the table calls `load` afterwards.
"""

from __future__ import annotations

import secrets
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Reader, Storage, Tx
from chat_server.storage.queries import keys as queries
from chat_server.storage.queries.keys import Key

TOKEN: Final = "token"  # noqa: S105 - a purpose, not a secret
FILE: Final = "file"
SENDS: Final = "sends"
"""Keys the hashes in `sends`. Never rotated: a replay after a rotation would look like another message."""
HOOKS: Final = "hooks"
"""Makes the secrets of webhooks, together with what stands in their rows. Never rotated: others hold those secrets."""

QUARANTINE: Final = "quarantine"
"""Seals what strangers handed in, as it was received. Never rotated: what lies there is opened by it."""
WEB_PUSH: Final = "web_push"
"""Says to browsers' push services who pushes (VAPID): a private key on P-256. Never rotated: every subscription was made
for its public half."""

OVERLAP: Final = {
    TOKEN: limits.ACCESS_LIVES + limits.HOUR,
    FILE: 2 * limits.ADDRESS_STEP + limits.HOUR,
}
"""How long the old key goes on verifying: what it signed has expired by then, clocks an hour off included."""

SECRET_BYTES: Final = 32
"""RFC 7518, 3.2: an HS256 key has at least 256 bits."""
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""FIPS 186-5: a private key is a number from 1 to one less than this."""


class UnknownKey(Problem):
    """Signed with a key that this process does not know: another one may have made it a moment ago (`read_again`)."""


class Keys:
    """All keys in memory, so that verifying a token costs no query."""

    __slots__ = ("_by_kid", "_current", "shared")

    def __init__(self) -> None:
        self.shared = False
        """Other processes make keys too: one that is not known may be very new."""
        self._by_kid: dict[tuple[str, str], Key] = {}
        self._current: dict[str, Key] = {}

    def replace(self, keys: list[Key]) -> None:
        """Take in the table's rows, oldest first."""
        self._by_kid = {(key.purpose, key.kid): key for key in keys}
        self._current = {key.purpose: key for key in keys if key.retires_at is None}

    def current(self, purpose: str) -> Key:
        """The key that signs. Raises `KeyError` before `prepare`."""
        return self._current[purpose]

    def find(self, purpose: str, kid: str, now: int) -> Key | None:
        """The key that verifies what `kid` signed, unless it has retired or was made for something else."""
        key = self._by_kid.get((purpose, kid))
        if key is None or (key.retires_at is not None and key.retires_at <= now):
            return None
        return key


async def prepare(storage: Storage, keys: Keys) -> None:
    """At start: make the keys that are missing, then load all."""

    async def make_missing(tx: Tx) -> None:
        present = {key.purpose for key in await queries.all_keys(tx) if key.retires_at is None}
        for purpose in (TOKEN, FILE, SENDS, HOOKS, QUARANTINE, WEB_PUSH):
            if purpose not in present:
                await _make(tx, purpose)

    await storage.write(make_missing)
    await load(storage, keys)


async def load(storage: Storage, keys: Keys) -> None:
    """Read the table into `keys`."""
    keys.replace(await storage.read(read))


async def read(tx: Reader) -> list[Key]:
    """What the table holds, for `Keys.replace`."""
    return await queries.all_keys(tx)


async def read_again(reader: Reader, keys: Keys) -> None:
    """After `UnknownKey`: no token is refused because another node's rotation has not come round."""
    keys.replace(await read(reader))


async def rotate(storage: Storage, keys: Keys, purpose: str, *, at_once: bool = False) -> str:
    """Sign with a new key from now on; answers its kid. `at_once`: the old one leaked, nothing it signed holds."""
    if purpose not in OVERLAP:
        raise ValueError(f"keys of purpose {purpose!r} are not rotated")

    async def change(tx: Tx) -> str:
        await queries.retire(tx, purpose, tx.now if at_once else tx.now + OVERLAP[purpose])
        await queries.remove_retired(tx)
        return await _make(tx, purpose)

    kid = await storage.write(change)
    await load(storage, keys)
    return kid


async def _make(tx: Tx, purpose: str) -> str:
    kid = new_id(tx.now)
    await queries.insert(tx, kid, purpose, _curve_key() if purpose == WEB_PUSH else secrets.token_bytes(SECRET_BYTES))
    return kid


def _curve_key() -> bytes:
    """32 bytes, big end first."""
    return (1 + secrets.randbelow(_P256_ORDER - 1)).to_bytes(SECRET_BYTES, "big")
