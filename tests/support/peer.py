"""A WebSocket peer for black-box tests: says maps, hears maps, over a real socket, with a deadline on everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgpack
import websockets
from websockets.asyncio.client import ClientConnection

from tests.support.patience import DEADLINE

MSGPACK = "renraku.v1.msgpack"
JSON = "renraku.v1.json"
Wire = dict[str, Any]


class Closed(Exception):
    """The server closed; `code` is why."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Peer:
    """One connection. `answer(ref)` sorts answers from events; `heard` keeps what came meanwhile."""

    def __init__(self, connection: ClientConnection, codec: str) -> None:
        self.connection = connection
        self.codec = codec
        self.heard: list[Wire] = []
        self._ref = 0

    @classmethod
    async def open(cls, port: int, *, codec: str = MSGPACK, **options: Any) -> Peer:
        """The handshake, nothing more."""
        connection = await websockets.connect(
            f"ws://127.0.0.1:{port}/ws", subprotocols=[websockets.Subprotocol(codec)], compression=None,
            max_size=None, proxy=None, open_timeout=DEADLINE, **options,
        )  # fmt: skip
        return cls(connection, codec)

    @classmethod
    async def live(cls, port: int, token: str, *, codec: str = MSGPACK, **resume: Any) -> Peer:
        """Authenticated, resumed, own stream caught up; `resume` as in docs/protocol.md."""
        peer = await cls.open(port, codec=codec)
        await peer.ask("auth", token=token)
        resumed = await peer.ask("resume", **resume)
        live, after = resumed["me"]["state"] != "replay", 0
        while not live:
            page = await peer.ask("pull", after=after, limit=500)
            live, after = page["live"], page["events"][-1]["seq"]
        return peer

    async def say(self, wire: Wire) -> None:
        """Raises `Closed`."""
        data = msgpack.packb(wire) if self.codec == MSGPACK else json.dumps(wire)
        with self._closing():
            await self.connection.send(data)

    async def hear(self, deadline: float = DEADLINE) -> Wire:
        """The next map, whatever it is. Raises `Closed`, TimeoutError."""
        with self._closing():
            async with asyncio.timeout(deadline):
                data = await self.connection.recv()
        wire: Wire = msgpack.unpackb(data) if isinstance(data, bytes) else json.loads(data)
        return wire

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """The end of the connection, met while writing or while reading, as `Closed`."""
        try:
            yield
        except websockets.ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else None) from None

    async def send_command(self, op: str, **fields: Any) -> int:
        """Say it and go on; answers the ref."""
        self._ref += 1
        await self.say({"op": op, "ref": self._ref, **fields})
        return self._ref

    async def answer(self, ref: int) -> Wire:
        while True:
            wire = await self.hear()
            if wire.get("ref") == ref:
                return wire
            self.heard.append(wire)

    async def ask(self, op: str, **fields: Any) -> Wire:
        """One command and its answer."""
        return await self.answer(await self.send_command(op, **fields))

    async def until(self, fits: Callable[[Wire], bool], deadline: float = DEADLINE) -> Wire:
        """The first map that fits, of those heard meanwhile and those to come."""
        for wire in self.heard:
            if fits(wire):
                self.heard.remove(wire)
                return wire
        async with asyncio.timeout(deadline):
            while True:
                wire = await self.hear(deadline)
                if fits(wire):
                    return wire
                self.heard.append(wire)

    async def event(self, kind: str) -> Wire:
        """The next room event of this kind."""
        return await self.until(lambda wire: wire["op"] == "event" and wire["kind"] == kind)

    async def nothing_but(self, *kinds: str) -> list[Wire]:
        """Everything up to the answer of a ping: events are in order, so what was to come has come."""
        ref = await self.send_command("ping")
        found, self.heard = self.heard, []
        while (wire := await self.hear()).get("ref") != ref:
            found.append(wire)
        return [wire for wire in found if wire.get("kind") not in kinds]

    async def closed(self, deadline: float = DEADLINE) -> int | None:
        """The close code, once everything on the way has been heard."""
        while True:
            try:
                self.heard.append(await self.hear(deadline))
            except Closed as closed:
                return closed.code

    async def close(self) -> None:
        await self.connection.close()


def text(words: str) -> list[Wire]:
    """Blocks of a plain message."""
    return [{"type": "text", "text": words}]
