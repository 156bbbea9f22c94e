"""Rebuilding what colleagues sent from a less trusted zone, for the desks: one file at a time, so that what strangers handed in
(`disarming`) finds the sanitizer free. What is pending is nowhere but in the database."""

from __future__ import annotations

from functools import partial

import structlog

from chat_server.ports import Storage
from chat_server.services import inward
from chat_server.services.disarming import Tools
from chat_server.services.photo_upload import Trust
from chat_server.workers.resuming import resuming

log = structlog.get_logger("renraku.inward")


class InwardWorker:
    """One task."""

    def __init__(self, storage: Storage, tools: Tools, trust: Trust, *, poll: float = 1.0) -> None:
        self._storage = storage
        self._tools = tools
        self._trust = trust
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        failed = partial(log.exception, "rebuilding files failed")
        await resuming(self._storage, inward.resume, self.work, failed, self._poll)

    async def work(self) -> bool:
        """The next file, if one is due; answers whether one was."""
        job = await self._storage.read(inward.due)
        if job is None:
            return await self._catch_up()
        begun = await self._storage.write(partial(inward.begin, job=job, trust=self._trust), org_id=job.org_id)
        if begun is None:
            return True
        try:
            made = await inward.prepare(self._tools, begun, job)
            await self._storage.write(partial(inward.deliver, job=job, made=made, trust=self._trust), org_id=job.org_id)
            log.info("rebuilt", made=made.blob is not None, held=made.held, why=made.reason, type=job.media_type)
        except Exception as error:
            log.warning("rebuilding postponed", why=str(error), type=job.media_type, tries=job.tries + 1)
            await self._storage.write(partial(inward.later, job=job), org_id=job.org_id)
        return True

    async def _catch_up(self) -> bool:
        """Where nothing is due: files from before there were these zones. Answers whether there may be more."""
        zones = self._tools.zones
        if await self._storage.read(partial(inward.behind, zones=zones)) is None:
            return False
        await self._storage.write(partial(inward.catch_up, zones=zones))
        return True
