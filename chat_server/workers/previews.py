"""Making previews: pending renditions from the database, through the decoders, back into the database.

What is pending is nowhere but in the database, so that a kill loses nothing. A try is counted before it is made, and the
number of tries is finite: a file that always takes its decoder down ends as failed.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from chat_server.domain.errors import Problem
from chat_server.ports import BlobStore, Documents, Photos, Storage
from chat_server.services import previews
from chat_server.services.previews import Due, Made, Trust

BATCH: Final = 20
log = structlog.get_logger("renraku.previews")


class PreviewWorker:
    """One task, with at most `at_once` files under way. Its `photos` should not be those that uploads wait for."""

    def __init__(
        self,
        storage: Storage,
        photos: Photos,
        documents: Documents,
        blobs: BlobStore,
        scratch: Path,
        trust: Trust,
        *,
        at_once: int = 2,
        poll: float = 1.0,
    ) -> None:
        self._storage = storage
        self._photos = photos
        self._documents = documents
        self._blobs = blobs
        self._scratch = scratch
        self._trust = trust
        self._at_once = at_once
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._storage.write(previews.resume)
                    begun = True
                worked = await self.make()
            except Exception:
                log.exception("making previews failed")
                worked = 0
            if not worked:
                await asyncio.sleep(self._poll)

    async def make(self) -> int:
        """Everything that is due now, as far as one batch goes; answers how many files were tried."""
        jobs = await self._storage.read(lambda reader: previews.due(reader, BATCH))
        places = asyncio.Semaphore(self._at_once)

        async def in_turn(job: Due) -> None:
            async with places:
                await self._try(job)

        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(in_turn(job))
        return len(jobs)

    async def _try(self, job: Due) -> None:
        try:
            if await self._storage.write(partial(previews.begin, job=job), org_id=job.org_id):
                made = await self._prepare(job)
                await self._storage.write(
                    partial(previews.deliver, job=job, made=made, trust=self._trust), org_id=job.org_id
                )
                for kind, reason in made.failed.items():
                    log.info("no rendition", kind=kind, why=reason, type=job.media_type, size=job.size)
            elif job.tries >= previews.TRIES:
                log.warning("preview given up", type=job.media_type, size=job.size, tries=job.tries)
        except (Problem, OSError) as error:
            # pending still, and due again later
            log.warning("preview postponed", why=str(error), type=job.media_type, size=job.size, tries=job.tries + 1)

    async def _prepare(self, job: Due) -> Made:
        return await previews.prepare(self._photos, self._documents, self._blobs, self._scratch, job)
