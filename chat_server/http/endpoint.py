"""One path of the API: who asks, what exactly, one call of a service, the answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    BOT_TASK_GONE,
    DEVICE_NOT_FOUND,
    HELD_NOT_FOUND,
    HOOK_NOT_FOUND,
    INVALID_BODY,
    INVALID_FIELD,
    LINK_NOT_FOUND,
    MEMBER_NOT_FOUND,
    MESSAGE_NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOTE_ENTRY_UNKNOWN,
    NOTE_NOT_FOUND,
    ORGANIZATION_NOT_FOUND,
    PERSON_NOT_FOUND,
    ROOM_NOT_FOUND,
    SCHEDULED_NOT_FOUND,
    UPLOAD_NOT_FOUND,
    Fault,
    Problem,
)
from chat_server.domain.ids import is_id
from chat_server.http.authentication import caller
from chat_server.http.body import decode_json, decode_query, header, is_json, read_body
from chat_server.http.calls import NOTHING, Access, AnyCall, Ctx, Replayed, nobody
from chat_server.http.files import FileAnswer, send_file
from chat_server.http.parts import Parts
from chat_server.http.peer import peer_address
from chat_server.http.replies import (
    JSON,
    Bare,
    Download,
    Encoded,
    Headers,
    Made,
    encode,
    send_bare,
    send_bytes,
    send_made,
    send_problem,
)
from chat_server.http.seen import seen_of
from chat_server.services.idempotency import FIELD as KEY_HEADER
from chat_server.services.idempotency import Answer

ZONE: Final = "renraku.zone"
"""Set by the listener, never by a header: where it is missing, nothing is answered."""

_MISSING: Final[dict[str, tuple[Fault, ...]]] = {
    "room": (ROOM_NOT_FOUND,),
    "message": (MESSAGE_NOT_FOUND,),
    "scheduled": (SCHEDULED_NOT_FOUND,),
    "hook": (HOOK_NOT_FOUND,),
    "note": (NOTE_NOT_FOUND,),
    "entry": (NOTE_ENTRY_UNKNOWN,),
    "user": (MEMBER_NOT_FOUND, PERSON_NOT_FOUND),
    "task": (BOT_TASK_GONE,),
    "device": (DEVICE_NOT_FOUND,),
    "organization": (ORGANIZATION_NOT_FOUND,),
    "upload": (UPLOAD_NOT_FOUND,),
    "file": (UPLOAD_NOT_FOUND, HELD_NOT_FOUND),
    "link": (LINK_NOT_FOUND,),
    "attachment": (ATTACHMENT_NOT_FOUND,),
}
"""How an id in an address is missed: with that of these faults which the call declares."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_QUERY_FIELDS: Final = 30


class Endpoint:
    """All calls of one path."""

    def __init__(self, parts: Parts, calls: Sequence[AnyCall]) -> None:
        self._parts = parts
        self._path = calls[0].path
        self._calls = {call.method: call for call in calls}
        if "GET" in self._calls:
            self._calls.setdefault("HEAD", self._calls["GET"])
        self._allow = ", ".join(sorted(self._calls)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen_of(scope).route = self._path
        call = self._calls.get(scope["method"])
        if call is None:
            await send_problem(send, Problem(METHOD_NOT_ALLOWED), [(b"allow", self._allow)])
            return
        answer, headers = await self._answer(call, scope, receive)
        if isinstance(answer, FileAnswer):
            await send_file(scope, receive, send, answer)
        elif isinstance(answer, Bare):
            await send_bare(send, answer)
        elif isinstance(answer, Encoded):
            await send_bytes(send, call.status, answer.body, answer.media_type, answer.headers)
        elif isinstance(answer, Made | Download):
            try:
                await _send_made(send, call, answer)
            finally:
                await answer.after()
        else:
            await send_bytes(send, answer.status, answer.body, JSON, headers)

    async def _answer(
        self, call: AnyCall, scope: Scope, receive: Receive
    ) -> tuple[Answer | FileAnswer | Bare | Download | Encoded | Made, Headers]:
        zone: str = scope[ZONE]
        address = peer_address(scope, self._parts.site.trusted_proxies)
        who = nobody if call.access is Access.ANYONE else caller(self._parts, scope, zone, address, call.access)
        user = None if who is nobody else await self._parts.storage.read(who)
        ctx: Ctx[Any, Any] = Ctx(
            parts=self._parts,
            scope=scope,
            receive=receive,
            zone=zone,
            address=address,
            path=_ids(call, scope["path_params"]),
            body=NOTHING,
            query=_query(call, scope),
            status=call.status,
            caller=who,
            user=user,
            key=_key(scope) if call.keyed else None,
        )
        async with AsyncExitStack() as stack:
            if user is not None and ctx.key is not None:
                await stack.enter_async_context(self._parts.in_flight.turn(user.user_id, ctx.key))
            try:
                await _take_body(call, ctx)
                result = await call.handler(ctx)
            except Replayed as replayed:
                return replayed.answer, [(b"idempotency-replayed", b"true")]
        if isinstance(result, FileAnswer | Bare | Download | Encoded | Made):
            return result, []
        if ctx.written is not None:
            return ctx.written, []
        return Answer(call.status, b"" if call.answer is None else encode(result)), []


async def _send_made(send: Send, call: AnyCall, answer: Made | Download) -> None:
    if isinstance(answer, Made):
        await send_made(send, answer)
    else:
        await send_bytes(send, call.status, answer.body, answer.media_type.encode(), answer.headers)


async def _take_body(call: AnyCall, ctx: Ctx[Any, Any]) -> None:
    """JSON is read and validated here; raw bytes are left to the handler; a body nobody asked for is only counted."""
    if call.safe or call.raw is not None:
        return
    data = await read_body(ctx.scope, ctx.receive, call.limit)
    if call.body is not None:
        if not is_json(ctx.scope):
            raise Problem(INVALID_BODY, "Content-Type", reason="send application/json")
        ctx.body = decode_json(data, call.body)
    await ctx.body_arrived(hashlib.sha256(data).digest())


def _ids(call: AnyCall, path: dict[str, str]) -> dict[str, str]:
    """Nothing that has not the form of an id reaches a query; it answers like an id that does not exist."""
    for name, value in path.items():
        if name in _MISSING and not is_id(value):
            raise Problem(next(fault for fault in _MISSING[name] if fault in call.faults), name)
    return path


def _query(call: AnyCall, scope: Scope) -> Any:
    raw: bytes = scope["query_string"]
    if call.query is None or not raw:
        return decode_query({}, call.query) if call.query else NOTHING
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_QUERY_FIELDS)
    except ValueError:
        raise Problem(INVALID_BODY, reason="too many query parameters") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Problem(INVALID_FIELD, "query", reason="each parameter once")
    return decode_query(values, call.query)


def _key(scope: Scope) -> str | None:
    key = header(scope, b"idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(INVALID_FIELD, KEY_HEADER, reason="8–64 characters of A–Z a–z 0–9 _ -")
    return key
