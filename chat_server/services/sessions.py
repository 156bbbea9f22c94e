"""Sessions: one a device, kept alive by refresh tokens that work once (OAuth 2.0 Security BCP, RFC 9700, 4.14.2).

A refresh token is `family.own`, two secrets of 256 bits. The family's part stays the same for the device's whole
session, the own part changes with every use, and both are stored hashed. So whoever shows a token of a living family
that is not its current one has used a token twice or has stolen it, and that is known for ever at the price of two
rows a device, where a row for every rotated token would make millions in a month.

An answer that a bad line swallowed may be asked for again (docs/decisions/0009-a-lost-refresh-answer.md): used under an
Idempotency-Key, a token has one successor, which only the two of them and the server's secret lead to. While that
successor is the current token, showing both again is the same request and gives the same session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import REFRESH_REUSED, TOKEN_INVALID, Problem
from chat_server.domain.ids import new_id, new_secret
from chat_server.ports import Storage, Tx
from chat_server.services import audit, devices
from chat_server.services.actors import check_standing
from chat_server.services.keys import SENDS, Keys
from chat_server.services.tokens import Tokens
from chat_server.storage.queries import sessions as queries
from chat_server.storage.queries.sessions import Family

MAX_CHARS: Final = 200
_LABEL: Final = b"refresh"


class Session(msgspec.Struct, frozen=True):
    """What a client gets (docs/protocol.md, section 1). Times in UTC milliseconds."""

    access_token: str
    access_expires: int
    refresh_token: str
    refresh_expires: int
    device: str
    user: str

    def __repr__(self) -> str:
        """Tokens never reach a log, not even by a traceback's locals."""
        return f"Session(device={self.device!r}, user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Granted:
    """A committed session, before its access token is signed."""

    user: str
    device: str
    org: str
    zone: str
    refresh_token: str
    refresh_expires: int
    not_after: int | None

    def __repr__(self) -> str:
        return f"Granted(device={self.device!r}, user={self.user!r})"

    def session(self, tokens: Tokens) -> Session:
        access, expires = tokens.issue(self.user, self.device, self.org, self.zone, not_after=self.not_after)
        return Session(access, expires, self.refresh_token, self.refresh_expires, self.device, self.user)


def digest(secret: str) -> str:
    """How secrets of 256 random bits are stored: SHA-256 is enough, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin(
    tx: Tx,
    *,
    user_id: int,
    org_id: int,
    user: str,
    org: str,
    ends_at: int | None,
    device_name: str,
    zone: str,
    address: str,
    approved: bool = True,
) -> Granted:
    """A new device with a new family. `ends_at`: a guest's end, which no session outlives. Unless `approved` the device
    waits for an administrator."""
    device = new_id(tx.now)
    device_id = await queries.insert_device(tx, device, org_id, user_id, device_name, zone, address, approved=approved)
    family, own = new_secret(), new_secret()
    expires = _refresh_expires(tx.now, ends_at)
    await queries.insert_token(tx, digest(family), org_id, user_id, device_id, expires, tx.now)
    token = f"{family}.{own}"
    await queries.insert_token(tx, digest(token), org_id, user_id, device_id, expires, None)
    await devices.announce(tx, user_id, org_id)
    return Granted(user, device, org, zone, token, expires, ends_at)


async def refresh(
    storage: Storage, tokens: Tokens, keys: Keys, token: str, zone: str, address: str, *, key: str | None = None
) -> Session:
    """A new session for a refresh token, which is then spent. `key`: the request's Idempotency-Key; repeated under it,
    the same session again for `limits.REFRESH_REPEATED`, as long as nobody has used the new token.

    Raises `Problem` 1005 if it had been used before (the device is then signed out), 1004 if it is not valid here and
    now, 6009 if the account may not sign in any more.
    """
    family, dot, _ = token.partition(".")
    if not dot or len(token) > MAX_CHARS:
        raise Problem(TOKEN_INVALID)
    following = f"{family}.{_successor(keys, token, key) if key else new_secret()}"

    async def rotate(tx: Tx) -> Granted | None:
        found = await queries.family(tx, digest(family))
        if found is None or found.expires_at <= tx.now or found.zone != zone:
            raise Problem(TOKEN_INVALID)
        check_standing(found.disabled_at, found.user_ends_at, tx.now)
        if found.revoked_at is not None:
            return None
        if await queries.use_token(tx, digest(token)):
            return await _next(tx, found, following, address)
        if key and await queries.is_current(tx, digest(following), tx.now - limits.REFRESH_REPEATED):
            return _granted(found, following, found.expires_at)
        await _end_family(tx, found, zone, address)
        return None

    granted = await storage.write(rotate)
    if granted is None:
        # Raised only here: an exception inside the transaction would undo the end of the session.
        raise Problem(REFRESH_REUSED)
    return granted.session(tokens)


def _successor(keys: Keys, token: str, key: str) -> str:
    """The own part that follows `token` used under `key`: for everybody else 256 random bits."""
    text = b"\0".join((_LABEL, token.encode(), key.encode()))
    derived = hmac.digest(keys.current(SENDS).secret, text, hashlib.sha256)
    return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


async def _next(tx: Tx, found: Family, token: str, address: str) -> Granted:
    expires = _refresh_expires(tx.now, found.user_ends_at)
    await queries.insert_token(tx, digest(token), found.org_id, found.user_id, found.device_id, expires, None)
    await queries.extend_family(tx, digest(token.partition(".")[0]), expires)
    await queries.seen(tx, found.device_id, address)
    return _granted(found, token, expires)


def _granted(found: Family, token: str, expires: int) -> Granted:
    return Granted(found.user, found.device, found.org, found.zone, token, expires, found.user_ends_at)


async def _end_family(tx: Tx, found: Family, zone: str, address: str) -> None:
    """One of the two users of the token is a thief, and nobody can tell which: both are out, and both are told 1005."""
    await queries.drop_current(tx, found.device_id)
    await queries.revoke(tx, found.device_id)
    await devices.announce(tx, found.user_id, found.org_id, revoked_device=found.device_id)
    await audit.record(tx, found.org_id, found.user, "session.reuse", found.device, {}, zone, address)


def _refresh_expires(now: int, ends_at: int | None) -> int:
    expires = now + limits.REFRESH_LIVES
    return expires if ends_at is None else min(expires, ends_at)
