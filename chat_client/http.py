"""One HTTP request, and what its answer means. Repeating is decided elsewhere."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from chat_client.clock import ServerTime
from chat_client.errors import RenrakuError, UnexpectedAnswer
from chat_client.retry import Cut
from chat_client.tls import untrusted

_KEPT_IDLE: Final = 2.0
"""Shorter than servers keep an idle connection, so that no request is written into one that is just being closed."""
_CONNECT: Final = 10.0
_SEND_BUFFER: Final = 64 * 1024
_SLOWEST: Final = 4 * 1024
"""Bytes a second of the weakest signal that is worth waiting for."""
_DATE_TRUSTED: Final = 2_000
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to send: how many, and how to read them from the start (once for every try)."""

    size: int
    read: Callable[[], AsyncGenerator[bytes, None]]


class Http:
    """Requests to one server, over the bare transport and not `httpx2.AsyncClient`.

    That one uses the environment's proxies, follows redirects if asked to and logs every address. A chat server of a
    closed network is reached directly, a stray variable must not hand tokens to another machine, and an attachment's
    address is a permission.
    """

    def __init__(self, server: str, context: ssl.SSLContext, time: ServerTime, stall: float) -> None:
        """`stall`: seconds without a byte after which a request has failed. There is no limit on the whole: a photo
        on a weak signal takes minutes."""
        self._server = server
        self._time = time
        self._stall = stall
        self._transport = httpx2.AsyncHTTPTransport(
            verify=context,
            limits=httpx2.Limits(keepalive_expiry=_KEPT_IDLE),
            # A write that returns has only reached this buffer. Were it megabytes, minutes of a weak signal would pass
            # while we seem to wait for the answer.
            socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)],
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def request(self, method: str, path: str, **what: Any) -> Any:
        """`exchange` where the answer's headers tell nothing."""
        return (await self.exchange(method, path, **what))[0]

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: str | None = None,
        json: Any = None,
        body: Body | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        """The decoded JSON answer, None where there is none; and its headers, by names in lower case.

        Raises RenrakuError (the server's), UnexpectedAnswer (not of this protocol), Cut, ServerUntrusted.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/octet-stream", **(headers or {})}
        if body is None and json is None:
            del headers["Content-Type"]
        elif json is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is None:
            request = self._build(method, path, headers, params=params, json=json)
            return _answer(*await self._exchange(request))
        # A stated length instead of chunks: proxies pass it on at once, and the server can refuse at once.
        headers["Content-Length"] = str(body.size)
        draining = min(body.size, 2 * _SEND_BUFFER) / _SLOWEST
        async with aclosing(body.read()) as content:
            request = self._build(method, path, headers, params=params, content=content, draining=draining)
            return _answer(*await self._exchange(request))

    async def fetch(self, path: str, first: int = 0, etag: str = "") -> AsyncGenerator[bytes, None]:
        """The bytes behind an attachment's address, as they come. Raises as `request`.

        `first`: the byte to begin with, while the file is still the one of `etag`; what comes before the bytes is its
        etag, as a piece of its own."""
        headers = {"Accept": "*/*"}
        if first:
            headers |= {"Range": f"bytes={first}-", "If-Range": etag}
        try:
            response = await self._send(self._build("GET", path, headers))
            try:
                if response.status_code != (206 if first else 200):
                    _answer(response, await response.aread())
                    raise UnexpectedAnswer(response.status_code)
                yield response.headers.get("etag", "").encode("latin-1")
                async for chunk in response.aiter_bytes():
                    yield chunk
            finally:
                await response.aclose()
        except httpx2.TransportError as error:
            raise self._failure(error) from error

    def _build(
        self, method: str, path: str, headers: Mapping[str, str], *, draining: float = 0.0, **content: Any
    ) -> httpx2.Request:
        timeouts = httpx2.Timeout(self._stall, connect=min(self._stall, _CONNECT), read=self._stall + draining)
        extensions = {"timeout": timeouts.as_dict()}
        return httpx2.Request(method, self._server + path, headers=headers, extensions=extensions, **content)

    async def _exchange(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        try:
            response = await self._send(request)
            try:
                return response, await response.aread()
            finally:
                await response.aclose()
        except httpx2.TransportError as error:
            raise self._failure(error) from error

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        date = response.headers.get("date")
        if date is not None:
            self._heard(date)
        return response

    def _heard(self, date: str) -> None:
        try:
            told = int(parsedate_to_datetime(date).timestamp() * 1000) + 500
        except ValueError:
            return
        # It has whole seconds; `hello` knows better, and only a real difference corrects it.
        if abs(told - self._time.now()) > _DATE_TRUSTED:
            self._time.heard(told)

    def _failure(self, error: httpx2.TransportError) -> Exception:
        return untrusted(error) or Cut(
            f"{type(error).__name__} at {urlsplit(self._server).netloc}", sent=not isinstance(error, _NOT_SENT)
        )


def _answer(response: httpx2.Response, data: bytes) -> tuple[Any, Mapping[str, str]]:
    status = response.status_code
    decoded: Any = None
    if data:
        try:
            decoded = response.json()
        except ValueError:
            raise UnexpectedAnswer(status, _retry_after(response)) from None
    if status < 300:
        return decoded, response.headers
    try:
        problem = RenrakuError.from_wire(decoded["error"], status)
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(status, _retry_after(response)) from None
    raise problem


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
