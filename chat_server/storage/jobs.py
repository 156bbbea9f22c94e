"""What both engines' writers share: use cases on their way, organizations in turn, answers on the event loop."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from chat_server.ports import Tx

BATCH: Final = 256
BATCH_SECONDS: Final = 0.02
"""No batch holds the writer longer: what is left takes part in the next one."""

log = structlog.get_logger("renraku.storage")

OnDone = Callable[[Any, BaseException | None], None]
OnNotes = Callable[[list[object]], None]


@dataclass(slots=True)
class Job:
    """One use case on its way through the writer."""

    org_id: int
    use_case: Callable[[Tx], Awaitable[Any]]
    on_done: OnDone
    result: Any = None
    error: BaseException | None = None
    notes: list[object] = field(default_factory=list)


class Turns:
    """Those that wait: one of each organization in turn, so that a busy one does not starve its neighbours."""

    def __init__(self) -> None:
        self._waiting: dict[int, collections.deque[Job]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, job: Job) -> None:
        self._waiting.setdefault(job.org_id, collections.deque()).append(job)

    def next(self) -> Job | None:
        if not self._waiting:
            return None
        org_id = next(iter(self._waiting))
        jobs = self._waiting.pop(org_id)
        job = jobs.popleft()
        if jobs:
            self._waiting[org_id] = jobs
        return job

    def drain(self, error: BaseException) -> list[Job]:
        """All of them, failed with `error`."""
        done = []
        while (job := self.next()) is not None:
            job.error = error
            done.append(job)
        return done


async def answered(submit: Callable[[OnDone], None]) -> Any:
    """The result of what `submit` queues, for whoever waits. Raises its error."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(result: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    submit(done)
    return await future


def fail_all(batch: list[Job], error: BaseException) -> list[Job]:
    """Nothing was committed: whoever had succeeded is told so too."""
    for job in batch:
        job.result, job.notes = None, []
        if job.error is None:
            job.error = error
    return batch


def deliver(done: Sequence[Job], on_notes: OnNotes) -> None:
    """On the event loop. Acks first, then the events of the same commit, in commit order."""
    notes: list[object] = []
    for job in done:
        notes += job.notes
        try:
            job.on_done(job.result, job.error)
        except Exception:
            # One answer that cannot be given must not take its neighbours' answers and events along.
            log.exception("an answer could not be given")
    if notes:
        on_notes(notes)
