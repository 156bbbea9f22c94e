"""Commands to use cases: which run in the writer, which read, which stay in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from functools import partial
from typing import Any, Final, Protocol

from chat_server.domain import closing, limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import RESTARTING, ROOM_NOT_FOUND, TOKEN_INVALID, Problem
from chat_server.ports import Clock, Reader, Storage, Tx
from chat_server.realtime.connection import Connection
from chat_server.realtime.ephemeral import Ephemeral
from chat_server.realtime.hub import Hub
from chat_server.realtime.presence import Presence
from chat_server.realtime.resume import CatchingUp
from chat_server.services import changing, messages, reading
from chat_server.services.answers import Ack
from chat_server.services.commands import (
    Bookmark,
    Command,
    Edit,
    Involve,
    Look,
    Pin,
    Ping,
    Pull,
    React,
    Read,
    Redact,
    Renew,
    Resume,
    Send,
    Typing,
    Watch,
)
from chat_server.services.drafts import draft
from chat_server.services.following import own_head
from chat_server.services.people import wire_person

Answer = Callable[[int, dict[str, Any] | BaseException], None]
FEATURES: Final = (
    "photos",
    "files",
    "withdraw",
    "room_files",
    "edit",
    "redact",
    "react",
    "pin",
    "bookmark",
    "receipts",
    "presence",
    "typing",
    "forward",
    "press",
    "confirm",
    "schedule",
    "notes",
    "answer",
    "announce",
)
AT_ONCE: Final = 4
"""Authentications under way in one process, and as many resumes and pages: enough to keep every reading thread busy."""
_LOOK_AGAIN: Final = 0.02
"""Seconds until a client may have taken its page: a transport tells only when its queue is full."""

WRITES: Final[dict[type, Callable[..., Awaitable[Ack]]]] = {
    Redact: changing.redact,
    React: changing.react,
    Pin: changing.pin,
    Bookmark: changing.bookmark,
    Read: reading.read,
    Involve: reading.involve,
}
"""Commands that are one write use case `(tx, actor, command) -> Ack`; `Send` and `Edit` are drafted first."""


class Submitting(Storage, Protocol):
    """A storage that answers by callback, for the way of one message."""

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None: ...


Load = Callable[[Reader], Awaitable[tuple[Actor, int]]]
"""Whoever holds a token, as of that view, and when their session ends (UTC milliseconds).

Raises `Problem` 1004 (signed out), 6009 (disabled, a guest's end)."""
Authenticate = Callable[[str, MutableMapping[str, Any]], Load]
"""Token and ASGI scope to whoever holds it. Raises `Problem` 1004."""


class Dispatcher:
    """Shared by all sockets of the process."""

    def __init__(
        self, storage: Submitting, hub: Hub, clock: Clock, authenticate: Authenticate, body_key: bytes
    ) -> None:
        self.hub = hub
        self.authenticate = authenticate
        self.draining = False
        self.follows = False
        """Other nodes write too: from its `hello` on, nothing in a person's own stream may be missed."""
        self._storage = storage
        self._clock = clock
        self._body_key = body_key
        self.ephemeral = Ephemeral(storage, hub)
        self.presence = Presence(storage, hub)
        self._catching_up = CatchingUp(storage, hub)
        self._tasks: set[asyncio.Task[None]] = set()
        self.door = asyncio.Semaphore(AT_ONCE)
        """Who comes in passes here: thousands at once wait for each other and not everybody else for them."""
        self._gate = asyncio.Semaphore(AT_ONCE)
        """Whatever is read for somebody inside passes here, so that nobody waits at the door for a page."""
        self._writing = 0
        self._settled = asyncio.Event()
        self._sending: dict[str, int] = {}
        """How many sends the writer has of each room (public id)."""
        hub.more_coming = self._sending.__contains__

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the background, strongly referenced until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, connection: Connection) -> None:
        self.presence.forget(connection)
        self.hub.drop(connection)

    def dispatch(self, connection: Connection, command: Command, answer: Answer) -> None:
        """Carry out one command; `answer` is called exactly once, unless the connection ends first."""
        use_case = WRITES.get(type(command))
        if use_case is not None:
            self._write(connection, command, partial(use_case, actor=connection.actor, command=command), answer)
        elif isinstance(command, Send | Edit):
            try:
                use_case = self._drafted(connection.actor, command)
            except Problem as problem:
                answer(command.ref, problem)
            else:
                if isinstance(command, Send):
                    answer = self._counted(command.room, answer)
                self._write(connection, command, use_case, answer)
        elif isinstance(command, Typing):
            self.ephemeral.typing(connection, command.room)
        elif isinstance(command, Ping):
            answer(command.ref, {"op": "result"})
        elif isinstance(command, Look):
            if self.hub.look(connection, command.room):
                answer(command.ref, {"op": "result"})
            else:
                answer(command.ref, Problem(ROOM_NOT_FOUND, field="room"))
        else:
            self.spawn(self._slower(connection, command, answer))

    # Writing

    def _drafted(self, actor: Actor, command: Send | Edit) -> Callable[[Tx], Awaitable[Ack]]:
        """Words are cleaned here, before the writer gets them. Raises `Problem` 4002, 4007, 4010, 2001."""
        if isinstance(command, Send):
            return partial(messages.send, actor=actor, draft=draft(command), body_key=self._body_key)
        return partial(changing.edit, actor=actor, draft=draft(command))

    def _write(
        self, connection: Connection, command: Any, use_case: Callable[[Tx], Awaitable[Ack]], answer: Answer
    ) -> None:
        if self.draining:
            answer(command.ref, Problem(RESTARTING, retry_after=3))
            return
        self._writing += 1

        def done(ack: Ack, error: BaseException | None) -> None:
            self._writing -= 1
            if self.draining and not self._writing:
                self._settled.set()
            answer(command.ref, error if error is not None else wire_ack(ack))

        self._storage.submit(connection.actor.org_id, use_case, done)

    def _counted(self, room: str, answer: Answer) -> Answer:
        """Until it is answered, more is coming to the room."""
        sending = self._sending
        sending[room] = sending.get(room, 0) + 1

        def answered(ref: int, result: dict[str, Any] | BaseException) -> None:
            left = sending[room] - 1
            if left:
                sending[room] = left
            else:
                del sending[room]
            answer(ref, result)

        return answered

    async def drain(self) -> None:
        """Take no further writes; return when all that were accepted are answered."""
        self.draining = True
        if self._writing:
            await self._settled.wait()

    # Reading

    async def _slower(self, connection: Connection, command: Command, answer: Answer) -> None:
        # Its own turn first: who asks for forty pages waits for their own, and holds one place at the gate.
        async with connection.turn:
            if isinstance(command, Pull):
                await self._taken(connection)
            async with self._gate:
                if self.hub.has(connection):
                    await self._read(connection, command, answer)

    async def _taken(self, connection: Connection) -> None:
        """Until the client has taken what it was given before: nobody falls behind by what they asked for."""
        while self.hub.has(connection) and connection.backlog() > limits.PAGE_BYTES:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(_LOOK_AGAIN)

    async def _read(self, connection: Connection, command: Command, answer: Answer) -> None:
        assert not isinstance(command, Typing)
        try:
            if isinstance(command, Pull):
                wire = await self._catching_up.pull(connection, command)
            elif isinstance(command, Resume):
                wire = await self._catching_up.resume(connection, command)
            elif isinstance(command, Renew):
                wire = await self._renew(connection, command)
            else:
                assert isinstance(command, Watch)
                wire = {"op": "result", "presence": await self.presence.watch(connection, command.users)}
        except Exception as error:
            answer(command.ref, error)
        else:
            answer(command.ref, wire)

    async def actor(self, load: Load) -> tuple[Actor, int]:
        """Raises `Problem` 1004, 6009, 8001."""
        return await self._storage.read(load)

    async def greet(self, connection: Connection, load: Load) -> dict[str, Any]:
        """Take the connection in; `hello`. Raises `Problem` 1004, 6009, 8001.

        The person is loaded once more: who was signed out or disabled before the hub knew of this connection was not
        closed by the note that said so.
        """
        self.hub.add(connection)

        async def again(tx: Reader) -> tuple[Actor, int, dict[str, Any], int]:
            actor, expires = await load(tx)
            own = await own_head(tx, actor.user_id) if self.follows else 0
            return actor, expires, await wire_person(tx, actor.user_id), own

        connection.actor, expires, me, own = await self._storage.read(again)
        if self.follows and self.hub.has(connection):
            self.hub.own_heads.setdefault(connection.actor.user_id, own)
        connection.expires = min(connection.expires, expires)
        return {
            "op": "hello",
            "protocol": 1,
            "epoch": self.hub.epoch,
            "features": FEATURES,
            "time": self._clock.now(),
            "expires": connection.expires,
            "zone": connection.actor.zone,
            "device": connection.actor.device,
            "me": me,
            "limits": {
                "frame_bytes": limits.FRAME_BYTES,
                "depth": limits.FRAME_DEPTH,
                "text_chars": limits.TEXT_CHARS,
                "photos": limits.PHOTOS,
                "files": limits.FILES,
                "unanswered": limits.UNANSWERED,
                "photo_bytes": limits.PHOTO_BYTES,
                "file_bytes": limits.FILE_BYTES,
            },
        }

    async def _renew(self, connection: Connection, command: Renew) -> dict[str, Any]:
        """A newer token for the same person on the same device, nobody else's. Raises `Problem` 1004, 6009."""
        scope = {"renraku.zone": connection.actor.zone, "renraku.address": connection.actor.address}
        before = connection.expires
        actor, expires = await self.actor(self.authenticate(command.token, scope))
        if (actor.user_id, actor.device_id) != (connection.actor.user_id, connection.actor.device_id):
            raise Problem(TOKEN_INVALID, field="token")
        if connection.expires < before:
            expires = min(expires, connection.expires)  # brought forward meanwhile, and perhaps not in what was read
        if actor.memo_pad != connection.actor.memo_pad:
            # What it is subscribed to was another zone's: resuming sorts it out.
            connection.close(closing.EXPIRED)
        connection.actor = actor
        connection.expires = expires
        return {"op": "result", "expires": expires}


def wire_ack(ack: Ack) -> dict[str, Any]:
    """`ack` without what does not apply."""
    wire: dict[str, Any] = {"op": "ack"}
    for name in ("room", "id", "seq", "at", "upto"):
        value = getattr(ack, name)
        if value is not None:
            wire[name] = value
    if ack.replay:
        wire["replay"] = True
    return wire
