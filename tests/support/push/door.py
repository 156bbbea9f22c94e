"""Where a fake listens. It can be shut, with all connections cut and new ones refused, and opens at the same port again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Door:
    """`listen`: at a port, 0 for any. `cut`: ends all connections at once."""

    def __init__(self, listen: Callable[[int], Awaitable[asyncio.Server]], cut: Callable[[], None]) -> None:
        self._listen, self._cut = listen, cut
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, port: int = 0) -> None:
        self._server = await self._listen(port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            self._cut()
            await server.wait_closed()
