"""What a person says about being rung: for what, when not, and what holds for single rooms."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.domain.hours import DAY_MINUTES, is_time_zone
from chat_server.ports import Reader, Tx
from chat_server.services.access import in_room
from chat_server.storage.queries import notifications as queries
from chat_server.storage.queries.notifications import Settings

Wire = dict[str, Any]


async def describe(reader: Reader, actor: Actor) -> Wire:
    """`{push, duty, quiet: {from, to} or null, time_zone, rooms: [{room, level}]}`."""
    settings = await queries.of_person(reader, actor.user_id)
    quiet = None
    if settings.quiet_from is not None and settings.quiet_to is not None:
        quiet = {"from": clock(settings.quiet_from), "to": clock(settings.quiet_to)}
    return {
        "push": settings.push,
        "duty": settings.duty,
        "quiet": quiet,
        "time_zone": settings.time_zone,
        "rooms": [{"room": room, "level": level} for room, level in await queries.rooms(reader, actor.user_id)],
    }


async def change(tx: Tx, actor: Actor, push: str, duty: str, quiet: tuple[str, str] | None, time_zone: str) -> Wire:
    """All of it anew, the rooms apart. `quiet`: two times of the day, HH:MM. Raises `Problem` 2001."""
    if not is_time_zone(time_zone):
        raise Problem(INVALID_FIELD, field="time_zone", reason="地域の名前ではありません / not the name of a time zone")
    hours: tuple[int | None, int | None] = (None, None)
    if quiet is not None:
        hours = minutes(quiet[0]), minutes(quiet[1])
        if hours[0] == hours[1]:
            raise Problem(INVALID_FIELD, field="quiet", reason="同じ時刻です / the same time twice")
    await queries.put(tx, actor.user_id, actor.org_id, Settings(push, duty, *hours, time_zone))
    return await describe(tx, actor)


async def change_room(tx: Tx, actor: Actor, room: str, level: str | None) -> None:
    """None: as one's own setting says. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, room)
    await queries.put_room(tx, actor.user_id, standing.room_id, level)


def minutes(time: str) -> int:
    """Of HH:MM."""
    hour, _, minute = time.partition(":")
    return (int(hour) * 60 + int(minute)) % DAY_MINUTES


def clock(minute: int) -> str:
    """HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
