"""Files that nobody needs: halves that a kill left, uploads that were never sent, blobs without a row.

**No blob is removed that a row names, or will name.** A row for a blob is written only by an upload that has just kept
the blob (`photo_upload`: keep, then one transaction), on the one process that owns the folder. So:

- A blob with a row is no candidate. Rows are looked up after the files were listed: a row that is committed even later
  belongs to an upload that is under way now.
- An upload under way has kept its blobs moments ago: from its first keep to its commit there is no decoding and no
  network, only its own fsyncs and the writer's queue. `remove_old` spares what was kept within an hour, by a clock that
  neither an operator nor a machine's sleep can move, and that hour is looked at again at the removal itself.
- An upload that keeps the same bytes at the moment of the removal comes before it (then the blob is young, and spared)
  or after it (then it puts its own bytes under the name): naming and removing exclude each other. Either way the bytes
  are there when its row is committed.
- What another process kept has no upload under way: one process owns the folder, and it is this one now. The age of the
  file counts all the same, for folders that somebody copies about.

- While a backup copies files (`backups.held`, asked before the rows), nothing is removed: a blob that has no row now may
  have had one when the backup began.

Rows go an hour before their files, so whoever is just opening an upload of their own is not left without the bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.ports import BLOB_YOUNG, BlobStore, Storage
from chat_server.services import backups, leftovers, quarantine, uploads
from chat_server.services.scratch import clear_scratch

EVERY: Final = 3600.0
ASKED_AT_ONCE: Final = 500
"""Blobs looked up in one view: another reader gets its turn in between."""
log = structlog.get_logger("renraku.files")


class FileSweeper:
    """One task. `scratch`: where photos are decoded."""

    def __init__(self, storage: Storage, blobs: BlobStore, scratch: Path) -> None:
        self._storage = storage
        self._blobs = blobs
        self._scratch = scratch

    async def clear(self) -> None:
        """At the start, before anything is received: whatever is half done was the last process's. Where several nodes
        share the blobs, the store spares what may be an upload under way at another one."""
        await self._blobs.sweep(0)
        await asyncio.to_thread(clear_scratch, self._scratch, math.inf)

    async def run_here(self) -> None:
        """What every node does for itself, until cancelled: the scratch folder is its own."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self._clear_old_scratch()
            except Exception:
                log.exception("sweeping the scratch folder failed")

    async def run(self) -> None:
        """What one node does for all, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("sweeping files failed")
            await asyncio.sleep(EVERY)

    async def sweep(self) -> None:
        """Everything that is due."""
        halves = await self._blobs.sweep(BLOB_YOUNG)
        halves += await self._clear_old_scratch()
        blobs = await self._remove_orphans()
        unsent = await self._forget_unsent()
        uploads = await self._forget_uploads()
        sealed = await self._forget_sealed()
        if halves or blobs or unsent or uploads or sealed:
            log.info("swept", halves=halves, blobs=blobs, unsent=unsent, uploads=uploads, sealed=sealed)

    async def _clear_old_scratch(self) -> int:
        return await asyncio.to_thread(clear_scratch, self._scratch, time.time() - BLOB_YOUNG / limits.SECOND)

    async def _remove_orphans(self) -> int:
        removed = 0
        async for org_id, sha256s in self._blobs.old():
            for some in _pieces(sha256s):
                if await self._storage.read(backups.held):
                    return removed
                orphans = await self._storage.read(partial(leftovers.orphans, org_id=org_id, sha256s=some))
                if orphans:
                    removed += await self._blobs.remove_old(org_id, orphans)
        return removed

    async def _forget_unsent(self) -> int:
        forgotten = 0
        while found := await self._storage.read(leftovers.unsent):
            forgotten += await self._storage.write(partial(leftovers.forget, attachment_ids=found))
        return forgotten

    async def _forget_sealed(self) -> int:
        forgotten = 0
        while found := await self._storage.read(quarantine.expired):
            forgotten += await self._storage.write(partial(quarantine.forget, ids=found))
        return forgotten

    async def _forget_uploads(self) -> int:
        """Rows whose time is over, then the bytes that no row waits for: cancelled at another node, or finished by a
        process that was killed before it took them away."""
        forgotten = 0
        while found := await self._storage.read(uploads.expired):
            gone = partial(uploads.forget, public_ids=[upload.public_id for upload in found])
            forgotten += await self._storage.write(gone)
        for some in _pieces(await self._blobs.unfinished_old()):
            for upload in await self._storage.read(partial(uploads.unknown, public_ids=some)):
                with contextlib.suppress(Problem):  # somebody has it at this moment: next time
                    async with self._blobs.unfinished(upload) as part:
                        await part.discard()
        return forgotten


def _pieces(sha256s: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(sha256s), ASKED_AT_ONCE):
        yield sha256s[first : first + ASKED_AT_ONCE]
