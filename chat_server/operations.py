"""The operator's calls, over the server's own Unix socket. Whoever can open it owns the data folder already."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import structlog

from chat_server.app import ASGI, App
from chat_server.domain.errors import INTERNAL, NOT_FOUND, TOO_LARGE, Problem
from chat_server.services.operations import OPERATIONS, Deps

_LIMIT: Final = 64 * 1024 * 1024
"""A staff file of 7,000 lines is 2 MB."""
log = structlog.get_logger("renraku.operations")


def deps_of(app: App) -> Deps:
    """What operations need of a running server."""
    return Deps(storage=app.storage, passwords=app.passwords, clock=app.clock, keys=app.keys, pushes=app.ledger)


async def operate(deps: Deps, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """One operation by name. Raises `Problem`: 2007 for a name that is none."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise Problem(NOT_FOUND, field="operation")
    return await operation.run(deps, params)


def operations_app(app: App) -> ASGI:
    """`POST /NAME` with a JSON object; answers JSON, errors as everywhere."""
    deps = deps_of(app)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            params = msgspec.json.decode(await _body(receive), type=dict[str, Any])
            answer, status = await operate(deps, scope["path"].strip("/"), params), 200
        except Problem as problem:
            answer, status = {"error": problem.as_dict()}, problem.fault.status
        except Exception:
            log.exception("operation failed", operation=scope["path"])
            answer, status = {"error": Problem(INTERNAL, trace="see the server's log").as_dict()}, 500
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})

    return serve


async def _body(receive: Any) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _LIMIT:
            raise Problem(TOO_LARGE, limit=_LIMIT)
        if not message.get("more_body", False):
            return b"".join(parts) or b"{}"
