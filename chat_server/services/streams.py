"""Resume and replay: what a client missed, rendered as of now (docs/protocol.md, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.events import EVERYTHING, Ranges, RoomEvent, within
from chat_server.ports import Reader
from chat_server.services.access import in_room
from chat_server.services.people import wire_person
from chat_server.services.rendering import Wire, render_many, unpack
from chat_server.services.rooms import room_info
from chat_server.services.wire import stub, wire_event, wire_own
from chat_server.storage.queries import messages, rooms, streams
from chat_server.storage.queries.streams import EventRow, Head

LIVE: Final = "live"
REPLAY: Final = "replay"
RESYNC: Final = "resync"
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where the person stands everywhere, and what has to happen for each stream."""

    me: tuple[int, str]
    """(head, state) of the own stream"""
    rooms: list[tuple[Head, str, Ranges]]
    """(position, state, what may be seen)"""


@dataclass(frozen=True, slots=True)
class Page:
    """`room_id` is 0 for the own stream. `last` is the seq after which the next page begins."""

    room_id: int
    visible: Ranges
    events: list[Wire]
    last: int
    head: int


async def plan(tx: Reader, actor: Actor, me: int, held: dict[str, int], *, same_epoch: bool) -> Resumption:
    """Compare what the client holds with what there is."""
    first, last = await streams.own_head(tx, actor.user_id)
    own = (last, _state(me, first, last) if same_epoch else RESYNC)
    heads = await streams.heads(tx, actor.user_id)
    found = []
    for head in heads:
        whole = head.visible_seq <= 1
        visible = EVERYTHING if whole else await rooms.intervals(tx, head.room_id, actor.user_id)
        found.append((head, _room_state(head, held, same_epoch), visible))
    return Resumption(own, found)


def _room_state(head: Head, held: dict[str, int], same_epoch: bool) -> str:
    position = held.get(head.room)
    if position is None:
        return LIVE
    return _state(position, head.first_seq, head.last_seq) if same_epoch else RESYNC


def _state(position: int, first: int, last: int) -> str:
    """A position beyond the head cannot come from this stream; one below its first event has lost its place."""
    if position == last:
        return LIVE
    if position > last or position < first - 1 or last - position > limits.REPLAY_EVENTS:
        return RESYNC
    return REPLAY


async def room_page(tx: Reader, actor: Actor, room: str, after: int, limit: int) -> Page:
    """Events after `after`, dense: what may not be seen is a stub. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, room)
    rows = await streams.events(tx, standing.room_id, after, limit)
    intervals = await rooms.intervals(tx, standing.room_id, actor.user_id)
    events = await render_events(tx, standing.room_id, room, rows, intervals)
    last = rows[-1].seq if rows else max(after, standing.last_seq)
    return Page(standing.room_id, intervals, events, last, standing.last_seq)


async def own_page(tx: Reader, actor: Actor, after: int, limit: int) -> Page:
    """Own events after `after`."""
    _, head = await streams.own_head(tx, actor.user_id)
    rows = await streams.own_events(tx, actor.user_id, after, limit)
    events = [wire_own(seq, kind, at, unpack(data) if data else {}) for seq, kind, at, data in rows]
    return Page(0, (), events, rows[-1][0] if rows else max(after, head), head)


async def render_events(tx: Reader, room_id: int, room: str, rows: Sequence[EventRow], intervals: Ranges) -> list[Wire]:
    """The wire form of stored events for somebody who may see `intervals`."""

    def visible(seq: int | None) -> bool:
        return seq is None or within(intervals, seq)

    shown = [row for row in rows if visible(row.seq) and visible(row.target)]
    ids = [row.message_id for row in shown if row.message_id is not None and row.kind in ("message", "edit")]
    stored = await messages.by_ids(tx, ids)
    rendered = await render_many(tx, list(stored.values()))
    known = {row.seq for row in shown}
    return [await _wire(tx, room_id, room, row, rendered) if row.seq in known else stub(room, row.seq) for row in rows]


async def _wire(tx: Reader, room_id: int, room: str, row: EventRow, rendered: dict[int, Wire]) -> Wire:
    data: dict[str, Any] = unpack(row.data) if row.data else {}
    body: Wire
    if row.kind in ("message", "edit"):
        message = rendered.get(row.message_id or 0)
        if message is None:
            return stub(room, row.seq)  # purged by retention
        body = {"message": message}
        if row.kind == "edit":
            body["target"] = row.target
    elif row.kind == "membership":
        body = {**data, "user": await wire_person(tx, await rooms.user_key(tx, data["user"]))}
    elif row.kind == "room":
        body = {"room_info": await room_info(tx, room_id)}
    else:
        body = {"target": row.target, "id": await messages.public_id(tx, row.message_id or 0), **data}
        if row.kind == "reaction":
            body["user"] = row.by
    return wire_event(RoomEvent(room_id, room, row.seq, row.kind, row.at, row.by, body))
