"""How a fake answers: request by request, by device, or by a rule."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["answer", "hang", "cut", "goaway", "reset", "refuse_stream"]


@dataclass(frozen=True)
class Behaviour:
    """One answer.

    `hang`: takes the request and never answers. `cut`: takes it and cuts the connection. Of HTTP/2 alone: `goaway` reads it
    and says GOAWAY, with the last stream that it took, `reset` ends its stream, `refuse_stream` ends it as not looked at."""

    kind: Kind = "answer"
    status: int = 200
    reason: str = ""
    """the provider's own word; its form is the fake's affair"""
    timestamp: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """in place of what the fake would say"""
    takes: bool = False
    """of `cut`: whether the push counts as taken"""


ACCEPT = Behaviour()
HANG = Behaviour("hang")
CUT = Behaviour("cut")


@dataclass
class Script:
    """`once` goes first, then `by_token`, then `rule`, then `default`."""

    default: Behaviour = ACCEPT
    once: deque[Behaviour] = field(default_factory=deque)
    by_token: dict[str, Behaviour] = field(default_factory=dict)
    rule: Callable[[str], Behaviour | None] | None = None

    def of(self, token: str) -> Behaviour:
        if self.once:
            return self.once.popleft()
        if token in self.by_token:
            return self.by_token[token]
        return (self.rule(token) if self.rule else None) or self.default


@dataclass(frozen=True)
class Taken:
    """A push that a fake accepted. `payload`: what the device would read; of Web Push opened with the device's key."""

    token: str
    payload: Any
    headers: dict[str, str]
    receipt: str = ""


@dataclass
class Book:
    """What a fake saw. `wrong`: what a real one would have refused the request for, besides what the script says."""

    got: list[Taken] = field(default_factory=list)
    requests: int = 0
    wrong: list[str] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def saw(self, requests: int) -> None:
        """Until so many requests came. Bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.requests >= requests)
