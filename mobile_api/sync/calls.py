"""`POST /api/sync`: in MessagePack, or in JSON for whoever asks for it; compressed where the client can take it.

Compressing what holds both secrets and strangers' words is safe here: an attacker who could measure the answers (BREACH)
would have to make the device ask, and a request without the access token in its header gets nothing.
"""

from __future__ import annotations

import re
import zlib
from typing import Annotated, Any, Final

import msgspec

from chat_server.http.body import header
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.replies import JSON, Encoded, encode
from chat_server.http.shapes import Time
from chat_server.services.blocks import Id
from mobile_api.sync.gathering import Held, gather

MSGPACK: Final = b"application/msgpack"
_LEVEL: Final = 9
_GZIP: Final = 31
"""zlib's number for its largest window in gzip's clothes."""
_TAKES_GZIP: Final = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)")

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Positions(msgspec.Struct, frozen=True):
    """What the client holds, as in the command `resume`; a new one holds nothing. `low`: no events and no pictures, short
    texts: for a line that costs."""

    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    me: Seq = 0
    rooms: Annotated[dict[Id, Seq], msgspec.Meta(max_length=2000)] = {}
    low: bool = False


class Own(msgspec.Struct, frozen=True, omit_defaults=True):
    """The own stream. `upto`: the position to hold after `events` (in which what a later one says anew is left out).
    `state`: live, or resync: load what is one's own anew."""

    head: int
    state: str
    upto: int | None = None
    events: list[dict[str, Any]] = []


class LastMessage(msgspec.Struct, frozen=True):
    at: Time | None
    author: str | None
    text: str


class ChangedRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """`state`: live (it holds everything after `events`), replay (there is more: pull after `upto`, or after what is held),
    resync, new (it was not named), gone. `events`: as over the WebSocket, without `op` and `room`, and without stubs;
    `upto`: the position to hold after them."""

    state: str
    head: int | None = None
    upto: int | None = None
    events: list[dict[str, Any]] | None = None
    last: LastMessage | None = None
    name: str | None = None
    kind: str | None = None
    unread: int | None = None
    read: int | None = None
    mentioned: bool | None = None


class Sync(msgspec.Struct, frozen=True):
    """`badge`: the number on the icon. `rooms`: those that changed. `thumbnails`: addresses by attachment."""

    epoch: str | None
    time: Time
    badge: int
    me: Own
    rooms: dict[str, ChangedRoom]
    thumbnails: dict[str, str]


async def sync(ctx: Ctx[Positions, Nothing]) -> Any:
    body, parts = ctx.body, ctx.parts
    held = Held(body.epoch, body.me, body.rooms, body.low)
    found = await ctx.read(lambda reader: gather(reader, ctx.actor, held, parts.keys, parts.trust))
    accepted = header(ctx.scope, b"accept") or ""
    plain = "application/json" in accepted and "application/msgpack" not in accepted
    data, media_type = (encode(found), JSON) if plain else (packed(found), MSGPACK)
    headers = [(b"vary", b"Accept, Accept-Encoding")]
    if _TAKES_GZIP.search((header(ctx.scope, b"accept-encoding") or "").lower()):
        data = zipped(data)
        headers.append((b"content-encoding", b"gzip"))
    return Encoded(media_type, data, headers)


packed: Final = msgspec.msgpack.Encoder().encode


def zipped(data: bytes) -> bytes:
    """As gzip, as small as it gets: some kilobytes take less than a millisecond."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/sync",
        "What changed, in one small answer",
        sync,
        body=Positions,
        answer=Sync,
        changes=False,
        example=Positions("k3v", 812, {"06ed0000000000000000000001": 4711}),
        note="MessagePack, unless `Accept` asks for JSON; gzip where `Accept-Encoding` takes it. docs/mobile.md tells how "
        "a client goes on from here over the WebSocket, and back.",
    ),
)
