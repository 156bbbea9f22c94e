"""Pushes to Apple's phones: token authentication, one connection, kept.

Payload (docs/mobile.md): `aps`, `id` (the parcel's) and `s`, the sealed part, which the app's notification extension opens.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

import structlog
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from mobile_api.providers.answers import answer, printable, waiting
from mobile_api.providers.apns_connection import Connection, Reply
from mobile_api.providers.apns_token import SharedToken
from mobile_api.providers.faults import Cut, NotSent
from mobile_api.providers.port import Answer, Outcome, Parcel, Platform
from mobile_api.providers.proxy import Proxy, tunnel

PRODUCTION: Final = ("api.push.apple.com", 443)
SANDBOX: Final = ("api.sandbox.push.apple.com", 443)
CONNECT_SECONDS: Final = 6.0
ANSWER_SECONDS: Final = 20.0
PAYLOAD_BYTES: Final = 4096
"""Apple's limit. What would pass it goes without the sealed part: the app fetches what there is."""
RENEWAL_SECONDS: Final = 1200.0
SET_UP_SECONDS: Final = 60.0
"""Where the key or its rights are wrong, somebody must put it right; the pushes wait for that, not for ever."""

_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{16,400}")
_TOPIC: Final = re.compile(r"[A-Za-z0-9.-]{1,155}")
_COLLAPSE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INVALID: Final = frozenset({"BadDeviceToken", "Unregistered", "ExpiredToken"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Apple:
    """Where and as whom. `tls` verifies Apple's certificate."""

    token: SharedToken
    topic: str
    server: tuple[str, int]
    tls: ssl.SSLContext
    proxy: Proxy | None = None


class Apns:
    """See `port.Provider`."""

    platform: Platform = "apns"

    def __init__(self, apple: Apple) -> None:
        self._apple = apple
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def send(self, parcel: Parcel) -> Answer:
        if not _TOKEN.fullmatch(parcel.token):
            return answer(parcel, Outcome.INVALID, "not a device token of Apple's")
        topic = parcel.topic or self._apple.topic
        if not _TOPIC.fullmatch(topic) or not _COLLAPSE.fullmatch(parcel.collapse):
            return answer(
                parcel, Outcome.REFUSED, "the app's id or the collapse key has characters that it must not have"
            )
        try:
            return self._read(parcel, await self._push(parcel, topic))
        except NotSent as error:
            return answer(parcel, Outcome.LATER, str(error))
        except Cut as error:
            return answer(parcel, Outcome.UNKNOWN, str(error))

    async def _push(self, parcel: Parcel, topic: str) -> Reply:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._connected()
        except (OSError, TimeoutError) as error:
            raise NotSent(f"no connection to Apple: {_words(error)}") from None
        host = self._apple.server[0]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await connection.push(_headers(parcel, topic, host), _body(parcel))
        except TimeoutError:
            # Perhaps nothing passes any more and nobody was told: the next one gets a connection of its own.
            connection.give_up()
            raise Cut("no answer in time") from None

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._closed:
                raise ConnectionError("closing")
            if self._connection is None or not self._connection.usable:
                self._connection = await self._open()
            return self._connection

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        (host, port), token = self._apple.server, self._apple.token
        if self._apple.proxy is None:
            _, found = await loop.create_connection(lambda: Connection(token), host, port, ssl=self._apple.tls)
            return found
        line = await tunnel(self._apple.proxy, host, port)
        try:
            _, found = await loop.create_connection(
                lambda: Connection(token), sock=line, ssl=self._apple.tls, server_hostname=host
            )
        except BaseException:
            line.close()
            raise
        return found

    async def close(self) -> None:
        async with self._opening:
            self._closed = True
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.give_up()
            try:
                async with asyncio.timeout(1):
                    await connection.ended.wait()
            except TimeoutError:
                # It does not say good-bye, as TLS would have it.
                if connection.transport is not None:
                    connection.transport.abort()
                await connection.ended.wait()

    def _read(self, parcel: Parcel, reply: Reply) -> Answer:
        """Apple's answers, as it documents them."""
        receipt = reply.headers.get("apns-id", "")
        if reply.status == 200:
            return answer(parcel, Outcome.ACCEPTED, "200", receipt=receipt)
        reason, gone_at = _reason(reply.body)
        said = f"{reply.status} {reason}".strip()
        if reply.status == 410 or reason in _INVALID:
            return answer(parcel, Outcome.INVALID, said, receipt=receipt, gone_at=gone_at)
        if reply.status == 403:
            log.error("push.apns_refuses_us", reason=printable(reason))
            return answer(parcel, Outcome.LATER, said, receipt=receipt, retry_after=SET_UP_SECONDS)
        if reply.status == 429 or reply.status >= 500:
            wait = waiting(reply.headers.get("retry-after"))
            if reason == "TooManyProviderTokenUpdates":
                wait = RENEWAL_SECONDS
            return answer(parcel, Outcome.LATER, said, receipt=receipt, retry_after=wait)
        if 400 <= reply.status < 500:
            return answer(parcel, Outcome.REFUSED, said, receipt=receipt)
        return answer(parcel, Outcome.UNKNOWN, said, receipt=receipt)


def _headers(parcel: Parcel, topic: str, host: str) -> list[HeaderTuple]:
    """What is another's in each request stays out of the connection's table of headers: there it would only push out the
    token, which is long, and a device's token would lie about."""
    return [
        HeaderTuple(":method", "POST"),
        HeaderTuple(":scheme", "https"),
        HeaderTuple(":authority", host),
        NeverIndexedHeaderTuple(":path", f"/3/device/{parcel.token}"),
        NeverIndexedHeaderTuple("apns-id", receipt_of(parcel.id)),
        HeaderTuple("apns-topic", topic),
        HeaderTuple("apns-push-type", "alert"),  # a badge alone is one as well; "background" may wait for hours
        HeaderTuple("apns-priority", "5" if parcel.clears else "10"),
        NeverIndexedHeaderTuple("apns-expiration", str(parcel.expires // 1000)),
        NeverIndexedHeaderTuple("apns-collapse-id", parcel.collapse),
    ]


def receipt_of(parcel_id: str) -> str:
    """Apple's form of our id, the same on every try."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, parcel_id))


def _body(parcel: Parcel) -> bytes:
    aps: dict[str, Any] = {"badge": parcel.badge}
    if parcel.clears:
        aps["content-available"] = 1
    else:
        aps |= {"alert": {"body": parcel.text}, "sound": "default", "mutable-content": 1, "thread-id": parcel.collapse}
        if parcel.urgent:
            aps["interruption-level"] = "time-sensitive"
    payload: dict[str, Any] = {"aps": aps, "id": parcel.id}
    bare = _json(payload)
    if not parcel.sealed:
        return bare
    whole = _json(payload | {"s": urlsafe_b64encode(parcel.sealed).rstrip(b"=").decode("ascii")})
    return whole if len(whole) <= PAYLOAD_BYTES else bare


def _json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _reason(body: bytes) -> tuple[str, int | None]:
    """Apple's word for it, and the time from which on the token is not good any more."""
    try:
        found = json.loads(body)
        reason, stamp = found.get("reason", ""), found.get("timestamp")
    except (ValueError, AttributeError, RecursionError):
        return "", None
    return reason if isinstance(reason, str) else "", stamp if type(stamp) is int and 0 < stamp < 1 << 53 else None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
