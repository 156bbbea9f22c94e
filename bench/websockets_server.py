"""What one would write first: the `websockets` library's server and its `broadcast`, on uvloop, without compression.

No storage, no sign-in, no membership. `python -m bench.websockets_server` prints its port.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

rooms: dict[str, set[ServerConnection]] = collections.defaultdict(set)


async def member(connection: ServerConnection) -> None:
    """One connection: into the room that its path names, and every message to everybody there."""
    assert connection.request is not None
    room = rooms[connection.request.path]
    room.add(connection)
    try:
        with contextlib.suppress(ConnectionClosedError):  # the generator ends without a close frame
            async for message in connection:
                broadcast(room, message)
    finally:
        room.discard(connection)


async def main() -> None:
    async with serve(member, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
