"""A ledger of pushes in a process of its own, whose disk can be made to fail: `python -m … FOLDER`.

It keeps a message a line that it is given, and says what came of it: `kept`, or the error's number. An empty line: look.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chat_server.domain.errors import Problem
from chat_server.fuse import Fuse
from mobile_api.ledger.sqlite import SqliteLedger
from tests.support.push.orders import NOW, handed, order


async def main(folder: Path) -> None:
    ledger = await SqliteLedger.open(folder, Fuse())
    await ledger.belong("now")
    say("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            if number := line.strip():
                await ledger.hand_over(handed(int(number)), [order(1, int(number))], NOW)
                say("kept")
            else:
                say(str((await ledger.waiting())[0]))
        except Problem as problem:
            say(f"refused {problem.fault.code}")
    await ledger.close()


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
