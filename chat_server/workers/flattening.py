"""Making the pages of files into pictures, for those who asked: one at a time, beside what strangers handed in. What waits is
nowhere but in the database."""

from __future__ import annotations

from functools import partial

import structlog

from chat_server.ports import Storage
from chat_server.services import flattening
from chat_server.services.disarming import Tools
from chat_server.services.photo_upload import Trust
from chat_server.workers.resuming import resuming

log = structlog.get_logger("renraku.flattening")


class FlatteningWorker:
    """One task."""

    def __init__(self, storage: Storage, tools: Tools, trust: Trust, *, poll: float = 1.0) -> None:
        self._storage = storage
        self._tools = tools
        self._trust = trust
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        failed = partial(log.exception, "making pictures of pages failed")
        await resuming(self._storage, flattening.resume, self.work, failed, self._poll)

    async def work(self) -> bool:
        """The next file, if one is due; answers whether one was."""
        job = await self._storage.read(flattening.due)
        if job is None:
            return False
        begin = partial(flattening.begin, job=job, zones=self._tools.zones)
        formats = await self._storage.write(begin, org_id=job.org_id)
        if formats is None:
            return True
        try:
            made = await flattening.prepare(self._tools, job, formats)
            await self._storage.write(
                partial(flattening.deliver, job=job, made=made, trust=self._trust), org_id=job.org_id
            )
            log.info("flattened", why=made if isinstance(made, str) else None, tries=job.tries + 1)
        except Exception as error:
            log.warning("flattening postponed", why=str(error), tries=job.tries + 1)
            await self._storage.write(partial(flattening.later, job=job), org_id=job.org_id)
        return True
