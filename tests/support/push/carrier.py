"""A server with the real providers, as a process of its own, to be killed: `python -m … SETTINGS AUTHOR`, files of JSON.

It says once in a while how it is: a line of JSON with what waits, the memory that it holds, in bytes, how often it was put
off, by platform, and how much it posted. For each line that it is given, the author calls everybody in that room.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain.actors import Actor
from chat_server.services import backlog
from mobile_api.providers.port import PLATFORMS
from tests.support.push.crowd import Crowd
from tests.support.push.phones import Phone

FIRST = 1_000_000
"""More than were posted before it."""


@dataclass
class Done:
    """Messages that were posted here, committed."""

    number: int = 0


async def main(settings: Settings, author: Actor) -> None:
    app = await App.open(settings, push_again=0.1)
    done = Done()
    posting = asyncio.create_task(_post(Crowd(app, author, {}, Phone(""), FIRST), done))
    while not posting.done():
        posted = done.number  # before it looks at what waits
        waiting = await backlog.waiting(app.storage, app.index, app.ledger)
        left = sum(waiting[what].number for what in ("outbox", "push"))
        later = {platform: _later(app, platform) for platform in PLATFORMS}
        said = {"left": left, "memory": _memory(), "later": later, "posted": posted}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(0.1)
    await posting


async def _post(crowd: Crowd, done: Done) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        await crowd.post(line.strip())
        done.number += 1


def _later(app: App, platform: str) -> int:
    labels = {"platform": platform, "outcome": "later"}
    return int(app.parts.registry.get_sample_value("renraku_push_tries_total", labels) or 0)


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    given = [Path(name).read_bytes() for name in sys.argv[1:]]
    asyncio.run(main(msgspec.json.decode(given[0], type=Settings), msgspec.json.decode(given[1], type=Actor)))
