"""Pages of the streams, rendered as of now (docs/protocol.md, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.events import Ranges, RoomEvent, may_see
from chat_server.ports import Reader
from chat_server.services import note_events
from chat_server.services.access import in_room
from chat_server.services.people import wire_people
from chat_server.services.rendering import pack, render_many, unpack
from chat_server.services.rooms import room_info
from chat_server.services.wire import Wire, stub, wire_event, wire_own
from chat_server.storage.queries import attachments, messages, notes, rooms, streams
from chat_server.storage.queries.streams import EventRow

_WHOLE: Final = ("message", "edit")
"""Events that carry a message."""


@dataclass(frozen=True, slots=True)
class Page:
    """`room_id` is 0 for the own stream. `last` is the seq after which the next page begins."""

    room_id: int
    visible: Ranges
    events: list[Wire]
    last: int
    head: int


async def room_page(tx: Reader, actor: Actor, room: str, after: int, limit: int) -> Page:
    """Events after `after`, dense: what may not be seen, or is void within the page, is a stub. At least one if there
    is any, at most `limit`, and no more than fit into `limits.PAGE_BYTES`. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, room)
    visible = await rooms.intervals(tx, standing.room_id, actor.user_id)
    rows = _loadable(await streams.events(tx, standing.room_id, after, limit), visible)
    events = await _render(tx, standing.room_id, room, rows, visible)
    last = rows[len(events) - 1].seq if events else max(after, standing.last_seq)
    return Page(standing.room_id, visible, events, last, standing.last_seq)


async def own_page(tx: Reader, actor: Actor, after: int, limit: int) -> Page:
    """Own events after `after`."""
    _, head = await streams.own_head(tx, actor.user_id)
    rows = await streams.own_events(tx, actor.user_id, after, limit)
    events = [wire_own(seq, kind, at, unpack(data) if data else {}) for seq, kind, at, data in rows]
    return Page(0, (), events, rows[-1][0] if rows else max(after, head), head)


def _loadable(rows: Sequence[EventRow], visible: Ranges) -> Sequence[EventRow]:
    """The first of `rows`, so many that the messages to load for them are no more than a page could hold."""
    size, loaded = 0, set()
    for number, row in enumerate(rows):
        if row.kind in _WHOLE and row.message_id not in loaded and may_see(visible, row.seq, row.target):
            loaded.add(row.message_id)
            size += row.size
            if size > limits.PAGE_BYTES and number:
                return rows[:number]
    return rows


async def _render(tx: Reader, room_id: int, room: str, rows: Sequence[EventRow], visible: Ranges) -> list[Wire]:
    """The wire form of the first of `rows`, as many as fit into a page, for somebody who may see `visible`.

    An edit shows its message as it is now. If another edit of the message follows in the page, the earlier one is a
    stub: else a message that was edited 200 times would be there 200 times.
    """
    shown = {row.seq: row for row in rows if may_see(visible, row.seq, row.target)}
    referred = await look_up(tx, room_id, list(shown.values()))
    events: list[Wire] = []
    edits: dict[int | None, tuple[int, int]] = {}
    """by message: where its last edit stands in `events`, and how large that is"""
    total = 0
    for row in rows:
        body = render_whole(row, referred) if row.seq in shown else None
        event = stub(room, row.seq) if body is None else _wire(row, room_id, room, body)
        size = len(pack(event))
        void, freed = edits.get(row.message_id, (-1, 0)) if event["kind"] == "edit" else (-1, 0)
        if events and total + size - freed > limits.PAGE_BYTES:
            break
        if void >= 0:
            events[void] = stub(room, rows[void].seq)
        if event["kind"] == "edit":
            edits[row.message_id] = (len(events), size)
        events.append(event)
        total += size - freed
    return events


def _wire(row: EventRow, room_id: int, room: str, body: Wire) -> Wire:
    return wire_event(RoomEvent(room_id, room, row.seq, row.kind, row.at, row.by, body))


@dataclass(frozen=True, slots=True)
class Referred:
    """What the events of a page speak of, as of now."""

    data: dict[int, dict[str, Any]]
    """by seq"""
    messages: dict[int, Wire]
    people: dict[str, Wire]
    room: Wire
    attachments: dict[str, Wire]
    notes: dict[str, note_events.Told]


async def look_up(tx: Reader, room_id: int, rows: Sequence[EventRow]) -> Referred:
    """In a query for each kind of thing, however many events: the connections that read are few."""
    data = {row.seq: unpack(row.data) if row.data else {} for row in rows}
    ids = {row.message_id for row in rows if row.message_id is not None and row.kind in _WHOLE}
    rendered = await render_many(tx, list((await messages.by_ids(tx, list(ids))).values()))
    keys = await rooms.user_keys(tx, {data[row.seq]["user"] for row in rows if row.kind == "membership"})
    people = await wire_people(tx, list(keys.values()))
    about = await room_info(tx, room_id) if any(row.kind == "room" for row in rows) else {}
    files = await attachments.wire_of(tx, [data[row.seq]["attachment"] for row in rows if row.kind == "attachment"])
    told = await notes.told(tx, [data[row.seq]["note"] for row in rows if row.kind == note_events.KIND])
    return Referred(data, rendered, {user: people[key] for user, key in keys.items()}, about, files, told)


def render_whole(row: EventRow, referred: Referred) -> Wire | None:
    """For somebody who may see the event: what is special to the event's kind; None if retention took away what it speaks of."""
    data = referred.data[row.seq]
    if row.kind in _WHOLE:
        message = referred.messages.get(row.message_id or 0)
        if message is None:
            return None
        return {"message": message} if row.kind == "message" else {"message": message, "target": row.target}
    if row.kind == "membership":
        return {**data, "user": referred.people[data["user"]]}
    if row.kind == "room":
        return {"room_info": referred.room}
    if row.kind == note_events.KIND:
        note = referred.notes.get(data["note"])
        return note and note_events.body(data, note)
    if row.message is None:
        return None
    if row.kind == "attachment":
        attachment = referred.attachments.get(data["attachment"])
        return attachment and {"target": row.target, "id": row.message, "attachment": attachment}
    body = {"target": row.target, "id": row.message, **data}
    return {**body, "user": row.by} if row.kind == "reaction" else body
