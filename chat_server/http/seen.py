"""What the access log and the metrics may know of a request: nothing that came from the client as text."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

_NAME: Final = "renraku.seen"
NO_ROUTE: Final = "-"


@dataclass(slots=True)
class Seen:
    """`route` is a template of ours, never the path: a path may hold a capability. `actor` is a public id."""

    trace: str = field(default_factory=lambda: secrets.token_hex(8))
    route: str = NO_ROUTE
    actor: str | None = None
    status: int = 0
    started: bool = False


def begin(scope: Scope) -> Seen:
    seen = Seen()
    scope[_NAME] = seen
    return seen


def seen_of(scope: Scope) -> Seen:
    """The record of this request. Raises `KeyError` outside the envelope."""
    seen = scope[_NAME]
    assert isinstance(seen, Seen)
    return seen
