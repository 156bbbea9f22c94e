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


class Nothing(msgspec.Struct, frozen=True):
    """No body, no query, no answer."""


NOTHING: Final = Nothing()


class Access(Enum):
    """Who may call at all. What they may do to which thing, the services check, in their transaction."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    MEMBER = "member"
    """of the organization: not a guest"""
    ORGANIZATION_ADMIN = "organization_admin"
    ADMINISTRATOR = "administrator"
    """of the organization or of a department"""
    AUDITOR = "auditor"


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
    user: Actor | None = None
    key: str | None = None
    """the Idempotency-Key, where the call keeps answers"""
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

    async def write(self, use_case: Callable[[Tx], Awaitable[T]]) -> T | None:
        """The one writing transaction of this request; what `use_case` answers is what the client gets.

        Under an Idempotency-Key the claim, the act and the answer are committed together.
        """
        org_id = self.user.org_id if self.user else 0
        claim = self.claim
        if claim is None:
            return await self.parts.storage.write(use_case, org_id=org_id)
        if self.written is not None:
            raise RuntimeError("a call under an Idempotency-Key writes once")

        async def once(tx: Tx) -> Answer:
            return await idempotency.once(tx, claim, self.status, use_case, encode)

        self.written = await self.parts.storage.write(once, org_id=org_id)
        return None

    async def bytes_of_body(self, limit: int) -> AsyncIterator[bytes]:
        """The raw body as it comes in; at its end the Idempotency-Key is looked up. Raises `Problem` 2003, `Replayed`."""
        seen = hashlib.sha256()
        async for chunk in stream_body(self.scope, self.receive, limit):
            seen.update(chunk)
            yield chunk
        await self.look_up(seen.digest())

    async def look_up(self, body_hash: bytes) -> None:
        """Whether this was asked and answered before. Raises `Replayed`, `Problem` 2006."""
        if self.key is None or self.user is None:
            return
        raw_query: bytes = self.scope["query_string"]
        path = f"{self.scope['path']}?{raw_query.decode('latin-1')}"
        self.claim = Claim(
            self.user.user_id,
            self.user.org_id,
            self.key,
            idempotency.digest(self.parts.keys, self.scope["method"], path, body_hash),
        )
        claim = self.claim
        earlier = await self.parts.storage.read(lambda reader: idempotency.kept(reader, claim))
        if earlier is not None:
            raise Replayed(earlier)


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
    faults: tuple[Fault, ...] = ()
    example: Any = None
    example_answer: Any = None
    note: str = ""

    @property
    def safe(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def keeps(self) -> bool:
        return not self.safe and self.changes and self.access is not Access.ANYONE

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
