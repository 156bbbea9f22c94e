"""A client as docs/protocol.md tells one to be, in the fewest lines, over a socket made of two lists."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol

from chat_server.domain.actors import Actor
from chat_server.ports import Storage
from chat_server.realtime.codec import JSON, MSGPACK, payloads
from chat_server.realtime.dispatch import Dispatcher
from chat_server.realtime.endpoint import Socket
from chat_server.services import history
from tests.support.patience import DEADLINE

Wire = dict[str, Any]


class Server(Protocol):
    """What a client reaches: an `App`, or one node of several."""

    @property
    def storage(self) -> Storage: ...

    @property
    def dispatcher(self) -> Dispatcher: ...


class Room:
    """What the client holds of a room: messages by id (None: redacted), reactions as (message, key, user)."""

    def __init__(self) -> None:
        self.last = 0
        self.messages: dict[str, tuple[int, str] | None] = {}
        self.reactions: set[tuple[str, str, str]] = set()

    def take_message(self, message: Wire) -> None:
        if "redacted" in message:
            self.messages[message["id"]] = None
            self.forget_reactions(message["id"])
            return
        self.messages[message["id"]] = (message["version"], message["text"])
        self.forget_reactions(message["id"])
        for reaction in message.get("reactions", ()):
            self.reactions |= {(message["id"], reaction["key"], user) for user in reaction["users"]}

    def forget_reactions(self, message: str) -> None:
        self.reactions = {reaction for reaction in self.reactions if reaction[0] != message}

    def apply(self, event: Wire) -> None:
        kind = event["kind"]
        if "target" in event:
            # What refers to a message that this client may not see must have come as a stub (CVE-2022-31017).
            assert event.get("id", event.get("message", {}).get("id")) in self.messages, event
        if kind in ("message", "edit"):
            self.take_message(event["message"])
        elif kind == "redaction":
            self.messages[event["id"]] = None
            self.forget_reactions(event["id"])
        elif kind == "reaction" and self.messages[event["id"]] is not None:
            entry = (event["id"], event["key"], event["user"])
            (self.reactions.add if event["on"] else self.reactions.discard)(entry)

    def state(self) -> tuple[Any, Any]:
        return self.messages, self.reactions


class ModelledClient:
    """One person's client. Frames wait in `line` until `hear`; `cut` loses what still waits there."""

    def __init__(self, app: Server, actor: Actor, *, json: bool) -> None:
        self.app = app
        self.actor = actor
        self.codec = JSON if json else MSGPACK
        self.epoch: str | None = None
        self.me = 0
        self.rooms: dict[str, Room] = {}
        self.lost: set[str] = set()
        self.line: deque[Wire] = deque()
        self.answers: dict[int, Wire] = {}
        self.ref = 0
        self.socket: Socket | None = None
        self.connected = False
        self.arrived = asyncio.Event()
        self.holes = 0
        """how often something was missing between two events that came live"""

    # The line

    def _write(self, frames: bytes) -> None:
        for _, payload in payloads(frames):
            wire = self.codec.decode_any(payload)
            if "ref" in wire and wire["op"] != "event":
                self.answers[wire["ref"]] = wire
            else:
                self.line.append(wire)
        self.arrived.set()

    def _shut(self, code: int) -> None:
        self.connected = False

    async def ask(self, op: str, **fields: Any) -> Wire:
        """One command and its answer."""
        assert self.socket is not None
        self.ref += 1
        ref = self.ref
        self.socket.receive(self.codec.encode({"op": op, "ref": ref, **fields}))
        async with asyncio.timeout(DEADLINE):
            while ref not in self.answers:
                self.arrived.clear()
                await self.arrived.wait()
        return self.answers.pop(ref)

    async def connect(self) -> None:
        scope = {"renraku.zone": "lgwan", "renraku.address": ""}
        self.socket = Socket(self.app.dispatcher, self.codec, scope, self._write, self._shut)
        self.connected = True
        hello = await self.ask("auth", token=self.actor.id)
        assert hello["op"] == "hello", hello
        positions = {room: held.last for room, held in self.rooms.items()}
        resumed = await self.ask("resume", epoch=self.epoch, me=self.me, rooms=positions)
        self.epoch = resumed["epoch"]
        self.lost -= {room for room, found in resumed["rooms"].items() if found["state"] != "gone"}
        for room, found in resumed["rooms"].items():
            if found["state"] == "gone":
                self.rooms.pop(room, None)
            elif found["state"] == "replay":
                await self._replay(room)
            elif found["state"] == "resync" or room not in self.rooms:
                await self.load(room)
        if resumed["me"]["state"] == "replay":
            await self._replay(None)
        elif resumed["me"]["state"] == "resync":
            self.me = resumed["me"]["head"]

    async def _replay(self, room: str | None) -> None:
        """Pull until live. A room may be lost while one pulls it."""
        while True:
            after = self.rooms[room].last if room else self.me
            page = await self.ask("pull", room=room, after=after, limit=3)
            if page["op"] == "error":
                assert page["name"] == "room_not_found", page
                self.rooms.pop(room or "", None)
                return
            for event in page["events"]:
                await self._event(event)
            if page["live"]:
                return

    def cut(self) -> None:
        """The line breaks: what was on its way is gone."""
        if self.socket is not None:
            self.socket.gone()
        self.socket = None
        self.connected = False
        self.line.clear()

    # Events

    async def hear(self, frames: int) -> None:
        """Take up to `frames` of what arrived."""
        while frames and self.line:
            frames -= 1
            wire = self.line.popleft()
            if wire["op"] in ("event", "me"):
                await self._event(wire)

    async def _event(self, wire: Wire) -> None:
        room = None if wire["op"] == "me" else wire["room"]
        if room is not None and room not in self.rooms:
            # Delivery stops with the removal; between gaining a room and losing it again, events may pass by.
            assert room not in self.lost, wire
            return
        last = self.rooms[room].last if room else self.me
        if wire["seq"] <= last:
            return
        if wire["seq"] > last + 1:
            self.holes += 1
            await self._replay(room)
            await self._event(wire)
            return
        if room is None:
            self.me = wire["seq"]
            await self._own(wire)
        else:
            self.rooms[room].last = wire["seq"]
            if wire["kind"] != "stub":
                self.rooms[room].apply(wire)

    async def _own(self, wire: Wire) -> None:
        if wire["kind"] == "room_gained":
            self.lost.discard(wire["room"])
            await self.load(wire["room"])
        elif wire["kind"] == "room_lost":
            self.lost.add(wire["room"])
            self.rooms.pop(wire["room"], None)

    # Reading afresh (HTTP's use case)

    async def fresh(self, room: str) -> Room | None:
        """The room as the server has it now; None if there is no such room for this person."""
        try:
            page = await self.app.storage.read(
                lambda tx: history.page(tx, self.actor, room, before=None, after=None, around=None, limit=10_000)
            )
        except Exception:
            return None
        found = Room()
        found.last = page["head"]
        for message in page["messages"]:
            found.take_message(message)
        return found

    async def load(self, room: str) -> None:
        """Begin with the room as it is now."""
        found = await self.fresh(room)
        if found is not None:
            self.rooms[room] = found
