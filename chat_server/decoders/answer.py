"""What a decoder process may answer, as the server checks it.

The process parsed a stranger's bytes and may be the stranger's by now: an answer outside of these shapes and ranges is
a reason to end the process, never a value to use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, Final, TypeVar

import msgspec


class Ready(msgspec.Struct, tag="ready", forbid_unknown_fields=True, frozen=True):
    """The first answer: libraries loaded, confined by these means."""

    confined: Annotated[list[Annotated[str, msgspec.Meta(max_length=32)]], msgspec.Meta(max_length=8)]


class Refusal(msgspec.Struct, tag="refused", forbid_unknown_fields=True, frozen=True):
    """The bytes are at fault."""

    reason: Annotated[str, msgspec.Meta(max_length=32)]


class DiskFull(msgspec.Struct, tag="disk_full", forbid_unknown_fields=True, frozen=True):
    """No room for a rendition."""


class Failed(msgspec.Struct, tag="failed", forbid_unknown_fields=True, frozen=True):
    """The decoder itself is at fault."""

    why: Annotated[str, msgspec.Meta(max_length=600)]


class Died(msgspec.Struct, tag="died", forbid_unknown_fields=True, frozen=True):
    """The child that did the work is gone without an answer."""

    signal: Annotated[int, msgspec.Meta(ge=1, le=64)] | None


Failure = Refusal | DiskFull | Failed | Died
D = TypeVar("D", bound=msgspec.Struct)
Parse = Callable[[bytes], D | Failure]
"""Raises msgspec.MsgspecError (a ValueError) on anything else."""


def parser(done: type[D], reasons: Collection[str]) -> Parse[D]:
    """For the answers to one kind of task: `done`, a refusal for one of `reasons`, or a failure."""
    # the argument is a union that mypy cannot know: msgspec takes any type
    shapes: Any = done | Refusal | DiskFull | Failed | Died
    decoder: msgspec.json.Decoder[D | Failure] = msgspec.json.Decoder(shapes)

    def parse(datagram: bytes) -> D | Failure:
        answer = decoder.decode(datagram)
        if isinstance(answer, Refusal) and answer.reason not in reasons:
            raise msgspec.ValidationError(f"refused because of {answer.reason!r}")
        return answer

    return parse


parse_ready: Final[Parse[Ready]] = parser(Ready, ())
"""For the first answer of a process."""
