"""One connection's protocol, sans-I/O: bytes and time go in, what to do comes out.

Nothing here touches a socket, a clock or a database, so every rule of docs/protocol.md, section 2, is tested by
calling it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from chat_server.domain import closing, limits
from chat_server.domain.errors import RATE_LIMITED, RESUME_FIRST, RESUME_TWICE, Problem
from chat_server.realtime.codec import Codec, Malformed, TooDeep
from chat_server.services.commands import Auth, Command, Look, Pull, Resume, Typing, Watch


class State(enum.Enum):
    NEW = "new"
    AUTHENTICATING = "authenticating"
    READY = "ready"
    LIVE = "live"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Do:
    """Carry this command out, and call `answered` when its answer is written."""

    command: Command


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with this error; nothing else happens."""

    ref: int | None
    problem: Problem


@dataclass(frozen=True, slots=True)
class Shut:
    """Close with this code."""

    code: int


Step = Do | Refuse | Shut | None


class Session:
    """The state of one connection."""

    __slots__ = ("_refused", "_resuming", "_tokens", "_tokens_at", "codec", "state", "unanswered")

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.state = State.NEW
        self.unanswered = 0
        self._resuming = 0
        """`ref` of the resume that is under way, 0 for none."""
        self._tokens = float(limits.COMMAND_BURST)
        self._tokens_at = 0.0
        self._refused = 0.0

    def receive(self, payload: bytes, now: float) -> Step:
        """One message from the client; `now` in seconds of a steady clock."""
        if self.state is State.CLOSED:
            return None
        if len(payload) > limits.FRAME_BYTES:
            return self.shut(closing.TOO_LARGE)
        try:
            command = self.codec.decode(payload)
        except TooDeep:
            return self.shut(closing.TOO_LARGE)
        except Malformed:
            return self.shut(closing.MALFORMED)
        except Problem as problem:
            if self.state is State.NEW:
                return self.shut(closing.NOT_AUTHENTICATED)
            ref = self.codec.ref_of(payload)
            return self._over_rate(ref, now) or Refuse(ref, problem)
        return self._admit(command, now)

    def _admit(self, command: Command, now: float) -> Step:
        if self.state is State.NEW:
            if not isinstance(command, Auth):
                return self.shut(closing.NOT_AUTHENTICATED)
            self.state = State.AUTHENTICATING
            self.unanswered = 1
            return Do(command)
        if self.state is State.AUTHENTICATING or isinstance(command, Auth):
            return self.shut(closing.NOT_AUTHENTICATED)
        if isinstance(command, Typing):
            over = self._over_rate(None, now)
            return None if isinstance(over, Refuse) else over or Do(command)
        if over := self._over_rate(command.ref, now):
            return over
        if isinstance(command, Resume):
            if self.state is State.LIVE:
                return Refuse(command.ref, Problem(RESUME_TWICE))
            # Live before it is answered, so that a client may send what comes next without waiting.
            self.state, self._resuming = State.LIVE, command.ref
        elif isinstance(command, Pull | Look | Watch) and self.state is not State.LIVE:
            return Refuse(command.ref, Problem(RESUME_FIRST))
        if self.unanswered >= limits.UNANSWERED:
            return self.shut(closing.FLOOD)
        self.unanswered += 1
        return Do(command)

    def _over_rate(self, ref: int | None, now: float) -> Refuse | Shut | None:
        """A token bucket: a person's burst passes, a program's flood does not.

        A refusal is an answer too, and costs what one costs: who goes on in spite of them is ended.
        """
        allowed = (now - self._tokens_at) * limits.COMMANDS_PER_SECOND
        self._tokens_at = now
        self._tokens = min(float(limits.COMMAND_BURST), self._tokens + allowed)
        self._refused = max(0.0, self._refused - allowed)
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        self._refused += 1
        if self._refused > limits.COMMANDS_REFUSED:
            return self.shut(closing.FLOOD)
        return Refuse(ref, Problem(RATE_LIMITED, retry_after=1))

    def authenticated(self) -> None:
        """The first frame was good; what is left to do is to answer it."""
        self.state = State.READY

    def answered(self, ref: int, *, failed: bool = False) -> None:
        """The answer to `ref` is given. A resume that failed may be tried again on this connection."""
        self.unanswered -= 1
        if ref == self._resuming:
            self._resuming = 0
            if failed:
                self.state = State.READY

    def shut(self, code: int) -> Shut:
        """Nothing more goes in."""
        self.state = State.CLOSED
        return Shut(code)
