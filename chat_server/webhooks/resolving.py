"""Names into addresses, on threads of its own: a resolver that hangs must not take those that others need."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

THREADS: Final = 8

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a name, each once, in the order in which they are to be tried. Raises OSError."""


class Resolver:
    """The machine's own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "webhook-names")

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _resolve, host, port)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except UnicodeError:
        raise OSError("no name") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
