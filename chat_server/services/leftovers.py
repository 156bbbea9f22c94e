"""Uploads that were never sent, and bytes that belong to nothing: what may go, decided in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.domain import limits
from chat_server.ports import Reader, Tx
from chat_server.services import quota
from chat_server.storage.queries import leftovers as queries

STEP: Final = 20
"""Attachments that a transaction removes, with their renditions and blobs: keeps the writer free (20 ms)."""


async def unsent(reader: Reader) -> list[int]:
    """The next attachments (integer keys) that nobody sent within `limits.UNSENT_KEPT`; none if that was all."""
    return await queries.unsent(reader, reader.now - limits.UNSENT_KEPT, STEP)


async def forget(tx: Tx, attachment_ids: Sequence[int]) -> int:
    """Remove those that are unsent to this moment; answers how many. Their bytes are orphans from now on."""
    going = await queries.still_unsent(tx, attachment_ids)
    if going:
        for uploader_id, org_id, size in await queries.sizes(tx, going):
            await quota.give_back(tx, org_id, uploader_id, size)
        await queries.remove(tx, going)
    return len(going)


async def orphans(reader: Reader, org_id: int, sha256s: Sequence[str]) -> list[str]:
    """Those of the blobs that have no row."""
    known = await queries.known(reader, org_id, sha256s)
    return [sha256 for sha256 in sha256s if sha256 not in known]
