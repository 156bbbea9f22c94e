"""A provider of pushes as a process of its own, which accepts everything: says its port, and runs until it is ended."""

from __future__ import annotations

import asyncio
import sys

from tests.support.push.lines import line_server


async def main() -> None:
    async with line_server(keeps=False) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
