"""What changed since a client's positions, in one view of the database, as much as a phone should load at once.

The positions are those of `resume` (docs/protocol.md, section 3), and so are the events: what is given here is what a page
would hold, but for stubs and for what was done to messages that are given themselves, because `upto` says how far it goes. So a client may go on by the WebSocket from here, and by
sync from there, without a hole and without anything twice.

Not everything has to fit. Rooms come by their last message; once the events of those before have filled `BYTES`, the others
come with their last message alone, and the client's position in them stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.zones import THUMBNAIL
from chat_server.ports import Reader
from chat_server.services import files, following, pages, streams
from chat_server.services.access import is_away
from chat_server.services.files import Trust
from chat_server.services.keys import Keys
from chat_server.services.streams import GONE, LIVE, REPLAY, RESYNC
from chat_server.services.wire import STUB
from chat_server.storage.queries import room_list
from chat_server.storage.queries.room_list import Listed

Wire = dict[str, Any]

BYTES: Final = 10 * 1024
"""Of events, as MessagePack, before they are compressed."""
EVENTS: Final = 50
"""Of one room."""
OWN_EVENTS: Final = 200
PREVIEWS: Final = 40
"""Rooms that come with their last message, besides those that come with events."""
THUMBNAILS: Final = 20
_TEXT, _LOW_TEXT = 120, 60
NEW: Final = "new"
_LAST_ALONE: Final = frozenset(("devices", "directory", "profile"))
"""Own events of which the last says all."""
_size = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Held:
    """What the client holds: as in `resume`. `low`: as little as possible."""

    epoch: str | None
    me: int
    rooms: Mapping[str, int]
    low: bool = False


@dataclass(slots=True)
class _Budget:
    """What may still be given."""

    bytes: int = BYTES
    previews: int = PREVIEWS
    photos: list[str] = field(default_factory=list)


async def gather(reader: Reader, actor: Actor, held: Held, keys: Keys, trust: Trust) -> Wire:
    """`{epoch, time, badge, me, rooms, thumbnails}` of docs/mobile.md."""
    epoch = await following.epoch(reader)
    resumption = await streams.plan(reader, actor, held.me, dict(held.rooms), same_epoch=held.epoch in (None, epoch))
    listed = await _listed(reader, actor)
    budget = _Budget()
    me, touched = await _own(reader, actor, held, *resumption.me)
    states = {head.room: state for head, state, _ in resumption.rooms}
    rooms: dict[str, Wire] = {room: {"state": GONE} for room in held.rooms if room not in states}
    for room in listed:
        entry = await _room(reader, actor, room, states[room.room], held, budget)
        if entry is None and room.room in touched:
            entry = {"state": LIVE, "head": room.head}
        if entry is not None:
            rooms[room.room] = entry | _counts(room)
    return {
        "epoch": epoch,
        "time": reader.now,
        "badge": badge_of(listed),
        "me": me,
        "rooms": rooms,
        "thumbnails": await _thumbnails(reader, actor, budget.photos, keys, trust),
    }


async def _listed(reader: Reader, actor: Actor) -> list[Listed]:
    rooms = await room_list.of_person(reader, actor.user_id, limits.UNREAD_CAP)
    return [room for room in rooms if not is_away(actor, room.kind)]


async def badge(reader: Reader, actor: Actor) -> int:
    """`badge_of` the rooms that the actor has here."""
    return badge_of(await _listed(reader, actor))


def badge_of(listed: Iterable[Listed]) -> int:
    """The number on the icon: unread messages of rooms that one hears everything of, and one for each room that one is
    mentioned in, where one wants no more."""
    number = 0
    for room in listed:
        if room.involvement == "everything":
            number += room.unread
        elif room.involvement == "mentions" and room.mentioned:
            number += 1
    return number


async def _own(reader: Reader, actor: Actor, held: Held, head: int, state: str) -> tuple[Wire, set[str]]:
    """The own stream, and the rooms whose counts it changed."""
    if state != REPLAY or head - held.me > OWN_EVENTS:
        return {"head": head, "state": LIVE if state == LIVE else RESYNC}, set()
    page = await pages.own_page(reader, actor, held.me, OWN_EVENTS)
    last: dict[tuple[str, str], Wire] = {}
    for number, event in enumerate(page.events):
        kind = event["kind"]
        # What a later one says anew: a position, or that something is to be loaded anew.
        key = event["room"] if kind == "read" else "" if kind in _LAST_ALONE else str(number)
        last.pop((kind, key), None)
        last[kind, key] = {name: value for name, value in event.items() if name != "op"}
    events = list(last.values())
    touched = {event["room"] for event in events if event["kind"] in ("read", "involvement")}
    return {"head": page.head, "upto": page.head, "state": LIVE, "events": events}, touched


async def _room(reader: Reader, actor: Actor, room: Listed, state: str, held: Held, budget: _Budget) -> Wire | None:
    """None where the client has everything."""
    named = room.room in held.rooms
    if named and state == LIVE:
        return None
    if not named:
        return {"state": NEW, "head": room.head, "name": room.other or room.name, "kind": room.kind} | _last(
            room, held.low, budget
        )
    entry: Wire = {"state": state, "head": room.head}
    if state == REPLAY and not room.unread and (room.last_seq or 0) <= held.rooms[room.room]:
        return entry  # nothing was said: reactions and the like can wait until somebody looks
    if state == REPLAY and not held.low and budget.bytes > 0:
        page = await pages.room_page(reader, actor, room.room, held.rooms[room.room], EVENTS)
        events, upto = _fitting(page.events, page.last, budget)
        if upto is not None:
            budget.photos += _photos(events)
            entry |= {"upto": upto, "events": events}
            return entry | {"state": LIVE} if upto >= page.head else entry | _last(room, held.low, budget)
    return entry | _last(room, held.low, budget)


def _fitting(events: Sequence[Wire], last: int, budget: _Budget) -> tuple[list[Wire], int | None]:
    """The first of them that fit, but for those that say nothing, and the seq up to which they say everything; None if nothing fits."""
    given: list[Wire] = []
    upto: int | None = None
    whole: set[int] = set()
    for event in events:
        if event["kind"] == "message":
            whole.add(event["seq"])
        # A message is given as it is now: what was done to it since says nothing more.
        if event["kind"] != STUB and event.get("target") not in whole:
            slim = _slim(event)
            size = len(_size(slim))
            if size > budget.bytes:
                budget.bytes = 0  # the rooms after it come with their last message
                return given, upto
            budget.bytes -= size
            given.append(slim)
        upto = event["seq"]
    return given, last


def _slim(event: Wire) -> Wire:
    """Without what stands elsewhere: `whole_event` of docs/mobile.md puts it back."""
    if event["kind"] == "message":
        message = event["message"]
        if message.get("blocks") == [{"type": "text", "text": message.get("text"), "v": 1}]:
            message = {name: value for name, value in message.items() if name != "blocks"}
        return {"kind": "message", "message": message}
    left_out = ("op", "room", "user") if event["kind"] == "reaction" else ("op", "room")
    return {name: value for name, value in event.items() if name not in left_out}


def _last(room: Listed, low: bool, budget: _Budget) -> Wire:
    if budget.previews <= 0 or room.last_seq is None or room.last_redacted_at is not None:
        return {}
    if room.last_seq < max(room.visible, room.first):
        return {}
    budget.previews -= 1
    text = (room.last_text or "")[: _LOW_TEXT if low else _TEXT]
    return {"last": {"at": room.last_at, "author": room.last_author, "text": text}}


def _counts(room: Listed) -> Wire:
    counts: Wire = {"unread": room.unread, "read": room.read}
    if room.mentioned and room.involvement != "nothing":
        counts["mentioned"] = True
    return counts


def _photos(events: Iterable[Wire]) -> list[str]:
    return [
        attachment["id"]
        for event in events
        for attachment in event.get("message", {}).get("attachments", ())
        if attachment["kind"] == "photo" and attachment["state"] == "ready"
    ]


async def _thumbnails(reader: Reader, actor: Actor, photos: list[str], keys: Keys, trust: Trust) -> dict[str, str]:
    """Addresses, of the newest; a device that may not see files gets none."""
    wanted = list(dict.fromkeys(photos))[-THUMBNAILS:]
    items = await files.addresses(reader, actor, wanted, keys, trust) if wanted else []
    return {item["id"]: item["addresses"][THUMBNAIL] for item in items if THUMBNAIL in item["addresses"]}
