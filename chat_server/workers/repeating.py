"""The way of workers that look every so often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("renraku.workers")


async def repeat(step: Callable[[], Awaitable[int]], poll: float, what: str) -> None:
    """Until cancelled: again at once while there was something to do, else after `poll` seconds. A failure is logged (`what`
    failed) and tried again."""
    while True:
        try:
            worked = await step()
        except Exception:
            log.exception("a worker failed", what=what)
            worked = 0
        if not worked:
            await asyncio.sleep(poll)
