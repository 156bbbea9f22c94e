"""The secrets that people outside hold, in the header alone: an address with one would stand in histories and logs."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.types import Scope

from chat_server.domain.errors import LINK_GONE, VISIT_OVER, Problem
from chat_server.http.calls import Ctx
from chat_server.services.handed_files import Holder

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""`ids.new_secret`: nothing else reaches a query."""


def link_token(ctx: Ctx[Any, Any]) -> str:
    """`Authorization: Link …`. Raises `Problem` 7101, as for a link that is good for nothing."""
    token = _held(ctx.scope, "link")
    if token is None:
        raise Problem(LINK_GONE)
    return token


def holder(ctx: Ctx[Any, Any]) -> Holder:
    """`Authorization: Visit …`. Raises `Problem` 7102, as for a visit that is over."""
    token = _held(ctx.scope, "visit")
    if token is None:
        raise Problem(VISIT_OVER)
    return Holder(token, ctx.zone, ctx.address)


def _held(scope: Scope, scheme: str) -> str | None:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return None
    found, _, token = values[0].partition(" ")
    return token.strip() if found.lower() == scheme and _SECRET.fullmatch(token.strip()) else None
