"""Disarming what was handed in: waiting files from the database, through the sanitizer, back into the database.

What waits is nowhere but in the database, so that a kill loses nothing. A try is counted before it is made, and their number is
finite. Of `at_once` places one link may take all but one: who hands in a hundred bombs delays nobody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Final

import structlog

from chat_server.domain.errors import Problem
from chat_server.ports import SealBroken, Storage
from chat_server.services import disarming
from chat_server.services.disarming import Job, Tools
from chat_server.services.photo_upload import Trust
from chat_server.services.zone_rules import Rules
from chat_server.workers.resuming import resuming

log = structlog.get_logger("renraku.disarming")
_PASSING: Final = (Problem, OSError, SealBroken)


class DisarmingWorker:
    """One task, with at most `at_once` (two or more) files under way."""

    def __init__(
        self, storage: Storage, tools: Tools, trust: Trust, *, at_once: int = 2, poll: float = 1.0
    ) -> None:  # fmt: skip
        self._storage = storage
        self._tools = tools
        self._trust = trust
        self._at_once = at_once
        self._poll = poll
        self._links: Counter[int] = Counter()
        """files under way, by their link"""

    async def run(self) -> None:
        """Until cancelled."""
        failed = partial(log.exception, "disarming failed")
        await resuming(self._storage, disarming.resume, self.work, failed, self._poll)

    async def work(self) -> int:
        """Until nothing is due; answers how many files were tried."""
        done, running = 0, set[asyncio.Task[None]]()
        try:
            while True:
                while len(running) < self._at_once and (job := await self._next()) is not None:
                    done += 1
                    self._links[job.link_id] += 1
                    if not await self._begun(job, running):
                        self._links[job.link_id] -= 1
                if not running:
                    return done
                ended, running = await asyncio.wait(running, timeout=self._poll, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._links.clear()

    async def _next(self) -> Job | None:
        most = max(1, self._at_once - 1)
        full = [link for link, many in self._links.items() if many >= most]
        found = await self._storage.read(partial(disarming.due, limit=1, but=full))
        return found[0] if found else None

    async def _begun(self, job: Job, running: set[asyncio.Task[None]]) -> bool:
        rules = await self._storage.write(
            partial(disarming.begin, job=job, trust=self._trust), org_id=job.org_id
        )  # fmt: skip
        if rules is None:
            return False
        running.add(asyncio.create_task(self._try(job, rules)))
        return True

    async def _try(self, job: Job, rules: Rules) -> None:
        """Whatever it raises has put it off, counted: the last try ends as a refusal."""
        try:
            verdict = await disarming.prepare(self._tools, rules, job)
            await self._storage.write(
                partial(disarming.deliver, job=job, verdict=verdict, trust=self._trust), org_id=job.org_id
            )
            log.info(
                "disarmed", released=verdict.made is not None, held=verdict.held, size=job.size, tries=job.tries + 1
            )
        except _PASSING as error:
            log.warning("disarming postponed", why=str(error), size=job.size, tries=job.tries + 1)
            await self._storage.write(partial(disarming.later, job=job), org_id=job.org_id)
        except Exception:
            log.exception("disarming a file failed", size=job.size, tries=job.tries + 1)
            await self._storage.write(partial(disarming.later, job=job), org_id=job.org_id)
        finally:
            self._links[job.link_id] -= 1
