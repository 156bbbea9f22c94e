"""The loop of a worker whose work waits in the database and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from chat_server.ports import Storage, Tx


async def resuming(
    storage: Storage,
    resume: Callable[[Tx], Awaitable[None]],
    work: Callable[[], Awaitable[int]],
    failed: Callable[[], Any],
    poll: float,
) -> None:
    """Until cancelled: `work` as long as it answers that there was some, with a rest of `poll` seconds where there was none.

    Before the first, and again after whatever `work` raised (told by `failed`, in the handler), `resume` takes up what was under
    way: it is nobody's then.
    """
    begun = False
    while True:
        try:
            if not begun:
                await storage.write(resume)
                begun = True
            worked = await work()
        except Exception:
            failed()
            worked, begun = 0, False
        if not worked:
            await asyncio.sleep(poll)
