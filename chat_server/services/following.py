"""Streams that other nodes write, read back as the notes that their commits were there.

A note from storage is rendered as of now, like every replay. What travels with a note and is not stored is found again:
whom a membership event brought in or took out stands in its data, and whether somebody's devices may still be here
stands in the accounts (`standings`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain.events import EVERYTHING, Joined, Left, Ranges, RoomEvent, UserEvent
from chat_server.ports import Reader
from chat_server.services.pages import look_up, render_whole
from chat_server.services.rendering import unpack
from chat_server.services.wire import STUB
from chat_server.storage.queries import following as queries
from chat_server.storage.queries import rooms, settings, streams
from chat_server.storage.queries.streams import EventRow

AT_ONCE: Final = 200
"""Events of one stream that are read in one view."""
_END: Final = EVERYTHING[0][1]


@dataclass(frozen=True, slots=True)
class Asked:
    """Events of a room after `after` and, unless it is None, before `before`."""

    room: str
    after: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody may be connected; `revoked` and `barred` (asked to clear its data) hold integer keys of devices."""

    disabled: bool
    not_after: int | None
    revoked: frozenset[int]
    barred: frozenset[int]


@dataclass(frozen=True, slots=True)
class Present:
    """A membership that holds now."""

    room_id: int
    head: int
    visible: Ranges


async def heads(
    tx: Reader, room_ids: Collection[int], user_ids: Collection[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Where the streams of rooms and of people (integer keys) end."""
    return await queries.room_heads(tx, room_ids), await queries.own_heads(tx, user_ids)


async def epoch(tx: Reader) -> str | None:
    """The generation of the streams."""
    return await settings.find(tx, "epoch")


async def room_events(tx: Reader, asked: Mapping[int, Asked]) -> dict[int, list[RoomEvent]]:
    """By room (integer key), in order, at most `AT_ONCE` of each."""
    rows: dict[int, list[EventRow]] = {}
    for room_id, each in asked.items():
        limit = AT_ONCE if each.before is None else min(AT_ONCE, each.before - each.after - 1)
        rows[room_id] = await streams.events(tx, room_id, each.after, limit) if limit > 0 else []
    found = {room_id: await _rendered(tx, room_id, asked[room_id].room, some) for room_id, some in rows.items() if some}
    return {room_id: found.get(room_id, []) for room_id in asked}


async def _rendered(tx: Reader, room_id: int, room: str, rows: list[EventRow]) -> list[RoomEvent]:
    referred = await look_up(tx, room_id, rows)
    keys = await rooms.user_keys(
        tx, {unpack(row.data)["user"] for row in rows if row.kind == "membership" and row.data}
    )
    events = []
    for row in rows:
        body = render_whole(row, referred)
        if body is None:
            events.append(RoomEvent(room_id, room, row.seq, STUB, row.at, row.by, {}))
            continue
        effect = await _effect(tx, room_id, body, keys) if row.kind == "membership" else None
        events.append(RoomEvent(room_id, room, row.seq, row.kind, row.at, row.by, body, row.target, effect))
    return events


async def _effect(tx: Reader, room_id: int, body: Mapping[str, Any], keys: Mapping[str, int]) -> Joined | Left | None:
    user = body["user"]["id"]
    if body["change"] == "joined":
        return Joined(keys[user], await rooms.intervals(tx, room_id, keys[user]))
    return Left(keys[user], user) if body["change"] in ("left", "removed") else None


async def own_events(tx: Reader, after: Mapping[int, int]) -> dict[int, list[UserEvent]]:
    """By person (integer key), in order, at most `AT_ONCE` of each after their seq."""
    found = {}
    for user_id, seq in after.items():
        rows = await streams.own_events(tx, user_id, seq, AT_ONCE)
        found[user_id] = [UserEvent(user_id, row[0], row[1], row[2], unpack(row[3]) if row[3] else {}) for row in rows]
    return found


async def standings(tx: Reader, devices: Mapping[int, Collection[int]]) -> dict[int, Standing]:
    """By person, for the devices that they are connected with."""
    known = {device for some in devices.values() for device in some}
    revoked, barred = await queries.revoked(tx, known), await queries.barred(tx, known)
    return {
        user_id: Standing(
            disabled is not None,
            ends_at,
            frozenset(revoked.intersection(devices[user_id])),
            frozenset(barred.intersection(devices[user_id])),
        )
        for user_id, disabled, ends_at in await queries.accounts(tx, devices)
    }


async def present(tx: Reader, user_id: int, room: str) -> Present | None:
    """Whether the person is in the room (public id) now."""
    found = await queries.present(tx, user_id, room)
    if found is None:
        return None
    room_id, head = found
    return Present(room_id, head, await rooms.intervals(tx, room_id, user_id))


async def own_head(tx: Reader, user_id: int) -> int:
    """The last seq of the person's own stream."""
    return (await streams.own_head(tx, user_id))[1]
