"""Acts that happen once, however often a client that got no answer asks for them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.errors import IDEMPOTENCY_REUSED, Problem
from chat_server.ports import Reader, Tx
from chat_server.services.keys import SENDS, Keys
from chat_server.storage.queries import idempotency as queries

FIELD: Final = "Idempotency-Key"
SWEPT_AT_ONCE: Final = 500
_LABEL: Final = b"idempotency"


@dataclass(frozen=True, slots=True)
class Claim:
    """One request under its key. `digest`: what was asked, keyed, so that the table tells nothing of it."""

    user_id: int
    org_id: int
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was, or is to be, answered."""

    status: int
    body: bytes


def digest(keys: Keys, method: str, path: str, body_hash: bytes) -> bytes:
    """`body_hash`: SHA-256 of the body's bytes. `path`: with its query."""
    secret = keys.current(SENDS).secret
    text = b"\0".join((_LABEL, method.encode(), path.encode("utf-8", "surrogateescape"), body_hash))
    return hmac.digest(secret, text, hashlib.sha256)


async def kept(reader: Reader, claim: Claim) -> Answer | None:
    """The answer that was given to this request already. Raises `Problem` 2006 if the key was used for another."""
    found = await queries.find(reader, claim.user_id, claim.key, reader.now - limits.IDEMPOTENCY_KEPT)
    if found is None:
        return None
    request_hash, status, body = found
    if not hmac.compare_digest(bytes(request_hash), claim.digest):
        raise Problem(IDEMPOTENCY_REUSED, field=FIELD)
    return Answer(status, bytes(body))


async def once(
    tx: Tx, claim: Claim, status: int, act: Callable[[Tx], Awaitable[Any]], encode: Callable[[Any], bytes]
) -> Answer:
    """Claim the key, act, keep the answer: all of it in one transaction, or nothing. A claimed key gives its answer.

    Raises `Problem` 2006, and what `act` raises; a refused act leaves the key free.
    """
    since = tx.now - limits.IDEMPOTENCY_KEPT
    if not await queries.claim(tx, claim.user_id, claim.key, claim.org_id, claim.digest, since):
        earlier = await kept(tx, claim)
        assert earlier is not None
        return earlier
    answer = Answer(status, encode(await act(tx)))
    await queries.keep(tx, claim.user_id, claim.key, answer.status, answer.body)
    return answer


async def sweep(tx: Tx) -> int:
    """Remove answers that are older than a day, at most a few hundred at once; answers how many."""
    return await queries.drop(tx, tx.now - limits.IDEMPOTENCY_KEPT, SWEPT_AT_ONCE)
