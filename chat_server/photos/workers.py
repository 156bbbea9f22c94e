"""The pool of decoder processes: `ports.Photos`.

A fixed number of warm processes take photos from one bounded queue, in the order of arrival, and decode each in a child
of its own. Whatever a photo does to its child (a crash, a bomb, an endless loop) costs that photo a numbered error.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

from chat_server.domain.errors import (
    DECODER_BUSY,
    DISK_FULL,
    NOT_A_PHOTO,
    PHOTO_BROKEN,
    PHOTO_TOO_MANY_PIXELS,
    Fault,
    Problem,
)
from chat_server.photos.answer import Answer, Died, DiskFull, Done, Failed, Ready, Refusal
from chat_server.photos.files import BadRendition, PhotoFiles
from chat_server.photos.limits import Limits
from chat_server.photos.process import DecoderDied, DecoderProcess
from chat_server.photos.rules import MAX_PIXELS, Reason
from chat_server.ports import Photo

_REFUSALS: Final[dict[Reason, Fault]] = {
    "not_a_photo": NOT_A_PHOTO,
    "broken": PHOTO_BROKEN,
    "too_many_pixels": PHOTO_TOO_MANY_PIXELS,
}
# Ends that the same bytes would bring about again. Everything else (SIGKILL by the kernel's out-of-memory killer or an
# operator, the deadline on a busy machine) may go well the next time.
_PHOTO_AT_FAULT: Final = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGSYS, signal.SIGXCPU}
)
_RETRY_SECONDS: Final = 3
_RESTART_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job:
    source: Path
    out: Path
    result: asyncio.Future[Photo]
    begun: bool = field(default=False)

    def give_up(self) -> None:
        if not self.begun and not self.result.done():
            self.result.set_exception(_busy())


class DecoderPool:
    """Implements `ports.Photos`. `start` it before the first photo, so that none pays for a process start."""

    def __init__(
        self,
        workers: int = 2,
        *,
        limits: Limits | None = None,
        waiting: int = 64,
        patience: float = 30.0,
    ) -> None:
        """`waiting` photos may queue, each for `patience` seconds."""
        self._count = workers
        self._limits = limits or Limits()
        self._patience = patience
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(waiting)
        self._slots: list[_Slot] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the decoders at work."""
        return [slot.decoder.pid for slot in self._slots]

    @property
    def confined(self) -> list[str]:
        """What confines every decoder, beyond being a process of its own (see `limits.confine`)."""
        return self._slots[0].decoder.confined if self._slots else []

    async def start(self) -> None:
        """Start the processes and wait until all are warm; again is fine. Raises `DecoderDied`, 8003 when closed."""
        async with self._starting:
            if self._closed:
                raise _busy()
            if self._slots:
                return
            started = await asyncio.gather(
                *(DecoderProcess.start(self._limits) for _ in range(self._count)), return_exceptions=True
            )
            decoders = [each for each in started if isinstance(each, DecoderProcess)]
            for each in started:
                if isinstance(each, BaseException):
                    await asyncio.gather(*(decoder.close() for decoder in decoders))
                    raise each
            self._slots = [_Slot(decoder, self._limits) for decoder in decoders]
            self._tasks = [asyncio.create_task(slot.serve(self._queue)) for slot in self._slots]
            log.info("photo_decoders_ready", extra={"workers": self._count, "confined": self.confined})

    async def close(self) -> None:
        """End the processes, for good. Photos that wait or are in work get error 8003."""
        async with self._starting:
            self._closed = True
            slots, self._slots = self._slots, []
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks = []
            await asyncio.gather(*(slot.decoder.close() for slot in slots))
            while not self._queue.empty():
                self._queue.get_nowait().give_up()

    async def prepare(self, source: Path, out: Path) -> Photo:
        """See `ports.Photos`. Raises also `Problem` 8002 (no room for a rendition)."""
        await self.start()
        loop = asyncio.get_running_loop()
        job = _Job(source, out, loop.create_future())
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise _busy() from None
        timer = loop.call_later(self._patience, job.give_up)
        try:
            return await job.result
        finally:
            timer.cancel()


class _Slot:
    """One place in the pool: a process, or its successor."""

    def __init__(self, decoder: DecoderProcess, limits: Limits) -> None:
        self.decoder = decoder
        self._limits = limits

    async def serve(self, queue: asyncio.Queue[_Job]) -> None:
        while True:
            await self._renew()
            job = await queue.get()
            try:
                await self._renew()  # again: it may have died while it waited
                if job.result.done():  # given up, or its caller is gone
                    continue
                job.begun = True
                photo = await self._prepare(job)
            except asyncio.CancelledError:
                job.begun = False
                job.give_up()
                raise
            except Exception as error:
                if not job.result.done():
                    job.result.set_exception(error)
            else:
                if not job.result.done():
                    job.result.set_result(photo)

    async def _renew(self) -> None:
        while not self.decoder.alive:
            await self.decoder.close()
            try:
                self.decoder = await DecoderProcess.start(self._limits)
            except (DecoderDied, OSError) as death:
                log.error("photo_decoder_not_started", extra={"why": str(death)})
                await asyncio.sleep(_RESTART_SECONDS)

    async def _prepare(self, job: _Job) -> Photo:
        files = await asyncio.to_thread(PhotoFiles.open, job.source, job.out)
        kept = False
        try:
            done = _done(await self.decoder.work(files.descriptors))
            derived = await asyncio.to_thread(files.derived, done, self._limits.output_bytes)
            kept = not job.result.done()
        except DecoderDied as death:
            log.warning("photo_decoder_died", extra={"why": death.why})
            raise _busy() from None
        except BadRendition as bad:
            log.error("photo_rendition_wrong", extra={"why": str(bad)})
            raise _busy() from None
        finally:
            files.close()
            if not kept:
                files.remove()
        return Photo(
            media_type=done.media_type,
            width=done.width,
            height=done.height,
            color=done.color,
            taken_at=done.taken_at,
            latitude=done.latitude,
            longitude=done.longitude,
            renditions=derived,
        )


def _done(answer: Answer) -> Done:
    """The good answer; raises the `Problem` of any other."""
    match answer:
        case Done():
            return answer
        case Refusal(reason=reason):
            raise Problem(_REFUSALS[reason], "photo", **({"limit": MAX_PIXELS} if reason == "too_many_pixels" else {}))
        case DiskFull():
            raise Problem(DISK_FULL)
        case Died(signal=number):
            log.warning("photo_child_died", extra={"signal": number})
            raise Problem(PHOTO_BROKEN, "photo") if number in _PHOTO_AT_FAULT else _busy()
        case Failed(why=why):
            log.error("photo_decoder_failed", extra={"why": why})
            raise _busy()
        case Ready():
            raise _busy()
    assert_never(answer)


def _busy() -> Problem:
    return Problem(DECODER_BUSY, "photo", retry_after=_RETRY_SECONDS)
