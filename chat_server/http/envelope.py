"""The outermost layer: security headers on every answer, every failure numbered, one line of log for each request."""

from __future__ import annotations

import time
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat_server.domain.errors import INTERNAL, Problem
from chat_server.http.body import ClientGone
from chat_server.http.metrics import Metrics
from chat_server.http.replies import send_problem, with_security_headers
from chat_server.http.seen import Seen, begin

CLIENT_GONE: Final = 499
"""In the log only: nobody was left to get it."""

log: Final[Any] = structlog.get_logger("renraku.http")


class Envelope:
    """Pure ASGI. Whatever is inside may raise `Problem`; anything else it raises is error 9001 with a number to ask by."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, https: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = begin(scope)
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.started = True
                seen.status = message["status"]
                message["headers"] = with_security_headers(list(message.get("headers", ())), https=self._https)
            await send(message)

        try:
            await self._guarded(seen, scope, receive, sending)
        finally:
            self._record(seen, scope["method"], time.perf_counter() - began)

    async def _guarded(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
            return
        except ClientGone:
            seen.status = CLIENT_GONE
            return
        except Problem as caught:
            problem = caught
        except Exception:
            log.exception("internal error", trace=seen.trace, route=seen.route)
            problem = Problem(INTERNAL, trace=seen.trace)
        if not seen.started:
            await send_problem(send, problem)

    def _record(self, seen: Seen, method: str, seconds: float) -> None:
        self._metrics.request(method, seen.route, seen.status, seconds)
        log.info(
            "request",
            method=method,
            route=seen.route,
            status=seen.status,
            ms=round(seconds * 1000, 1),
            actor=seen.actor,
            trace=seen.trace,
        )
