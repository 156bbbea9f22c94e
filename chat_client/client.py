"""`Client`: everything a bot, a test or a command needs, in one object.

    async with Client("https://chat.example.lg.jp", store=FileStore(path)) as client:
        events = client.events()
        await client.start()
        await client.send(room, text="現場に着きました", photos=[Path("before.jpg")])
        async for event in events:
            match event:
                case MessagePosted(message=message): ...
                case Resynced(room=room): ...     # load it anew: client.history(room)

What the network does is the client's business: a call is repeated until it succeeds or is refused for good, unless
`patience` is given; bound it with `asyncio.timeout()`. Load history after `start()`: whatever happens from then on is
delivered by `events()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from chat_client import events as e
from chat_client import tls
from chat_client.api import Api
from chat_client.clock import Clock, ServerTime, SystemClock
from chat_client.draft import Draft, Photo, new_key
from chat_client.errors import AccountDisabled, ClientClosed, ClientError, RenrakuError, SignedOut, Unreachable
from chat_client.http import Http
from chat_client.link import Down, Link, Up
from chat_client.models import Ack, Attachment, Hello, History, Message, Person, Room
from chat_client.outbox import FolderOutbox
from chat_client.parsing import me_event, room_event, transient_event
from chat_client.retry import Cut, Random
from chat_client.sending import Sender
from chat_client.session import Credentials, Session
from chat_client.stream import Delivery, Gone, NewEpoch, Output, Positions, Reset, Tracker
from chat_client.subscription import EventStream
from chat_client.token_store import MemoryStore, TokenStore
from chat_client.transfers import Places, Progress
from chat_client.wire import CODECS, Frame

Given = Path | bytes | Attachment | Photo


class Client:
    """One device of one person at one server. Methods raise RenrakuError (the server refused, for good), `Stopped`
    (the client gave up), Unreachable (`patience` ended)."""

    def __init__(
        self,
        server: str,
        *,
        store: TokenStore | None = None,
        credentials: Credentials | None = None,
        ca_file: Path | None = None,
        codec: Literal["msgpack", "json"] = "msgpack",
        outbox: Path | None = None,
        positions: Positions | None = None,
        patience: float | None = None,
        stall: float = 30.0,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        """`server`: http(s)://host[:port][/path]. `store`: where tokens are kept (default: in memory).
        `credentials`: sign in, and in again, without a person. `ca_file`: believe these authorities alone. `outbox`: a
        folder that keeps messages until they are sent, across restarts. `positions`: go on where `EventStream.positions`
        of an earlier run stopped. `patience`: seconds to keep trying one call, None for ever. `stall`: seconds without
        a byte that an HTTP request survives.

        Raises ValueError (the address), OSError (ca_file, outbox), OutboxInUse, OutboxBroken.
        """
        address = urlsplit(server)
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
            raise ValueError("the server's address must look like https://host or http://host:port")
        if address.username is not None:
            raise ValueError("no name or password in the address: sign in instead")
        self._server = server.rstrip("/")
        self._clock = clock or SystemClock()
        self._random = random or SystemRandom().random
        self._codec = CODECS[codec]
        self._patience = patience
        secure = address.scheme == "https"
        context = tls.context(ca_file) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context = context if secure else None
        self._time = ServerTime(self._clock)
        self._http = Http(self._server, context, self._time, stall)
        self.session = Session(self._server, self._http, store or MemoryStore(), self._time, credentials)
        self.api = Api(self._http, self.session, clock=self._clock, random=self._random, patience=patience)
        self._outbox = FolderOutbox(outbox) if outbox is not None else None
        self._tracker = Tracker(positions)
        self._streams: list[EventStream] = []
        self._hello: Hello | None = None
        self._link: Link | None = None
        self._sender: Sender | None = None
        self._running: asyncio.Task[None] | None = None
        self._end: BaseException | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Life

    async def sign_in(self, organization: str, login: str, password: str, device_name: str = "Renraku Python") -> None:
        """Sign in with a password, tried once; for other steps see `session`. Raises RenrakuError 1001, 1002."""
        try:
            await self.session.sign_in(Credentials(organization, login, password, device_name))
        except Cut as error:
            raise Unreachable(str(error)) from error

    async def start(self) -> None:
        """Connect, and stay connected. Answers once the first connection is live."""
        if self._running is None:
            ws = "ws" + self._server.removeprefix("http") + "/ws"
            self._link = Link(
                ws,
                codec=self._codec,
                context=self._context,
                session=self.session,
                tracker=self._tracker,
                sink=self._take,
                clock=self._clock,
                time=self._time,
                random=self._random,
                patience=self._patience,
            )
            self._sender = Sender(
                self._link,
                self.api,
                self._outbox,
                self._announce,
                clock=self._clock,
                random=self._random,
                patience=self._patience,
            )
            self._running = asyncio.create_task(self._run(self._link), name="renraku-link")
            self._sender.start()
        await self._linked().connection()

    async def close(self) -> None:
        """Disconnect and end every `events()`. The session stays signed in."""
        if self._closed:
            return
        self._closed = True
        if self._sender is not None:
            await self._sender.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self.session.close()
        await self._http.close()
        if self._outbox is not None:
            await self._outbox.close()
        self._finish(None)

    async def sign_out(self) -> None:
        """End this device's session, here and at the server, and close. Tried once: whoever signs out must know."""
        try:
            await self.session.sign_out()
        except Cut as error:
            raise Unreachable(str(error)) from error
        await self.close()

    # What is

    @property
    def hello(self) -> Hello:
        """What the server said on the last connection. Raises ClientClosed before the first one."""
        if self._hello is None:
            raise ClientClosed("not connected yet")
        return self._hello

    @property
    def me(self) -> Person:
        """The person signed in. Raises as `hello`."""
        return self.hello.me

    def events(self) -> EventStream:
        """From now on, everything that happens, across reconnects: per room exactly once and in order. Take it before
        `start()` to miss nothing; every call gives an independent reader."""
        stream = EventStream(lambda: self._tracker.positions, self._streams.remove)
        self._streams.append(stream)
        if self._closed or self._end is not None:
            stream.finish(self._end)
        return stream

    async def rooms(self) -> list[Room]:
        """The room list."""
        return await self.api.rooms()

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int | None = None,
    ) -> History:
        """Messages next to a seq, oldest first; the newest ones if none is given."""
        return await self.api.history(room, before=before, after=after, around=around, limit=limit)

    async def photo(self, attachment: str, rendition: str = "preview") -> bytes:
        """The bytes of a rendition: thumbnail, preview or sanitized. Raises KeyError where there is none to be had."""
        found = (await self.api.addresses([attachment]))[0]
        return await self.api.download(found.paths[rendition])

    # What one does

    async def send(
        self,
        room: str,
        text: str | None = None,
        *,
        photos: Sequence[Given] = (),
        quote: str | None = None,
        forward: str | None = None,
        blocks: Sequence[Mapping[str, Any]] | None = None,
        client_msg_id: str | None = None,
    ) -> Ack:
        """Send a message; answers when it is on the server's disk. `quote` and `forward` are message ids.

        Sent as often as it takes, always with one `client_msg_id`: there will be one message. Await one `send` before
        the next to keep them in order. With an outbox, cancelling this does not call the message back, nor does Unreachable.
        """
        if self._sender is None:
            raise ClientClosed("not started")
        drafted = tuple(Photo.of(photo) for photo in photos)
        draft = Draft(client_msg_id or new_key(), room, text, blocks, drafted, quote, forward)
        return await self._sender.send(draft)

    async def upload_photo(self, photo: Given, name: str | None = None) -> Attachment:
        """Upload now, send later: pass the answer to `send`. Raises OSError where the file cannot be read."""
        return await self.api.upload(Photo.of(photo, name))

    async def upload_file(
        self,
        path: Path,
        *,
        name: str | None = None,
        kind: Literal["file", "photo"] = "file",
        progress: Progress | None = None,
        places: Places | None = None,
    ) -> Attachment:
        """A file of any size, now; name it in a block `files` of `send` (a photo: in `photos`). A line that breaks costs
        what was on it; with `places` another process goes on where this one ended. Raises OSError too."""
        return await self.api.transfers.upload(path, name=name, kind=kind, progress=progress, places=places)

    async def download(self, attachment: str, target: Path | None = None, *, progress: Progress | None = None) -> Path:
        """The file of an attachment into `target`, which must not exist, or under its own name into a folder (None: the
        current one); answers where it is. Raises Refused (not from this network), FileExistsError, OSError."""
        return await self.api.transfers.download(attachment, target, progress=progress)

    async def edit(
        self, message: Message, text: str | None = None, *, blocks: Sequence[Mapping[str, Any]] | None = None
    ) -> Ack:
        """Replace the text and keep the photos, or replace all `blocks`. Raises RenrakuError 4005 where somebody else
        edited it first."""
        if blocks is None:
            others = [dict(block) for block in message.blocks if block.get("type") != "text"]
            blocks = [{"type": "text", "text": text or ""}, *others]
        wanted = [dict(block) for block in blocks]
        lost: list[bool] = []
        try:
            return await self._act(
                "edit", lambda: lost.append(True), message=message.id, version=message.version, blocks=wanted
            )
        except RenrakuError as error:
            if error.code != 4005 or not lost:
                raise
            # The first try may be the one that "edited it first": its answer was lost.
            room, current = await self.api.message(message.id)
            if current.version != message.version + 1 or [dict(block) for block in current.blocks] != wanted:
                raise
            return Ack(room=room, id=message.id, at=current.edited, replay=True)

    async def redact(self, message: str, how: Literal["redacted", "cancelled"] = "redacted") -> Ack:
        """Remove a message's content for everyone; `cancelled` is 送信取消."""
        return await self._act("redact", message=message, how=how)

    async def react(self, message: str, key: str, *, on: bool = True) -> Ack:
        """Add or take back a reaction."""
        return await self._act("react", message=message, key=key, on=on)

    async def pin(self, message: str, *, on: bool = True) -> Ack:
        """Pin a message in its room, or take it down."""
        return await self._act("pin", message=message, on=on)

    async def bookmark(self, message: str, *, on: bool = True) -> Ack:
        """Keep a message in one's own list, or drop it."""
        return await self._act("bookmark", message=message, on=on)

    async def read(self, room: str, upto: int) -> Ack:
        """Move the own read marker to seq `upto`; it never goes back."""
        return await self._act("read", room=room, upto=upto)

    async def involve(self, room: str, involvement: Literal["nothing", "mentions", "everything"]) -> Ack:
        """How much of a room one wants to be told."""
        return await self._act("involve", room=room, involvement=involvement)

    async def look(self, room: str | None) -> None:
        """Say which room is on the screen: its typing and receipts come as events, on later connections too."""
        await self._linked().call_and_keep("look", room=room)

    async def watch(self, users: Sequence[str]) -> dict[str, str]:
        """Presence of up to 200 people: now as the answer, later as events."""
        answer = await self._linked().call_and_keep("watch", users=list(users))
        return {str(user): str(state) for user, state in answer.get("presence", {}).items()}

    async def typing(self, room: str) -> None:
        """Show that one is writing; at most every 4 s. Lost without a word if there is no connection."""
        await self._linked().post("typing", room=room)

    # Inside

    def _linked(self) -> Link:
        if self._link is None:
            raise ClientClosed("not started")
        return self._link

    async def _act(self, op: str, repeated: Any = lambda: None, **fields: Any) -> Ack:
        return Ack.from_wire(await self._linked().call(op, repeated=repeated, **fields))

    async def _run(self, link: Link) -> None:
        try:
            await link.run()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._end = error
            if isinstance(error, SignedOut | AccountDisabled):
                with contextlib.suppress(OSError):
                    await self.session.forget()
            self._finish(error)
            if not isinstance(error, ClientError | RenrakuError):
                raise

    def _finish(self, error: BaseException | None) -> None:
        for stream in self._streams:
            stream.finish(error)

    def _take(self, item: Up | Down | Output | Frame) -> None:
        if isinstance(item, Up):
            self._hello = item.hello
        if self._streams:
            for event in _translated(item):
                self._announce(event)

    def _announce(self, event: e.Event) -> None:
        for stream in self._streams:
            stream.put(event)


def _translated(item: Up | Down | Output | Frame) -> Iterable[e.Event]:
    match item:
        case Delivery(room=None):
            yield me_event(item.seq, item.frame)
        case Delivery(room=str(room)):
            yield room_event(room, item.seq, item.frame)
        case Reset():
            yield e.Resynced(item.room, item.head)
        case Gone():
            yield e.RoomGone(item.room)
        case NewEpoch():
            yield e.EpochChanged(item.epoch, item.before)
        case Up():
            yield e.Connected(item.hello)
        case Down():
            yield e.Disconnected(item.code, item.reason, item.retry_in)
        case {"op": "result", "presence": dict(states)}:
            yield from (e.Presence(str(user), str(state)) for user, state in states.items())
        case dict():
            event = transient_event(item)
            if event is not None:
                yield event
