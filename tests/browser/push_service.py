"""The browsers' push service beside tests that do not run in an event loop, and what a browser does with it.

Debian's Chromium has none of its own: `SUBSCRIBES` stands in for what it would answer, and what arrives here is handed to the
worker by its debugging protocol (`test_push.Pushes`). Between the two everything is real.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.patience import DEADLINE
from tests.support.push.script import Taken
from tests.support.push.town import Town, town

SUBSCRIBES: Final = """({ endpoint, p256dh, auth }) => {
    let key = null
    const found = () => key && {
        endpoint,
        options: { applicationServerKey: key.buffer },
        toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
        unsubscribe: async () => true,
    }
    PushManager.prototype.getSubscription = async () => found()
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        key = new Uint8Array(applicationServerKey)
        return found()
    }
}"""


class PushService:
    """`settings`: lines of the server's settings file."""

    def __init__(self, found: Town, loop: asyncio.AbstractEventLoop) -> None:
        self._found, self._loop = found, loop
        self.settings = f'push = "direct"\n{found.settings}'

    def script_for(self, token: str) -> str:
        """For the page of the browser that gets the pushes of `token`, before anything else runs in it."""
        return f"({SUBSCRIBES})({json.dumps(self.subscription(token))})"

    def subscription(self, token: str) -> dict[str, str]:
        """What a browser that subscribes gets of it."""
        keys = self._found.web_push.subscribe(token)
        return {"endpoint": self._found.web_push.endpoint(token), "p256dh": keys.p256dh, "auth": keys.auth}

    def came(self, token: str, count: int) -> list[Taken]:
        """All that came for `token`, once it is so many."""

        async def waited() -> list[Taken]:
            book = self._found.web_push.book
            async with asyncio.timeout(DEADLINE):
                while len(mine := [taken for taken in book.got if taken.token == token]) < count:
                    await book.saw(book.requests + 1)
            return mine

        return asyncio.run_coroutine_threadsafe(waited(), self._loop).result(DEADLINE + 5)


@contextmanager
def push_service(folder: Path) -> Iterator[PushService]:
    """In a thread of its own."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    made: list[PushService] = []

    async def serve() -> None:
        async with town(folder) as found:
            made.append(PushService(found, loop))
            ready.set()
            await done.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(DEADLINE)
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(DEADLINE)
