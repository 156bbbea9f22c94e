"""A call is a declared value. Routes, validation, the OpenAPI document and the table of permissions come from it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar

import msgspec
from starlette.types import Receive, Scope

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import NOT_SIGNED_IN, Fault, Problem
from chat_server.http.body import stream_body
from chat_server.http.parts import Parts
from chat_server.http.replies import encode
from chat_server.ports import Reader, Tx
from chat_server.services import idempotency
from chat_server.services.idempotency import Answer, Claim

B = TypeVar("B")
Q = TypeVar("Q")
T = TypeVar("T")

Caller = Callable[[Reader], Awaitable[Actor]]
"""Loads whoever asks, as of that view. Raises `Problem` 1004, 6009, 3009, 2008 when they may not call (any more)."""


class Nothing(msgspec.Struct, frozen=True):
    """No body, no query, no answer."""


NOTHING: Final = Nothing()


class Access(Enum):
    """Who may call at all. What they may do to which thing, the services check, in their transaction."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    DEVICE = "device"
    """signed in, even on a device that may do nothing but see how it stands"""
    MEMBER = "member"
    """of the organization: not a guest"""
    ORGANIZATION_ADMIN = "organization_admin"
    ADMINISTRATOR = "administrator"
    """of the organization or of a department"""
    AUDITOR = "auditor"
    BOT = "bot"
    """that runs elsewhere, by its token: nobody else, and it may call nothing else"""


async def nobody(reader: Reader) -> Actor:
    """The `Caller` of a call for anyone."""
    raise Problem(NOT_SIGNED_IN)


class Replayed(Exception):
    """The request was carried out before; its answer is given again."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("replayed")
        self.answer = answer


@dataclass(slots=True)
class Ctx(Generic[B, Q]):
    """One request under way. `path` holds the ids in its address; `body` and `query` are validated."""

    parts: Parts
    scope: Scope
    receive: Receive
    zone: str
    address: str
    path: dict[str, str]
    body: B
    query: Q
    status: int
    caller: Caller = nobody
    user: Actor | None = None
    """as of the end of the body"""
    key: str | None = None
    """the Idempotency-Key, where the call takes one"""
    claim: Claim | None = None
    written: Answer | None = None
    """what was committed together with its answer: sent as it is"""

    @property
    def actor(self) -> Actor:
        """Who asks. Raises `Problem` 1003 in a call for anyone."""
        if self.user is None:
            raise Problem(NOT_SIGNED_IN)
        return self.user

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        return await self.parts.storage.read(use_case)

    async def write(self, use_case: Callable[[Tx, Actor], Awaitable[T]]) -> T | None:
        """The one writing transaction of this request; what `use_case` answers is what the client gets.

        `use_case` gets the actor as of this very transaction. A body may take minutes to arrive and a photo seconds to
        decode; whoever was disabled, signed out or demoted meanwhile must not finish what they began. Under an
        Idempotency-Key the claim, the act and the answer are committed together.
        """
        claim = self.claim
        if claim is None:
            return await self._act(use_case)
        if self.written is not None:
            raise RuntimeError("a call under an Idempotency-Key writes once")

        async def once(tx: Tx, actor: Actor) -> Answer:
            return await idempotency.once(tx, claim, self.status, lambda tx: use_case(tx, actor), encode)

        self.written = await self._act(once)
        return None

    async def _act(self, use_case: Callable[[Tx, Actor], Awaitable[T]]) -> T:
        caller = self.caller

        async def as_of_now(tx: Tx) -> T:
            return await use_case(tx, await caller(tx))

        return await self.parts.storage.write(as_of_now, org_id=self.actor.org_id)

    async def bytes_of_body(self, limit: int) -> AsyncIterator[bytes]:
        """The raw body as it comes in, then `body_arrived`. Raises `Problem` 2003, 2002 and what that raises."""
        seen = hashlib.sha256()
        async for chunk in stream_body(self.scope, self.receive, limit, raw=True):
            seen.update(chunk)
            yield chunk
        await self.body_arrived(seen.digest())

    async def body_arrived(self, body_hash: bytes) -> None:
        """Who asks, once more: reading and hashing must not go on, nor an answer be given again, for somebody who lost
        the right to it while the body came in. And whether this was asked and answered before.

        Raises `Replayed`, `Problem` 2006, and those of the caller.
        """
        if self.user is None:
            return
        claim = None if self.key is None else self._claimed(self.user, self.key, body_hash)

        async def look(reader: Reader) -> tuple[Actor, Answer | None]:
            return await self.caller(reader), None if claim is None else await idempotency.kept(reader, claim)

        self.claim = claim
        self.user, earlier = await self.parts.storage.read(look)
        if earlier is not None:
            raise Replayed(earlier)

    def _claimed(self, user: Actor, key: str, body_hash: bytes) -> Claim:
        raw_query: bytes = self.scope["query_string"]
        path = f"{self.scope['path']}?{raw_query.decode('latin-1')}"
        digest = idempotency.digest(self.parts.keys, self.scope["method"], path, body_hash)
        return Claim(user.user_id, user.org_id, key, digest)


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One HTTP call of docs/protocol.md, section 6.

    `answer`: a type for the document; None is a 204. `raw`: the body is not JSON but bytes, at most this many, which
    the handler streams. `keeps`: its answer is kept under the client's Idempotency-Key. `faults`: what it may be
    refused with besides what all calls are. `example`, `example_answer`: true ones, tested.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[Ctx[B, Q]], Awaitable[Any]]
    body: type[B] | None = None
    query: type[Q] | None = None
    answer: Any = None
    status: int = 200
    access: Access = Access.SIGNED_IN
    raw: int | None = None
    changes: bool = True
    """false for an unsafe method that only reads"""
    repeats: bool = False
    """its handler knows a request again under its Idempotency-Key, though its answer is kept nowhere"""
    faults: tuple[Fault, ...] = ()
    example: Any = None
    example_answer: Any = None
    note: str = ""

    @property
    def safe(self) -> bool:
        return self.method in ("GET", "HEAD", "OPTIONS")

    @property
    def keeps(self) -> bool:
        return not self.safe and self.changes and self.access is not Access.ANYONE

    @property
    def keyed(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return self.keeps or self.repeats

    @property
    def id(self) -> str:
        """The operationId: the handler's name."""
        return self.handler.__name__

    @property
    def tag(self) -> str:
        return self.handler.__module__.rpartition(".")[2]

    @property
    def limit(self) -> int:
        """Bytes of the body."""
        return self.raw if self.raw is not None else limits.BODY_BYTES


AnyCall = Call[Any, Any]
