"""One HTTP/2 connection to Apple: aioapns' protocol class, with its data path replaced.

What was found in aioapns 4.0, each shown by a test in tests/unit/test_push_aioapns.py:
- it pairs answers with requests by `apns-id`, and answers that carry no body with nothing: 500 without a body hangs;
- an empty DATA frame, or one that is no JSON, ends the connection with an exception in the reader;
- it never gives back the room of the bodies that it read: after 64 kB of refusals no further one can arrive;
- the end of one stream by the other side (RST_STREAM) is not looked at: the request hangs;
- a late answer to a cancelled request raises, and takes all others with it;
- a full window raises after the headers have gone, and the stream is lost for good;
- it forgets no stream.
So answers are paired by stream here, and nothing is sent before there is room for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aioapns.connection import APNsTLSClientProtocol, AuthorizationHeaderProvider
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from hpack import HeaderTuple

from mobile_api.providers.faults import Cut, NotSent

IDLE_SECONDS: Final = 15 * 60
"""Apple wants connections kept; one that a firewall forgot meanwhile is found by the first request's bound."""
IN_FLIGHT: Final = 200
"""Requests at once, or fewer where Apple allows fewer: what an answer of 100 ms turns into 2,000 a second."""
_BODY_BYTES: Final = 4 * 1024
"""Of an answer; the rest is not kept."""
Headers = Sequence[HeaderTuple]


@dataclass(frozen=True, slots=True)
class Reply:
    """What Apple answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Request:
    __slots__ = ("body", "future", "headers")

    def __init__(self, future: asyncio.Future[Reply]) -> None:
        self.future = future
        self.headers: dict[str, str] = {}
        self.body = b""


class Connection(APNsTLSClientProtocol):
    """`push` is all that its user calls, beside `close`."""

    INACTIVITY_TIME = IDLE_SECONDS

    def __init__(self, auth: AuthorizationHeaderProvider) -> None:
        super().__init__("", asyncio.get_running_loop(), None, auth)
        self._requests: dict[int, _Request] = {}
        # The headers are made of what was matched here (apns.py): looked at again, each request costs a third more.
        self.conn = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False))
        self._turn = asyncio.Semaphore(IN_FLIGHT)
        self._door = asyncio.Lock()
        self._waiter: asyncio.Future[None] | None = None
        self._greeted = False
        self.usable = True
        """Whether a new request may be given to it."""
        self.ended = asyncio.Event()

    async def push(self, headers: Headers, body: bytes) -> Reply:
        """Send a request and wait for its answer. Raises `NotSent`, `Cut`. Its caller bounds the time, by cancelling."""
        async with self._turn:
            async with self._door:  # one at a time looks whether there is room, in the order of their coming
                await self._room(len(body))
            request = _Request(self.loop.create_future())
            stream = self._send(headers, body)
            self._requests[stream] = request
            try:
                return await request.future
            finally:
                # Whoever gave up: an answer that comes later finds nobody, and that is all.
                self._requests.pop(stream, None)

    async def _room(self, size: int) -> None:
        """Until the other side has said how much it takes, and takes this. Raises `NotSent`."""
        while True:
            if not self.usable:
                raise NotSent("the connection ended")
            allowed = self.conn.remote_settings.max_concurrent_streams
            if self._greeted and len(self._requests) < allowed and self.conn.outbound_flow_control_window >= size:
                return
            self._waiter = self.loop.create_future()
            await self._waiter

    def _send(self, headers: Headers, body: bytes) -> int:
        assert self.auth_provider is not None
        authorization = self.auth_provider.get_header()
        try:
            stream = self.conn.get_next_available_stream_id()
            self.conn.send_headers(stream, [*headers, HeaderTuple("authorization", authorization)])
            self.conn.send_data(stream, body, end_stream=True)
        except H2Error as error:
            # Out of stream numbers, or a limit that was lowered meanwhile. What is half sent is void with the connection.
            self.give_up()
            raise NotSent(type(error).__name__) from None
        self.flush()
        return stream

    def give_up(self) -> None:
        """No further request; what is under way gets no answer."""
        self.usable = False
        self.close()

    # What the other side says

    def data_received(self, data: bytes) -> None:
        try:
            events = self.conn.receive_data(data)
        except H2Error:
            self.flush()
            self.give_up()
            return
        for event in events:
            self._happened(event)
        self.flush()
        self._wake()

    def _happened(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self._greeted = True
        elif isinstance(event, ConnectionTerminated):
            self._going_away(event)
        elif isinstance(event, DataReceived):
            with contextlib.suppress(H2Error):  # the stream may have been reset in the same read
                self.conn.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
            if (request := self._requests.get(event.stream_id or 0)) is not None:
                request.body = (request.body + (event.data or b""))[:_BODY_BYTES]
        elif isinstance(event, ResponseReceived):
            if (request := self._requests.get(event.stream_id or 0)) is not None:
                request.headers = {_text(name): _text(value) for name, value in event.headers or ()}
        elif isinstance(event, StreamEnded):
            self._answered(event.stream_id or 0)
        elif isinstance(event, StreamReset):
            untouched = event.error_code == ErrorCodes.REFUSED_STREAM  # RFC 9113, 8.7: nothing was done
            self._fail(event.stream_id or 0, (NotSent if untouched else Cut)("the stream was reset"))

    def _answered(self, stream: int) -> None:
        request = self._requests.get(stream)
        if request is None or request.future.done():
            return
        status = request.headers.get(":status", "")
        request.future.set_result(Reply(int(status) if status.isdigit() else 0, request.headers, request.body))

    def _going_away(self, event: ConnectionTerminated) -> None:
        """GOAWAY: what lies beyond the last stream was not looked at (RFC 9113, 6.8); the library reads no further."""
        last = event.last_stream_id or 0
        for stream in list(self._requests):
            self._fail(stream, (NotSent if stream > last else Cut)("the other side closed the connection (GOAWAY)"))
        self.give_up()

    def _fail(self, stream: int, error: Exception) -> None:
        request = self._requests.get(stream)
        if request is not None and not request.future.done():
            request.future.set_exception(error)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        for stream in list(self._requests):
            self._fail(stream, Cut("the connection was cut"))
        self._wake()
        super().connection_lost(exc)
        self.ended.set()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
