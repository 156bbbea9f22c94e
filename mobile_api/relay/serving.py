"""The relay itself: takes parcels from the closed side, has them carried, and keeps what the providers answered.

A parcel is carried once for each time that it is handed over; trying again is the closed side's affair, which knows whether
anybody still wants it. Only while the line is down does the relay try again by itself: there is nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from chat_server.domain.ids import is_id
from mobile_api.providers.port import Answer, Outcome, Parcel, Platform, Provider
from mobile_api.relay import keys, wire
from mobile_api.relay.queue import Busy, Queue

AT_ONCE: Final = 200
"""Parcels on their way to providers."""
LINES: Final = 16
"""Connections of the closed side at once: one a node."""
STRANGERS: Final = 64
"""Connections that have yet to show who they are. Of more the oldest goes: whoever knocks and says nothing must not keep the
closed side out, whose handshake takes a moment."""
HANDSHAKE_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 60.0
"""The closed side says something every quarter of that; whoever does not is gone."""
STOP_SECONDS: Final = 5.0
PAUSES: Final = (5, 15, 60, 300)
"""Seconds between tries while nobody is there to decide; the last one repeats, until the parcel expires."""
_SWEEP_SECONDS: Final = 600.0

log = structlog.get_logger("renraku.push_relay")


class Relay:
    """`providers`: by platform. `authorizations`: of Web Push, by parcel, for as long as it is on its way."""

    def __init__(self, folder: Path, queue: Queue, providers: Mapping[Platform, Provider]) -> None:
        self._tls = keys.context(folder, server=True)
        self._queue = queue
        self._providers = providers
        self.authorizations: dict[str, str] = {}
        self._asking: dict[str, asyncio.StreamWriter] = {}
        self._lines: set[asyncio.StreamWriter] = set()
        self._strangers: dict[asyncio.StreamWriter, None] = {}  # in the order of their coming
        self._tasks: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._said_at = -1.0
        self.refused = 0
        """connections of whoever is not the closed side"""
        self._answers: dict[str, Counter[str]] = {platform: Counter() for platform in providers}

    def sign(self, parcel: Parcel, _: str) -> str:
        """See `web_push.Sign`: the closed side signed."""
        return self.authorizations.get(parcel.id, "")

    async def run(self, address: str, port: int, ready: asyncio.Future[int], stop: asyncio.Event) -> None:
        """Until `stop`; `ready` gets the port. Raises OSError where the address cannot be had, and what broke the queue:
        a relay that cannot write must not go on as if it could."""
        self._stop = stop
        if left := self._queue.recover(_now()):
            log.warning("relay.interrupted", parcels=left)
        server = await asyncio.start_server(self._dialled, address, port, limit=2 * wire.FRAME_BYTES)
        workers = [asyncio.create_task(self._carry()), asyncio.create_task(self._sweep())]
        for worker in workers:
            worker.add_done_callback(self._ended)
        try:
            ready.set_result(server.sockets[0].getsockname()[1])
            await stop.wait()
        finally:
            server.close()
            for task in workers:
                task.cancel()
            for writer in [*self._lines, *self._strangers]:
                writer.transport.abort()
            # What is on its way gets a moment; what is cut off is answered "unknown" by the next start.
            _, late = await asyncio.wait({*workers, *self._tasks}, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*workers, *late, return_exceptions=True)
            await server.wait_closed()
        if self._failure is not None:
            raise self._failure

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._stop.set()

    # The line

    async def _dialled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        peer = str((writer.get_extra_info("peername") or ["?"])[0])
        self._strangers[writer] = None
        if len(self._strangers) > STRANGERS:
            next(iter(self._strangers)).transport.abort()
        try:
            try:
                await writer.start_tls(self._tls, ssl_handshake_timeout=HANDSHAKE_SECONDS)
            except (OSError, ConnectionError, TimeoutError) as error:
                self._refuse(peer, getattr(error, "reason", None) or type(error).__name__)
                return
            finally:
                self._strangers.pop(writer, None)
            if len(self._lines) >= LINES:
                log.warning("relay.too_many_lines", peer=peer)
                return
            self._lines.add(writer)
            log.info("relay.line_up", peer=peer)
            try:
                await self._talk(reader, writer)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, wire.Broken) as error:
                log.info("relay.line_down", peer=peer, why=str(error) or type(error).__name__)
            except sqlite3.Error as error:
                self._fail(error)
        finally:
            self._lines.discard(writer)
            for id_ in [id_ for id_, asking in self._asking.items() if asking is writer]:
                del self._asking[id_]
            writer.transport.abort()

    def _refuse(self, peer: str, why: str) -> None:
        self.refused += 1
        if time.monotonic() - self._said_at >= 1:  # whoever knocks does not fill the disk with it
            self._said_at = time.monotonic()
            log.warning("relay.refused", peer=peer, why=why, refused=self.refused)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._say(writer, wire.Hello(wire.VERSION, tuple(self._providers)))
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                # Whoever takes nothing any more is gone as well.
                await writer.drain()
                message = await wire.to_relay(reader)
            if isinstance(message, wire.Hand):
                self._take(message, writer)
            elif isinstance(message, wire.Confirm):
                self._queue.confirm(message.id, _now())
            else:
                answers = {platform: dict(counted) for platform, counted in self._answers.items()}
                self._say(writer, wire.Pong(self._queue.waiting(), self.refused, answers))

    def _take(self, hand: wire.Hand, writer: asyncio.StreamWriter) -> None:
        parcel = hand.parcel
        if not is_id(parcel.id):
            raise wire.Broken("an id that is none")
        if parcel.platform not in self._providers:
            missing = Answer(Outcome.LATER, f"the relay has no settings for {parcel.platform}", retry_after=60.0)
            self._say(writer, wire.Answered(parcel.id, missing))
            return
        try:
            known = self._queue.take(hand, _now())
        except Busy as error:
            known = Answer(Outcome.LATER, str(error), retry_after=30.0)
        if known is not None:
            self._say(writer, wire.Answered(parcel.id, known))
            return
        self._asking[parcel.id] = writer
        self._work.set()

    def _say(self, writer: asyncio.StreamWriter, message: wire.ToClosed) -> None:
        if not writer.is_closing():
            writer.write(wire.frame(message))

    # Carrying

    async def _carry(self) -> None:
        while True:
            self._work.clear()
            await self._free.acquire()
            found = self._queue.next(_now(), 1)
            if not found:
                self._free.release()
                due = self._queue.due()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if due is None else max((due - _now()) / 1000, 0.01)):
                        await self._work.wait()
                continue
            (hand, tries) = found[0]
            task = asyncio.create_task(self._send(hand, tries))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _send(self, hand: wire.Hand, tries: int) -> None:
        parcel = hand.parcel
        try:
            if parcel.expires <= _now():
                answer = Answer(Outcome.REFUSED, "expired at the relay")
            else:
                self.authorizations[parcel.id] = hand.authorization
                answer = await _asked(self._providers[parcel.platform], parcel)
        finally:
            self.authorizations.pop(parcel.id, None)
            self._free.release()
        self._answers[parcel.platform][answer.outcome.value] += 1
        asking = self._asking.pop(parcel.id, None)
        if asking is None and answer.outcome is Outcome.LATER:
            pause = max(answer.retry_after or 0, PAUSES[min(tries, len(PAUSES) - 1)])
            self._queue.later(parcel.id, _now() + int(pause * 1000))
            self._work.set()
            return
        self._queue.answer(parcel.id, answer, _now())
        self._work.set()  # of its place a newer one may wait for it
        if asking is not None:
            self._say(asking, wire.Answered(parcel.id, answer))

    async def _sweep(self) -> None:
        while True:
            self._queue.forget(_now())
            await asyncio.sleep(_SWEEP_SECONDS)


async def _asked(provider: Provider, parcel: Parcel) -> Answer:
    """One parcel that a provider's client stumbles over must not end the relay: it would come back, and end it again."""
    try:
        return await provider.send(parcel)
    except Exception as error:
        # Where it was, and not what it said: that may hold the device's token.
        place = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{Path(place.filename).name}:{place.lineno}"
        log.error("relay.provider_failed", platform=parcel.platform, error=type(error).__name__, at=at)
        return Answer(Outcome.UNKNOWN, f"fault of the provider's client: {type(error).__name__}")


def _now() -> int:
    return int(time.time() * 1000)
