"""When to try again: for a call, and for the connection. No I/O but waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat_client.clock import Clock
from chat_client.errors import (
    AccountDisabled,
    DeviceBarred,
    ProtocolFault,
    RenrakuError,
    SignedOut,
    SignInRequired,
    Stopped,
    UnexpectedAnswer,
    Unreachable,
)

Random = Callable[[], float]
"""A number from 0 to 1, for jitter."""

FIRST: Final = 1.0
LONGEST: Final = 30.0
SETTLED: Final = 10.0
"""Seconds a connection has to live to count as a success: one that is closed at once must not be retried at once."""

RESTARTING, SLOW, SILENT, EXPIRED = 4000, 4001, 4002, 4003
BAD_TOKEN, SIGNED_OUT, DISABLED = 4503, 4504, 4505
DEVICE = 4507
_RESTART_SPREAD: Final = 3.0
_PASSING: Final = frozenset({429, 502, 503, 504})


class Cut(Exception):
    """The network failed under a request. `sent`: it may have reached the server."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class ConnectionLost(Exception):
    """The WebSocket is gone, or never came. `code` is the close code, if one was received."""

    def __init__(self, code: int | None, reason: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code if code is not None else 'no close code'}: {reason}")
        self.code = code
        self.reason = reason
        self.retry_after = retry_after


class Backoff:
    """1 s, doubling to 30 s; each between half and the whole of it, so that a crowd spreads out."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tries = 0

    def reset(self) -> None:
        """What was tried has worked."""
        self._tries = 0

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait; never less than the server asked for."""
        whole = min(FIRST * 2.0 ** min(self._tries, 10), LONGEST)
        self._tries += 1
        return max(whole * (0.5 + 0.5 * self._random()), at_least or 0.0)


class Reconnecting:
    """How long to wait after a connection ended (docs/protocol.md, section 5)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._backoff = Backoff(random)

    def delay(self, code: int | None, lived: float | None, retry_after: float | None = None) -> float:
        """Seconds. `lived`: for how long the connection was usable; None if it never was."""
        if lived is not None and lived >= SETTLED:
            self._backoff.reset()
            if code in (SLOW, SILENT, EXPIRED):
                return 0.0
        if code == RESTARTING and lived is not None:
            return self._random() * _RESTART_SPREAD
        return self._backoff.next(retry_after)


def stop_for(code: int | None, reason: str) -> Stopped | None:
    """The exception for a close code that forbids reconnecting; None for every other."""
    if code is None or not 4500 <= code <= 4999:
        return None
    if code == BAD_TOKEN:
        return SignInRequired(reason)
    if code == SIGNED_OUT:
        return SignedOut(reason)
    if code == DISABLED:
        return AccountDisabled(reason)
    if code == DEVICE:
        return DeviceBarred(reason)
    return ProtocolFault(code, reason)


class Tries:
    """The tries of one call. `patience`: seconds after which the last cause is told; None for ever."""

    def __init__(self, clock: Clock, random: Random, patience: float | None) -> None:
        self._clock = clock
        self._backoff = Backoff(random)
        self._ends = None if patience is None else clock.monotonic() + patience

    async def wait(self, cause: Exception) -> None:
        """Wait before the next try. Raises `cause` if repeating cannot help, `Unreachable` if patience has ended."""
        if isinstance(cause, RenrakuError):
            if not cause.retryable:
                raise cause
            delay = self._backoff.next(cause.retry_after)
        elif isinstance(cause, UnexpectedAnswer):
            if cause.status not in _PASSING:
                raise cause
            delay = self._backoff.next(cause.retry_after)
        elif isinstance(cause, (Cut, ConnectionLost)):
            delay = self._backoff.next()
        else:
            raise cause
        if self._ends is not None and self._clock.monotonic() + delay > self._ends:
            if isinstance(cause, (Cut, ConnectionLost)):
                raise Unreachable(str(cause)) from cause
            raise cause
        await self._clock.sleep(delay)
