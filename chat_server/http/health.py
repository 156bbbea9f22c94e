"""For whoever watches the server: is it alive, may it get work, what does it count."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.types import Receive, Scope, Send

from chat_server.domain.errors import DATABASE_BUSY, DISK_FULL, NOT_FOUND, RESTARTING, Problem
from chat_server.http.parts import Parts
from chat_server.http.peer import is_direct_loopback
from chat_server.http.replies import send_bytes, send_json
from chat_server.http.seen import seen_of
from chat_server.ports import Reader, Tx
from chat_server.services import backlog

OPERATOR: Final = "renraku.operator"
"""Set by a listener that only the operator reaches."""
LAG_SECONDS: Final = 2.0
FREE_BYTES: Final = 64 * 1024 * 1024
"""Below this, uploads and the write-ahead log may fail at any moment."""


class Health:
    """`/healthz`: the process answers, and says how it is. `/readyz`: it can read and write in time, has room, and is not
    about to stop. `/metrics`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._probe: asyncio.Future[None] | None = None
        self._waiting = Gauge("renraku_waiting", "What waits to be done", ("what",), registry=parts.registry)
        self._oldest = Gauge(
            "renraku_waiting_seconds", "Since when the oldest of it waits", ("what",), registry=parts.registry
        )

    async def alive(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen_of(scope).route = "/healthz"
        status = "draining" if self._parts.draining() else "alive"
        answer = {"status": status, "version": self._parts.version, "bus": self._parts.bus()}
        await send_json(send, 200, answer)

    async def ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `Problem` 8004, 8001, 8002."""
        seen_of(scope).route = "/readyz"
        if self._parts.draining():
            raise Problem(RESTARTING)
        # Never cancelled: whoever asks every second must not leave a row of broken-off transactions behind.
        if self._probe is None or self._probe.done():
            self._probe = asyncio.ensure_future(self._database_answers())
            # Its failure may come after everybody has stopped waiting; the next one to ask hears of it anyway.
            self._probe.add_done_callback(lambda probe: probe.cancelled() or probe.exception())
        done, _ = await asyncio.wait({self._probe}, timeout=LAG_SECONDS)
        if not done:
            raise Problem(DATABASE_BUSY, retry_after=int(LAG_SECONDS))
        await self._probe
        usage = await asyncio.to_thread(shutil.disk_usage, self._parts.data)
        if usage.free < FREE_BYTES:
            raise Problem(DISK_FULL)
        await send_json(send, 200, {"status": "ready"})

    async def _database_answers(self) -> None:
        await self._parts.storage.read(_look)
        await self._parts.storage.write(_touch)

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Numbers tell how many people work here and when: for the operator alone. Raises `Problem` 2007."""
        seen_of(scope).route = "/metrics"
        if not scope.get(OPERATOR, False) and not is_direct_loopback(scope):
            raise Problem(NOT_FOUND)
        for what, (number, seconds) in (
            await backlog.waiting(self._parts.storage, self._parts.index, self._parts.pushes)
        ).items():
            self._waiting.labels(what).set(number)
            self._oldest.labels(what).set(seconds)
        await send_bytes(send, 200, generate_latest(self._parts.registry), CONTENT_TYPE_LATEST.encode("ascii"))


async def _look(reader: Reader) -> None:
    await reader.one("SELECT 1")


async def _touch(tx: Tx) -> None:
    """Nothing is changed, so nothing reaches the disk: this only waits for its turn at the writer."""
    await tx.one("SELECT 1")
