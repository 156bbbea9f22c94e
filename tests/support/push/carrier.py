"""A server whose pushes go to a `LineServer`, as a process of its own, to be killed: `python -m … FOLDER PORT`.

It says once in a while how it is: a line of JSON with what waits and the memory that it holds, in bytes.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from chat_server.app import App
from chat_server.config import Settings
from chat_server.services import backlog
from tests.support.push.lines import LineProvider


async def main(folder: str, port: int) -> None:
    app = await App.open(Settings(data=folder), providers={"fcm": LineProvider("fcm", port)}, push_again=0.1)
    while True:
        waiting = await backlog.waiting(app.storage, app.index, app.ledger)
        left = sum(waiting[what].number for what in ("outbox", "push"))
        sys.stdout.write(json.dumps({"left": left, "memory": _memory()}) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(0.1)


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
