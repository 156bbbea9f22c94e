"""The fast path: uvicorn's WebSocket protocol, with its transport handed to the application.

Room events do not go through ASGI's `send`: a prebuilt frame is written to the transport. Frames from the client do
not go through ASGI's `receive` either, so reading never stops behind a handler and a pong is never left unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from chat_server.domain import closing, limits
from chat_server.realtime.codec import close_frame, payloads

EXTENSION: Final = "renraku.direct"
_LINGER: Final = 20.0
"""Seconds that a closed socket may take to read what is on its way, before it is cut."""


class _Nothing:
    """Stands where ASGI's queue and event stood: nobody waits on them any more."""

    __slots__ = ()

    def put_nowait(self, item: object) -> None:
        pass

    def set(self) -> None:
        pass

    def clear(self) -> None:
        pass


_NOTHING: Final = _Nothing()


class DirectProtocol(WebSocketsSansIOProtocol):
    """Puts itself into `scope["extensions"][EXTENSION]`. uvicorn is capped in pyproject.toml for this class."""

    on_frame: Callable[[bytes], None] | None = None
    on_slow: Callable[[], None] | None = None
    on_gone: Callable[[], None] | None = None
    attached = False

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope)["extensions"][EXTENSION] = self

    def attach(
        self, on_frame: Callable[[bytes], None], on_slow: Callable[[], None], on_gone: Callable[[], None]
    ) -> None:
        """After the handshake: frames arrive at `on_frame`; `on_slow` once the reader is a whole queue behind;
        `on_gone` when the peer or the line has ended it. The application may return: the connection stays."""
        self.attached = True
        self.on_frame, self.on_slow, self.on_gone = on_frame, on_slow, on_gone
        self.transport.set_write_buffer_limits(high=limits.QUEUE_BYTES)
        # What the handshake and ASGI needed is most of an idle connection's memory: its headers several times over,
        # a task, a queue and an event. Thousands of connections are idle at any moment.
        del self.request, self.response
        self.scope = cast(Any, None)
        self.queue = cast(Any, _NOTHING)
        self.writable = cast(Any, _NOTHING)

    async def run_asgi(self) -> None:
        if not await self._application_returned() or not self.attached:
            self.send_500_response()
            if self.close_timer is None:
                self.transport.close()

    async def _application_returned(self) -> bool:
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            return True
        except Exception:
            self.logger.exception("Exception in the WebSocket application")
            return False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        gone, self.on_gone = self.on_gone, None
        self.on_frame = self.on_slow = None
        if gone is not None:
            gone()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        if self.on_gone is not None:
            self.on_gone()

    @property
    def write(self) -> Callable[[bytes], None]:
        """The transport's own bound method: one call between an event and the socket's buffer."""
        return self.transport.write

    def backlog(self) -> int:
        """Bytes that the peer has not taken yet."""
        return int(self.transport.get_write_buffer_size())

    def send_receive_event_to_app(self) -> None:
        if self.on_frame is None:
            super().send_receive_event_to_app()
            return
        payload = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if not self.close_sent:
            self.on_frame(payload)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.on_slow is not None:
            self.on_slow()

    def handle_parser_exception(self) -> None:
        if self.on_frame is None:
            super().handle_parser_exception()
            return
        assert self.conn.close_sent is not None
        self.shut(closing.TOO_LARGE if self.conn.close_sent.code == 1009 else closing.MALFORMED)

    def keepalive_timeout(self) -> None:
        self.pong_timer = None
        self.pending_ping_payload = None
        if not self.close_sent and not self.transport.is_closing():
            self.shut(closing.SILENT)

    def shut(self, code: int) -> None:
        """Send a close frame behind what is on its way; cut the line if the peer does not answer in time."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.transport.write(close_frame(code, closing.NAMES.get(code, "")))
        self.close_sent = True
        self.close_timer = self.loop.call_later(_LINGER, self.transport.abort)
        # Whoever began it: a socket that is being closed is delivered nothing more.
        gone, self.on_gone = self.on_gone, None
        self.on_frame = self.on_slow = None
        if gone is not None:
            gone()

    def shutdown(self) -> None:
        if self.handshake_complete:
            self.shut(closing.RESTARTING)
        else:
            super().shutdown()


def direct(scope: dict[str, Any]) -> DirectProtocol | None:
    """The fast path, if this server offers it."""
    found = scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, DirectProtocol) else None


class SlowWriter:
    """The same calls on any ASGI server: a queue, bounded in bytes, and a task that empties it."""

    def __init__(self, send: Callable[[dict[str, Any]], Any], on_slow: Callable[[], None]) -> None:
        self._send = send
        self._on_slow = on_slow
        self._queue: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._waiting = 0

    def write(self, frames: bytes) -> None:
        self._waiting += len(frames)
        if self._waiting > limits.QUEUE_BYTES:
            self._on_slow()
        else:
            self._queue.put_nowait(frames)

    def backlog(self) -> int:
        return self._waiting

    def shut(self, code: int) -> None:
        self._queue.put_nowait(code)

    async def run(self) -> None:
        """Until closed. Ends the connection by returning."""
        while True:
            item = await self._queue.get()
            if isinstance(item, int):
                await self._send({"type": "websocket.close", "code": item, "reason": closing.NAMES.get(item, "")})
                return
            for opcode, payload in payloads(item):
                if opcode == 1:
                    await self._send({"type": "websocket.send", "text": payload.decode()})
                else:
                    await self._send({"type": "websocket.send", "bytes": payload})
            self._waiting -= len(item)
