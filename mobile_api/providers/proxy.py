"""The outgoing proxy: for those sites where only it may speak to the Internet (HTTP CONNECT, RFC 9110, 9.3.6)."""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

_HEAD_BYTES: Final = 8 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


@dataclass(frozen=True, slots=True)
class Proxy:
    """`user`, `password`: empty where it asks for none."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def authorization(self) -> str:
        """The value of `Proxy-Authorization`; empty for none."""
        if not self.user:
            return ""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


def proxy_of(address: str) -> Proxy | None:
    """From the setting `push_proxy`; None for the empty one. Raises `ValueError`, without a word of it: it may hold a
    password."""
    if not address:
        return None
    wrong = ValueError("it must be an address such as http://proxy.city.example:3128")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "http" or not parts.hostname or not port or parts.path not in ("", "/") or parts.query:
        raise wrong
    return Proxy(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


async def tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """A connection through the proxy to `host`, nothing said on it yet. Raises OSError. Its caller bounds the time."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    family, kind, number, _, address = found[0]
    line = socket.socket(family, kind, number)
    try:
        line.setblocking(False)
        await loop.sock_connect(line, address)
        authorization = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
        request = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{authorization}\r\n"
        await loop.sock_sendall(line, request.encode("latin-1"))
        await _opened(loop, line)
    except BaseException:
        line.close()
        raise
    return line


async def _opened(loop: asyncio.AbstractEventLoop, line: socket.socket) -> None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # TLS speaks only when it is spoken to: nothing that belongs to it can follow the head here.
        more = await loop.sock_recv(line, _HEAD_BYTES)
        head += more
        if not more or len(head) > _HEAD_BYTES:
            raise ConnectionError("the proxy closed the connection")
    status = _STATUS.match(head)
    if status is None or not status[1].startswith(b"2"):
        raise ConnectionError(f"the proxy answered {status[1].decode() if status else 'nothing that is HTTP'}")
