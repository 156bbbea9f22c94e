"""The cutting proxy for tests that do not run in an event loop: it gets a thread and a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE

T = TypeVar("T")


class Line:
    """`with Line(port) as line`: `line.base` is the server at the end of a line that `line.do` can harm."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._proxy: CuttingProxy | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self.proxy.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    @property
    def proxy(self) -> CuttingProxy:
        assert self._proxy is not None
        return self._proxy

    def do(self, harm: Callable[[CuttingProxy], Any]) -> None:
        """`line.do(lambda proxy: proxy.stall())`, in the proxy's own loop. Waits for what is to be awaited."""

        async def run() -> None:
            result = harm(self.proxy)
            if asyncio.iscoroutine(result):
                await asyncio.wait_for(result, DEADLINE)

        self._wait(run())

    async def _open(self) -> None:
        self._proxy = await CuttingProxy("127.0.0.1", self._port).__aenter__()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE + 5)
