"""Bodies on their way in: counted while they stream, refused at the first byte too many."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar

import msgspec
from starlette.types import Receive, Scope

from chat_server.domain.errors import INVALID_BODY, INVALID_FIELD, TOO_LARGE, Problem
from chat_server.http.direct_body import DIRECT_BODY

T = TypeVar("T")

PAUSE_SECONDS: Final = 30
"""A phone on a bad line may stop for a while; a body that does not move this long is given up."""

WHOLE_SECONDS: Final = 60
"""For all of a body of JSON: a byte now and then would hold a connection for years (ASVS 13.1.3, "slowloris")."""

BYTES_A_SECOND: Final = 8 * 1024
"""What a raw body has to keep up on average after its first `WHOLE_SECONDS`: half of what a phone still gets whose
data volume is used up (128 kbit/s). The largest photo may take an hour and a half."""


class ClientGone(Exception):
    """The client went away in the middle of its request: nobody is left to answer."""


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that name (lower case)."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def stream_body(scope: Scope, receive: Receive, limit: int, *, raw: bool = False) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises `Problem` 2003 as soon as it is known to be over `limit`, 2002 when it stalls or
    takes too long. `raw`: what has come earns it more time.
    """
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise Problem(TOO_LARGE, limit=limit)
    if raw and (direct := scope.get("extensions", {}).get(DIRECT_BODY, _none)()):
        receive = direct.receive
    loop = asyncio.get_running_loop()
    began, size = loop.time(), 0
    while True:
        end = began + WHOLE_SECONDS + (size / BYTES_A_SECOND if raw else 0)
        try:
            async with asyncio.timeout_at(min(loop.time() + PAUSE_SECONDS, end)):
                message = await receive()
        except TimeoutError:
            raise Problem(INVALID_BODY, reason="the body arrives too slowly") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise Problem(TOO_LARGE, limit=limit)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


def _none() -> None:
    """What a door answers that knows no direct bodies."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, at most `limit` bytes."""
    return b"".join([chunk async for chunk in stream_body(scope, receive, limit)])


def is_json(scope: Scope) -> bool:
    """Forms and multipart are never parsed: their parsers are where such servers were bombed (CVE-2025-62727)."""
    content_type = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
    return content_type == "application/json"


def decode_json(data: bytes, shape: type[T]) -> T:
    """`data` as a `shape`. Raises `Problem` 2001 with the path of the wrong field, 2002 for what is no JSON."""
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise _invalid_field(error) from None
    except RecursionError:
        raise Problem(INVALID_BODY, reason="nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Problem(INVALID_BODY, reason=_plain(str(error))) from None


def decode_query(values: dict[str, Any], shape: type[T]) -> T:
    """Query parameters as a `shape`. Raises `Problem` 2001."""
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid_field(error) from None


_AT: Final = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `([^`]*)`")


def _invalid_field(error: msgspec.ValidationError) -> Problem:
    """msgspec tells the place as `$.rooms[0].name`, and a missing field by the object that lacks it."""
    match = _AT.match(str(error))
    reason, path = (match["reason"], match["path"] or "") if match else (str(error), "")
    path = path.removeprefix("$").removeprefix(".")
    if missing := _MISSING.search(reason):
        path = f"{path}.{missing[1]}" if path else missing[1]
        reason = "missing"
    return Problem(INVALID_FIELD, path or "body", reason=_plain(reason))


def _plain(reason: str) -> str:
    return reason.replace("`", "")[:200]
