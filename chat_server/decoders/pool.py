"""A pool of decoder processes.

A fixed number of warm processes take files from one bounded queue, in the order of arrival, and decode each in a child
of its own. Whatever a file does to its child (a crash, a bomb, an endless loop) costs that file a refusal.

Who must not wait for others has a pool of their own: an uploaded photo waits for photos alone, never for a long document.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, assert_never

import msgspec

from chat_server.decoders.answer import Died, DiskFull, Failed, Failure, Refusal
from chat_server.decoders.files import BadRendition, TaskFiles
from chat_server.decoders.limits import Limits
from chat_server.decoders.outcome import Busy, Crashed, NoSpace, Refused
from chat_server.decoders.process import DecoderDied, DecoderProcess
from chat_server.decoders.task import Decoder

# Ends that the same bytes would bring about again. Everything else (SIGKILL by the kernel's out-of-memory killer or an
# operator, the deadline on a busy machine) may go well the next time.
_FILE_AT_FAULT: Final = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGSYS, signal.SIGXCPU}
)
_RESTART_SECONDS: Final = 1.0

D = TypeVar("D", bound=msgspec.Struct)
R = TypeVar("R")
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job(Generic[D, R]):
    decoder: Decoder[D, R]
    source: Path
    out: Path
    order: str
    result: asyncio.Future[R]
    begun: bool = field(default=False)

    def give_up(self) -> None:
        if not self.begun and not self.result.done():
            self.result.set_exception(Busy("nobody had time"))


class Pool:
    """`start` it before the first file, so that none pays for a process start."""

    def __init__(
        self,
        name: str,
        modules: Sequence[str],
        workers: int,
        *,
        limits: Limits | None = None,
        waiting: int = 64,
        patience: float = 30.0,
    ) -> None:
        """`name`: for the log. `modules`: the decoders that it has (see `worker.Work`). `waiting` files may queue, each for
        `patience` seconds."""
        self._name = name
        self._modules = modules
        self._count = workers
        self._limits = limits or Limits()
        self._patience = patience
        self._queue: asyncio.Queue[_Job[Any, Any]] = asyncio.Queue(waiting)
        self._slots: list[_Slot] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the decoders at work."""
        return [slot.process.pid for slot in self._slots]

    @property
    def confined(self) -> list[str]:
        """What confines every decoder, beyond being a process of its own (see `limits.confine`)."""
        return self._slots[0].process.confined if self._slots else []

    async def start(self) -> None:
        """Start the processes and wait until all are warm; again is fine. Raises `DecoderDied`, `Busy` when closed."""
        async with self._starting:
            if self._closed:
                raise Busy("closed")
            if self._slots:
                return
            started = await asyncio.gather(
                *(DecoderProcess.start(self._modules, self._limits) for _ in range(self._count)),
                return_exceptions=True,
            )
            processes = [each for each in started if isinstance(each, DecoderProcess)]
            for each in started:
                if isinstance(each, BaseException):
                    await asyncio.gather(*(process.close() for process in processes))
                    raise each
            self._slots = [_Slot(process, self._modules, self._limits) for process in processes]
            self._tasks = [asyncio.create_task(slot.serve(self._queue)) for slot in self._slots]
            log.info("decoders_ready", extra={"pool": self._name, "workers": self._count, "confined": self.confined})

    async def close(self) -> None:
        """End the processes, for good. Files that wait or are in work get `Busy`."""
        async with self._starting:
            self._closed = True
            slots, self._slots = self._slots, []
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks = []
            await asyncio.gather(*(slot.process.close() for slot in slots))
            while not self._queue.empty():
                self._queue.get_nowait().give_up()

    async def run(self, decoder: Decoder[D, R], source: Path, out: Path, order: str = "") -> R:
        """Decode `source`, write the renditions into the existing folder `out`, which holds none of their names yet.
        `order`: see `worker.Work`.

        Raises: `Refused`, `Crashed`, `Busy`, `NoSpace`; OSError where `source` is no file. Then `out` is as it was.
        """
        await self.start()
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()
        job = _Job(decoder, source, out, order, result)
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise Busy("too many wait") from None
        timer = loop.call_later(self._patience, job.give_up)
        try:
            return await result
        finally:
            timer.cancel()


class _Slot:
    """One place in the pool: a process, or its successor."""

    def __init__(self, process: DecoderProcess, modules: Sequence[str], limits: Limits) -> None:
        self.process = process
        self._modules = modules
        self._limits = limits

    async def serve(self, queue: asyncio.Queue[_Job[Any, Any]]) -> None:
        while True:
            await self._renew()
            job = await queue.get()
            try:
                await self._renew()  # again: it may have died while it waited
                if job.result.done():  # given up, or its caller is gone
                    continue
                job.begun = True
                result = await self._work(job)
            except asyncio.CancelledError:
                job.begun = False
                job.give_up()
                raise
            except Exception as error:
                if not job.result.done():
                    job.result.set_exception(error)
            else:
                if not job.result.done():
                    job.result.set_result(result)

    async def _renew(self) -> None:
        while not self.process.alive:
            await self.process.close()
            try:
                self.process = await DecoderProcess.start(self._modules, self._limits)
            except (DecoderDied, OSError) as death:
                log.error("decoder_not_started", extra={"why": str(death)})
                await asyncio.sleep(_RESTART_SECONDS)

    async def _work(self, job: _Job[D, R]) -> R:
        decoder = job.decoder
        files = await asyncio.to_thread(TaskFiles.open, job.source, job.out, decoder.outputs)
        kept = False
        try:
            answer = await self.process.work(decoder.module, job.order, files.descriptors, decoder.parse)
            if isinstance(answer, Failure):
                raise _outcome(decoder.module, answer)
            result = await asyncio.to_thread(decoder.finish, answer, files, self._limits.output_bytes)
            kept = not job.result.done()
        except DecoderDied as death:
            log.warning("decoder_died", extra={"decoder": decoder.module, "why": death.why})
            raise Busy(death.why) from None
        except BadRendition as bad:
            log.error("rendition_wrong", extra={"decoder": decoder.module, "why": str(bad)})
            raise Busy(str(bad)) from None
        finally:
            files.close()
            if not kept:
                files.remove()
        return result


def _outcome(module: str, failure: Failure) -> Exception:
    match failure:
        case Refusal(reason=reason):
            return Refused(reason)
        case DiskFull():
            return NoSpace()
        case Died(signal=number):
            log.warning("decoder_child_died", extra={"decoder": module, "signal": number})
            return Crashed(number) if number is not None and number in _FILE_AT_FAULT else Busy(f"signal {number}")
        case Failed(why=why):
            log.error("decoder_failed", extra={"decoder": module, "why": why})
            return Busy(why)
    assert_never(failure)
