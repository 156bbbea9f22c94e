"""Quarantine: what strangers handed in, as it was received, encrypted until its time is over.

Nothing reads it but the disarming, and no address leads to it: a sealed blob is named by no rendition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import FILE_STORE_BUSY, Problem
from chat_server.ports import Blob, BlobStore, Part, Reader, SealBroken, Seals, Tx
from chat_server.services.keys import QUARANTINE, Keys
from chat_server.storage.queries import disarming as queries
from chat_server.storage.queries import organizations

HALL: Final = 0
"""No organization's number. There the received bytes lie from the moment they are whole until they are sealed; a server that is
killed in between leaves them to the sweeper."""
STEP: Final = 20
_AGAIN: Final = 3


@dataclass(frozen=True, slots=True)
class Sealed:
    """`received`: what came. `blob`: what is kept of it."""

    received: Blob
    blob: Blob


async def seal(blobs: BlobStore, seals: Seals, keys: Keys, org_id: int, part: Part) -> Sealed:
    """Of an upload that is whole: safe on disk, encrypted, when this answers; the part is for the caller to discard, after the
    commit of the row. Raises as `Part.keep`, `Problem` 8006."""
    for _ in range(_AGAIN):
        # the same bytes of another hand may be through at this moment, and gone from the hall
        received = await part.keep(HALL)
        with suppress(FileNotFoundError):
            return await _sealed(blobs, seals, keys.current(QUARANTINE).secret, org_id, received)
    raise Problem(FILE_STORE_BUSY)


async def _sealed(blobs: BlobStore, seals: Seals, secret: bytes, org_id: int, received: Blob) -> Sealed:
    loop = asyncio.get_running_loop()
    incoming = blobs.receive()

    def write(piece: bytes) -> None:
        asyncio.run_coroutine_threadsafe(incoming.write(piece), loop).result()

    try:
        async with blobs.local(HALL, received.sha256) as source:
            await asyncio.to_thread(seals.seal, secret, source, write)
        kept = await blobs.keep(org_id, incoming)
    finally:
        await incoming.discard()
    await blobs.delete(HALL, received.sha256)
    return Sealed(received, kept)


async def open_sealed(
    blobs: BlobStore, seals: Seals, keys: Keys, org_id: int, sealed: str, sha256: str, target: Path
) -> None:
    """Decrypt into the new file `target`: for the disarming alone. Raises `SealBroken` where it is not what was received, OSError,
    `Problem` 8xxx."""
    async with blobs.local(org_id, sealed) as source:
        found = await asyncio.to_thread(seals.open, keys.current(QUARANTINE).secret, source, target)
    if found != sha256:
        raise SealBroken("it is not what was received")


async def ends(tx: Tx, org_id: int) -> int:
    """When the time of what is sealed now is over."""
    policy = await organizations.policy(tx, org_id)
    return tx.now + int(policy.quarantine_days) * limits.DAY


async def expired(reader: Reader) -> list[int]:
    """The next files whose time in quarantine is over (integer keys); none if that was all. One that still waits is none."""
    return await queries.sealed_expired(reader, STEP)


async def forget(tx: Tx, ids: Sequence[int]) -> int:
    """Their bytes are orphans from now on; the record of them stays. Answers how many."""
    going = [one for one in await queries.sealed_expired(tx, STEP) if one in set(ids)]
    for one in going:
        await queries.unseal(tx, one)
    return len(going)
