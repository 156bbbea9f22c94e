"""Keeping the search index up with the database, behind the acks.

Where it has come to is kept in the index itself, in the same step as the texts: a kill repeats a step or does not, and never
leaves one out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import structlog

from chat_server.domain.errors import Problem
from chat_server.ports import MESSAGES, NOTES, BlobStore, SearchIndex, Storage, Text
from chat_server.services import indexing
from chat_server.services.epoch import stream_epoch
from chat_server.services.indexing import Unread

BATCH: Final = 100
REST: Final = 4
"""Seconds of rest for each second of work, while there is more to do."""
_NEXT: Final = {MESSAGES: (indexing.next_step, BATCH), NOTES: (indexing.next_notes, 10)}
"""A note may be as long as a hundred messages."""
log = structlog.get_logger("renraku.search")


class Indexer:
    """One task. `wake` after a commit; a slow poll covers what another process committed."""

    def __init__(
        self, storage: Storage, index: SearchIndex, blobs: BlobStore, *, pause: float = 0.1, poll: float = 2.0
    ) -> None:
        self._storage = storage
        self._index = index
        self._blobs = blobs
        self._pause = pause
        self._poll = poll
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A failure is logged and tried again."""
        ours = False
        while True:
            begun = time.monotonic()
            try:
                if not ours:
                    await self._index.belong(await stream_epoch(self._storage))
                    ours = True
                worked = await self.step()
            except Exception:
                log.exception("indexing failed")
                worked = 0
            # A rebuilding, or a rush, must not take the processor from those who write.
            await asyncio.sleep(max(self._pause if worked < BATCH else 0.0, REST * (time.monotonic() - begun)))
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._woken.wait()
                self._woken.clear()

    async def step(self) -> int:
        """One batch of each; answers how many messages and notes were in it."""
        return await self._step(MESSAGES) + await self._step(NOTES)

    async def _step(self, of: str) -> int:
        position = await self._index.position(of)
        next_step, batch = _NEXT[of]
        step = await self._storage.read(lambda reader: next_step(reader, position, batch))
        if not step.keys and not step.changes:
            return 0
        texts = [text for unread in step.texts if (text := await self._folded(unread)) is not None]
        await self._index.replace(step.keys, texts, step.position, of)
        if step.changes:
            await self._storage.write(lambda tx: indexing.finish(tx, step))
        return len(step.keys)

    async def _folded(self, unread: Unread) -> Text | None:
        if unread.blob is None:
            return unread.text(unread.words)
        try:
            words = await indexing.document_text(self._blobs, unread.org_id, unread.blob.sha256)
        except (FileNotFoundError, Problem) as error:
            log.warning("a document's text cannot be read", why=str(error))
            return None
        return await asyncio.to_thread(unread.text, words)
