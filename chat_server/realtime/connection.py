"""One live socket, as the hub sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.events import Ranges
from chat_server.realtime.codec import Codec


class Connection:
    """What fan-out needs of a socket, and nothing more: thousands of these idle in memory.

    `write(frames)` takes whole WebSocket frames and never waits; past its bound the socket is evicted by whoever owns
    it. `backlog()` is how many bytes it has not taken yet. `close(code)` may be called at any time, also twice. All run
    on the event loop.
    """

    __slots__ = (
        "actor", "backlog", "changes", "close", "codec", "expires", "looking", "own_head", "own_live", "rooms", "turn", "typed", "waiting", "watching", "write",
    )  # fmt: skip

    def __init__(
        self,
        codec: Codec,
        write: Callable[[bytes], None],
        close: Callable[[int], None],
        actor: Actor,
        expires: int,
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        self.codec = codec
        self.write = write
        self.close = close
        self.actor = actor
        self.expires = expires
        self.backlog = backlog
        self.turn = asyncio.Lock()
        """One thing at a time is read for a connection; what else it asked for waits in order."""
        self.own_live = False
        self.own_head = 0
        """The last event of the own stream that went by while the client was still catching up."""
        self.changes = 0
        """Rises with each membership gained or lost: what was read before it is out of date."""
        self.rooms: set[int] = set()
        self.waiting: dict[int, tuple[str, Ranges]] | None = None
        """Rooms joined while the client was catching up with its own stream: live as soon as it has heard of them."""
        self.looking = 0
        """The room on the screen (integer key), 0 for none."""
        self.typed: dict[int, float] = {}
        """When it was last told, by room, that somebody types here."""
        self.watching: frozenset[str] = frozenset()


def tell(connections: Iterable[Connection], wire: dict[str, Any]) -> None:
    """One map to several, encoded once per codec."""
    frames: dict[int, bytes] = {}
    # A copy: a write past a socket's bound evicts it, which changes the set that it is in.
    for connection in list(connections):
        index = connection.codec.index
        if index not in frames:
            frames[index] = connection.codec.frame(wire)
        connection.write(frames[index])
