"""What uvicorn's HTTP protocol does not have: limits of how large a request's head may grow and how long it may take, and
large bodies that pass it by (`direct_body.py`).

Without them one connection can fill the memory with a header that never ends, and a thousand idle ones hold a thousand
sockets (ASVS 13.1.3, "slowloris").
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from chat_server.http.direct_body import DIRECT_BODY, DirectBody

HEAD_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 20.0
REST_SECONDS: Final = 20.0
"""After an answer was sent before its request had ended: what is still coming is dropped this long."""

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class LimitedHttpProtocol(HttpToolsProtocol):
    """Pass as `http=` to uvicorn's Config."""

    _head_bytes = 0
    _in_head = True
    _in_message = False
    _body_left: int | None = None
    """of the body as it was announced; None: not announced"""
    _direct: DirectBody | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # Counted by what the network brings: of one header the parser tells only when it is complete.
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._in_head = self._in_message = True
        self._expect_within(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._expect_nothing()
        super().on_headers_complete()
        self._body_left = self._announced()
        cast("dict[str, Any]", self.scope)["extensions"] = {DIRECT_BODY: partial(self._direct_body, self.cycle)}

    def on_body(self, body: bytes) -> None:
        if self._body_left is not None:
            self._body_left -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._in_head = True
        self._head_bytes = 0
        self._expect_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._direct is not None:
            self._direct.drop()
        if self._in_message and self.cycle.response_complete:
            self._expect_within(REST_SECONDS)

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _announced(self) -> int | None:
        """The parser has refused a length that is no number, two of them, and one beside chunks."""
        named = dict(self.headers)
        length = named.get(b"content-length")
        return None if length is None or b"transfer-encoding" in named else int(length)

    def _direct_body(self, cycle: RequestResponseCycle) -> DirectBody | None:
        current = cycle is self.cycle and self._in_message and not cycle.response_complete
        if not current or not self._body_left or self.transport.is_closing():
            return None
        begun, cycle.body = bytes(cycle.body), bytearray()
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._direct = DirectBody(self, begun, self._body_left)
        self._hand_reading_to(self._direct)
        return self._direct

    def take_back(self) -> None:
        """The body that passed by has ended; the next request has a parser of its own."""
        self._direct = None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._hand_reading_to(self)
        self.on_message_complete()

    def _hand_reading_to(self, protocol: asyncio.BaseProtocol) -> None:
        """A transport asks only when it begins to read which way its protocol wants the bytes."""
        self.flow.pause_reading()
        self.transport.set_protocol(protocol)
        self.flow.resume_reading()
