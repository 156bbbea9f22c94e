"""One WebSocket connection: open, authenticate, ask and be answered, notice that the other side is dead.

It knows nothing of rooms. When it ends, every unanswered request fails with `ConnectionLost`, and `closed` tells how.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from chat_client.clock import Clock, within
from chat_client.errors import RenrakuError, ServerRefused
from chat_client.models import Hello
from chat_client.retry import ConnectionLost
from chat_client.tls import untrusted
from chat_client.wire import Codec, Frame, WireError

OPEN_WITHIN: Final = 15.0
IDLE: Final = 45.0
PING_WITHIN: Final = 10.0
ANSWER_WITHIN: Final = 60.0
"""A command unanswered for so long on a live connection: something in between swallowed it. Reconnecting repeats it."""

TOO_BIG: Final = 1009
_CLOSE_WITHIN: Final = 2.0
_NO_CLOSE_FRAME: Final = 1006
_FRAME_BYTES: Final = 32 * 1024 * 1024
_UNANSWERED: Final = 64
_KEPT_FREE: Final = 4
"""Room for `ping` and `renew`, which do not queue behind a caller's commands."""
_ANSWERS: Final = frozenset({"hello", "resumed", "page", "ack", "result", "error"})
_URGENT: Final = frozenset({"auth", "resume", "renew", "ping"})
_RATE_LIMITED: Final = 8005

# A logger of its own that no configuration can reach: at level DEBUG the library logs whole frames, and the first one
# holds the access token.
_SILENT_LOGGER: Final = logging.Logger("renraku-websocket", level=logging.CRITICAL + 1)  # noqa: LOG001


class TooLarge(Exception):
    """The frame is larger than the server takes: sending it would end the connection for good."""


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        # The first frame holds a token: it goes to the address that was asked for, and to no other.
        return exc


class _Socket(ClientConnection):
    """Tells of every byte that comes, heartbeats included, and does not wait for ever on a peer that said good-bye."""

    on_bytes: Callable[[], None] | None = None
    _ending = False

    def data_received(self, data: bytes) -> None:
        if self.on_bytes is not None:
            self.on_bytes()
        super().data_received(data)
        if self.protocol.close_rcvd is not None and not self._ending:
            self._ending = True
            self.loop.call_later(_CLOSE_WITHIN, self.transport.abort)


@dataclass(slots=True)
class _Asked:
    answer: asyncio.Future[Frame]
    then: Callable[[Frame], None] | None
    at: float
    urgent: bool


class Connection:
    """An open connection. `on_frame` gets every frame that is not an answer, in order."""

    def __init__(self, socket: ClientConnection, codec: Codec, clock: Clock, on_frame: Callable[[Frame], None]) -> None:
        self._socket = socket
        self._codec = codec
        self._clock = clock
        self._on_frame = on_frame
        self._asked: dict[int, _Asked] = {}
        self._last_ref = 0
        self._heard = clock.monotonic()
        self._frame_bytes = 64 * 1024
        self._slots = asyncio.Semaphore(_UNANSWERED - _KEPT_FREE)
        self._held_until = 0.0
        self._broken: str | None = None
        self.closed: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()
        if isinstance(socket, _Socket):
            socket.on_bytes = self._hear
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(
        cls, url: str, codec: Codec, context: ssl.SSLContext | None, clock: Clock, on_frame: Callable[[Frame], None]
    ) -> Connection:
        """Connect to `url` (ws:// or wss://). Raises ConnectionLost, ServerRefused, ServerUntrusted."""
        opening = _Connect(
            url,
            ssl=context,
            subprotocols=[Subprotocol(codec.subprotocol)],
            compression=None,
            proxy=None,
            open_timeout=None,
            close_timeout=_CLOSE_WITHIN,
            ping_interval=None,
            max_size=_FRAME_BYTES,
            logger=_SILENT_LOGGER,
            create_connection=_Socket,
            user_agent_header="renraku-client",
        )
        try:
            socket = await within(clock, OPEN_WITHIN, _opened(opening))
        except InvalidStatus as error:
            raise _status(error) from error
        except TimeoutError as error:
            raise ConnectionLost(None, "no handshake") from error
        except (OSError, InvalidHandshake, EOFError) as error:
            distrust = untrusted(error)
            if distrust is not None:
                raise distrust from error
            raise ConnectionLost(None, type(error).__name__) from error
        if socket.subprotocol != codec.subprotocol:
            await socket.close()
            raise ServerRefused("it does not speak " + codec.subprotocol)
        return cls(socket, codec, clock, on_frame)

    async def authenticate(self, token: str) -> Hello:
        """The first frame. Raises RenrakuError (the token is refused), ConnectionLost."""
        try:
            answer = await within(self._clock, OPEN_WITHIN, self.request("auth", token=token))
            hello = Hello.from_wire(answer)
        except TimeoutError:
            self.abort("no hello")
            raise ConnectionLost(None, "no hello") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ServerRefused("its hello could not be read") from error
        self._frame_bytes = hello.limits.get("frame_bytes", self._frame_bytes)
        allowed = hello.limits.get("unanswered", _UNANSWERED)
        self._slots = asyncio.Semaphore(max(allowed - _KEPT_FREE, 1))
        return hello

    async def request(self, op: str, *, then: Callable[[Frame], None] | None = None, **fields: Any) -> Frame:
        """Send a command and wait for its answer. `then` gets the answer before any later frame is looked at.

        Raises what `then` raised; RenrakuError (the server's), ConnectionLost (the answer may be lost: repeat it on the next connection),
        TooLarge (nothing was sent).
        """
        urgent = op in _URGENT
        if not urgent:
            await self._turn()
        self._last_ref += 1
        ref = self._last_ref
        try:
            data = self._encode({"op": op, "ref": ref, **fields})
        except TooLarge:
            self._free(urgent)
            raise
        if self.closed.done():
            self._free(urgent)
            raise self._lost()
        asked = _Asked(asyncio.get_running_loop().create_future(), then, self._clock.monotonic(), urgent)
        self._asked[ref] = asked
        try:
            await self._socket.send(data)
        except ConnectionClosed as error:
            if not asked.answer.cancel():
                asked.answer.exception()
            raise self._lost() from error
        return await asked.answer

    async def post(self, op: str, **fields: Any) -> None:
        """Send a command that has no answer. A lost connection is nobody's concern here."""
        try:
            await self._socket.send(self._encode({"op": op, **fields}))
        except ConnectionClosed:
            return

    def abort(self, reason: str) -> None:
        """Drop the connection without the closing handshake, which a dead peer would not answer."""
        if self._broken is None:
            self._broken = reason
            self._socket.transport.abort()

    async def close(self) -> None:
        """Say good-bye, and end the tasks."""
        await self._socket.close()
        await self.wait_ended()

    async def wait_ended(self) -> None:
        """After `closed`: end what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end()

    async def _turn(self) -> None:
        """A place among the unanswered, once the server takes commands again: one refused for its rate holds them all,
        because the server ends who goes on (docs/protocol.md, section 2)."""
        await self._slots.acquire()
        try:
            while not self.closed.done() and (wait := self._held_until - self._clock.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await within(self._clock, wait, asyncio.shield(self.closed))
        except BaseException:
            self._slots.release()
            raise

    def _encode(self, frame: Frame) -> str | bytes:
        data = self._codec.encode(frame)
        size = len(data.encode()) if isinstance(data, str) else len(data)
        if size > self._frame_bytes:
            raise TooLarge(f"{size} bytes")
        return data

    def _free(self, urgent: bool) -> None:
        if not urgent:
            self._slots.release()

    def _hear(self) -> None:
        self._heard = self._clock.monotonic()

    def _lost(self) -> ConnectionLost:
        # A close code that arrived counts, however the connection ended after it: it may say "signed out".
        if self._broken is not None and self._socket.protocol.close_rcvd is None:
            return ConnectionLost(None, self._broken)
        sent = self._socket.protocol.close_sent
        if sent is not None and sent.code == TOO_BIG:
            return ConnectionLost(TOO_BIG, "the server sent a frame beyond what we take")
        code = self._socket.close_code
        return ConnectionLost(None if code == _NO_CLOSE_FRAME else code, self._socket.close_reason or "connection lost")

    def _end(self) -> None:
        if not self.closed.done():
            self.closed.set_result(self._lost())
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(self._lost())
            self._free(asked.urgent)
        self._asked.clear()

    async def _read(self) -> None:
        try:
            while True:
                self._dispatch(self._codec.decode(await self._socket.recv()))
        except ConnectionClosed:
            pass
        except WireError as error:
            self.abort(f"a frame could not be read: {error}")
        finally:
            self._end()

    def _dispatch(self, frame: Frame) -> None:
        ref, op = frame.get("ref"), frame.get("op")
        if op in _ANSWERS and isinstance(ref, int):
            asked = self._asked.pop(ref, None)
            if asked is not None:
                if frame.get("code") == _RATE_LIMITED:
                    self._held_until = self._clock.monotonic() + (_error(frame).retry_after or 1.0)
                self._free(asked.urgent)
                _settle(asked, frame)
        elif isinstance(op, str):
            self._on_frame(frame)

    async def _watch(self) -> None:
        while True:
            quiet_at = self._heard + IDLE
            oldest = next(iter(self._asked.values()), None)
            stuck_at = oldest.at + ANSWER_WITHIN if oldest is not None else quiet_at
            now = self._clock.monotonic()
            if now < min(quiet_at, stuck_at):
                await self._clock.sleep(min(quiet_at, stuck_at) - now)
            elif now >= stuck_at and oldest is not None:
                self.abort("a command was not answered")
                return
            elif not await self._alive():
                self.abort("silent")
                return

    async def _alive(self) -> bool:
        before = self._heard
        try:
            await within(self._clock, PING_WITHIN, self.request("ping"))
        except (TimeoutError, RenrakuError, ConnectionLost):
            return self._heard != before
        return True


def _settle(asked: _Asked, frame: Frame) -> None:
    if asked.answer.done():
        # Whoever asked was cancelled. Its place was kept until now, because the server counts it so.
        return
    try:
        if frame["op"] == "error":
            raise _error(frame)
        if asked.then is not None:
            asked.then(frame)
    except Exception as error:
        asked.answer.set_exception(error)
    else:
        asked.answer.set_result(frame)


def _error(frame: Frame) -> RenrakuError:
    try:
        return RenrakuError.from_wire(frame)
    except (KeyError, TypeError, ValueError):
        return RenrakuError(9001, "internal", en="The server's error could not be read.")


async def _opened(opening: connect) -> ClientConnection:
    return await opening


def _status(error: InvalidStatus) -> ConnectionLost | ServerRefused:
    status = error.response.status_code
    if status == 429 or status >= 500:
        wait = error.response.headers.get("Retry-After", "")
        return ConnectionLost(None, f"HTTP {status}", float(wait) if wait.isascii() and wait.isdigit() else None)
    return ServerRefused(f"HTTP {status}")
