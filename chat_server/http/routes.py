"""Every route of the HTTP door, in one list, and the layers around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from chat_server.domain.errors import METHOD_NOT_ALLOWED, Problem
from chat_server.http import (
    announcements,
    approvals,
    attachments,
    audit,
    bots,
    confirmations,
    directory,
    flattening,
    hooks,
    link_overview,
    me,
    members,
    messages,
    note_exports,
    notes,
    notifications,
    organization,
    overview,
    people,
    pressing,
    reports,
    room_bots,
    rooms,
    scheduled,
    search,
    sharing,
    sign_in,
    staff,
    takeouts,
    upload_links,
    uploads,
    visit_files,
    visits,
)
from chat_server.http.calls import AnyCall
from chat_server.http.endpoint import Endpoint
from chat_server.http.envelope import Envelope
from chat_server.http.guard import Guard
from chat_server.http.health import Health
from chat_server.http.metrics import Metrics
from chat_server.http.openapi import document
from chat_server.http.pages import Pages
from chat_server.http.parts import Parts
from chat_server.http.replies import JSON, encode, send_bytes, send_problem
from chat_server.http.seen import seen_of

MODULES: Final = (
    sign_in,
    me,
    notifications,
    organization,
    overview,
    link_overview,
    approvals,
    directory,
    people,
    staff,
    rooms,
    members,
    sharing,
    messages,
    pressing,
    room_bots,
    announcements,
    confirmations,
    scheduled,
    notes,
    note_exports,
    bots,
    hooks,
    attachments,
    reports,
    flattening,
    takeouts,
    uploads,
    upload_links,
    visits,
    visit_files,
    search,
    audit,
)

CALLS: Final[tuple[AnyCall, ...]] = tuple(call for module in MODULES for call in module.CALLS)

DOCUMENT: Final = "/api/openapi.json"


class _Plain:
    """An ASGI function that only reads, as a route's endpoint: Starlette takes functions for something else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_problem(send, Problem(METHOD_NOT_ALLOWED), [(b"allow", b"GET, HEAD")])
            return
        await self._app(scope, receive, send)


def build_http(parts: Parts, more: Sequence[AnyCall] = ()) -> ASGIApp:
    """The ASGI application for every HTTP request. The listener has put its zone into the scope. `more`: calls of rooms of
    the house that this one does not know."""
    calls = (*CALLS, *more)
    health = Health(parts)
    routes = [
        Route("/healthz", _Plain(health.alive), methods=None),
        Route("/readyz", _Plain(health.ready), methods=None),
        Route("/metrics", _Plain(health.metrics), methods=None),
        Route(DOCUMENT, _Plain(_document(parts, calls)), methods=None),
        *(Route(those[0].path, Endpoint(parts, those), methods=None) for those in _by_path(calls)),
    ]
    router = Router(routes, redirect_slashes=False, default=Pages(parts.web))
    return Envelope(Guard(router, parts.site), Metrics(parts.registry), https=parts.site.https)


def _by_path(calls: Sequence[AnyCall]) -> list[list[AnyCall]]:
    """The calls of each path; `/api/rooms/open` comes before `/api/rooms/{room}`."""
    paths: dict[str, list[AnyCall]] = {}
    for call in calls:
        paths.setdefault(call.path, []).append(call)
    return [paths[path] for path in sorted(paths, key=lambda path: path.replace("{", "\x7f"))]


def _document(parts: Parts, calls: Sequence[AnyCall]) -> ASGIApp:
    body = encode(document(calls, parts.version))

    async def send_document(scope: Scope, receive: Receive, send: Send) -> None:
        seen_of(scope).route = DOCUMENT
        await send_bytes(send, 200, body, JSON)

    return send_document
