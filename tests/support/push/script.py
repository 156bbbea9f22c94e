"""How a fake answers: request by request, by device, or by a rule."""

from __future__ import annotations

import asyncio
import time
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
    slow: float = 0.0
    """seconds before the answer"""

    @property
    def taken(self) -> bool:
        """Whether the push is the device's from here on, whether or not we are told."""
        return 200 <= self.status < 300 and (self.kind == "answer" or self.takes)


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


@dataclass(eq=False)
class Line:
    """A connection, as its fake sees it. `came`: requests so far. `cut`: the fake ended it, and perhaps answers with it."""

    came: int = 0
    cut: bool = False
    last: Tried | None = None


@dataclass(eq=False)
class Tried:
    """A request that was answered as the script says, or not at all. `at`, `number`: the clock, and the requests that had come
    on its line, when it was answered; `answered`: whether the answer was written."""

    push: Taken
    behaviour: Behaviour
    line: Line
    at: float = field(default_factory=time.monotonic)
    number: int = 0
    answered: bool = False

    def written(self) -> None:
        self.answered, self.at, self.number = True, time.monotonic(), self.line.came


class Journal:
    """Every try in the order of its coming, of as many fakes as share it."""

    def __init__(self) -> None:
        self.tried: list[Tried] = []
        self._came = asyncio.Event()

    def add(self, tried: Tried) -> None:
        self.tried.append(tried)
        self._came.set()

    async def until(self, number: int) -> None:
        """Until so many tries came. Bound it with `asyncio.timeout`."""
        while len(self.tried) < number:
            self._came.clear()
            await self._came.wait()


@dataclass
class Book:
    """What a fake saw. `wrong`: what a real one would have refused the request for, besides what the script says.
    `journal`: gets what was not accepted as well."""

    got: list[Taken] = field(default_factory=list)
    requests: int = 0
    wrong: list[str] = field(default_factory=list)
    journal: Journal | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def reads(self, behaviour: Behaviour) -> bool:
        """Whether somebody wants to know what is in it."""
        return behaviour.taken or self.journal is not None

    def judged(self, push: Taken, behaviour: Behaviour, line: Line) -> Tried:
        if behaviour.taken:
            self.got.append(push)
        line.last = Tried(push, behaviour, line)
        if self.journal is not None:
            self.journal.add(line.last)
        return line.last

    async def note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def saw(self, requests: int) -> None:
        """Until so many requests came. Bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.requests >= requests)
