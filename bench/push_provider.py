"""A provider of pushes as a process of its own, which accepts everything: says its port, and runs until it is ended.

`python -m bench.push_provider` is a plain socket; `… apns FOLDER` is the tests' Apple, whose key and certificate go into the folder.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.push.apns import fake_apns
from tests.support.push.lines import line_server

KEY = "key.p8"


async def main(arguments: list[str]) -> None:
    if arguments:
        folder = Path(arguments[1])
        async with fake_apns(Authority(folder).server("localhost")) as apple:
            (folder / KEY).write_text(apple.key)
            await _until_ended(apple.port)
    else:
        async with line_server(keeps=False) as server:
            await _until_ended(server.port)


async def _until_ended(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
