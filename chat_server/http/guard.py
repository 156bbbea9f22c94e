"""What is refused before anything looks at it. (The WebSocket's handshake has the same rules from `web_origin`.)"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from chat_server.domain.errors import API_VERSION as API_VERSION_REFUSED
from chat_server.domain.errors import INVALID_BODY, ORIGIN_REFUSED, TOKEN_IN_QUERY, TOO_LARGE, Problem
from chat_server.http.parts import Site
from chat_server.services.devices import API_VERSION, OLDEST_API
from chat_server.web_origin import host_allowed, origin_allowed

HEADERS: Final = 100
HEADER_BYTES: Final = 32 * 1024
ADDRESS_BYTES: Final = 8 * 1024

_SECRET_NAMES: Final = frozenset(
    ("token", "access_token", "refresh_token", "id_token", "authorization", "bearer", "password", "flow", "ticket")
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_UNSAFE: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class Guard:
    """Pure ASGI. Raises `Problem`; the envelope answers."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > HEADERS or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
            raise Problem(TOO_LARGE, "headers", limit=HEADER_BYTES)
        query: bytes = scope["query_string"]
        if len(query) + len(scope.get("raw_path") or b"") > ADDRESS_BYTES:
            raise Problem(TOO_LARGE, "address", limit=ADDRESS_BYTES)
        _check_query(query)
        _check_version(headers)
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1:
            raise Problem(ORIGIN_REFUSED, "Host")
        host = hosts[0].decode("latin-1")
        if not host_allowed(host, self._site.names):
            raise Problem(ORIGIN_REFUSED, "Host")
        if scope["method"] in _UNSAFE:
            origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
            if any(not origin_allowed(origin, host, https=self._site.https) for origin in origins):
                raise Problem(ORIGIN_REFUSED, "Origin")


def _check_version(headers: list[tuple[bytes, bytes]]) -> None:
    """A client may say which API it speaks: one that is too old learns it from every call, and not from what breaks."""
    for name, value in headers:
        if name == b"renraku-api" and not (value.isdigit() and OLDEST_API <= int(value[:9]) <= API_VERSION):
            raise Problem(API_VERSION_REFUSED, "Renraku-Api", version=API_VERSION, oldest=OLDEST_API)


def _check_query(query: bytes) -> None:
    """A secret in an address ends up in histories, proxies' logs and Referer headers (ASVS 14.2.1)."""
    if not query:
        return
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Problem(INVALID_BODY, reason="too many query parameters") from None
    for name, value in pairs:
        if name.lower() in _SECRET_NAMES or _JWT.search(value):
            raise Problem(TOKEN_IN_QUERY)
