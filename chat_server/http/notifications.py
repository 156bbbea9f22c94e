"""Being rung: how one wants it, and, for administrators, why somebody was not."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    DISK_FULL,
    INVALID_FIELD,
    MESSAGE_NOT_FOUND,
    PERSON_NOT_FOUND,
    ROOM_NOT_FOUND,
    Problem,
)
from chat_server.domain.push import Duty, RoomLevel, Wanted
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Time
from chat_server.services import notifications, push_why
from chat_server.services.blocks import Id

Clock = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM")]


class Quiet(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """From when to when nothing but an emergency rings, by the clock in `time_zone`; past midnight, too."""

    start: Clock
    end: Clock


class RoomNotification(msgspec.Struct, frozen=True):
    room: Id
    level: RoomLevel


class Notifications(msgspec.Struct, frozen=True):
    """`push`: what rings where a room says nothing else. `duty` off: nothing but an emergency rings. `rooms`: those that one
    said something of."""

    push: Wanted
    duty: Duty
    quiet: Quiet | None
    time_zone: str
    rooms: list[RoomNotification]


class NotificationsChange(msgspec.Struct, frozen=True):
    """All of it anew, the rooms apart. `time_zone`: a name like Asia/Tokyo."""

    push: Wanted
    duty: Duty
    quiet: Quiet | None
    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RoomNotificationsChange(msgspec.Struct, frozen=True):
    """null: as one's own setting says."""

    level: RoomLevel | None


class PushQuery(msgspec.Struct, frozen=True):
    """The message by its id, or by `room` and `seq`, as a link to it names it."""

    user: Id
    message: Id | None = None
    room: Id | None = None
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)] | None = None


class Explanation(msgspec.Struct, frozen=True):
    ja: str
    en: str


class PushOnDevice(msgspec.Struct, frozen=True):
    """`kind`: ring, badge, clear. `state`: waiting, sending, accepted, invalid, refused, given_up, replaced, read, no_device,
    withdrawn. `answer`: what the provider said. `due_at`: of one that waits."""

    device: str
    name: str
    platform: str
    kind: str
    why: str
    state: str
    explanation: Explanation
    tries: int
    answer: str
    receipt: str
    queued_at: Time
    tried_at: Time | None
    due_at: Time | None
    done_at: Time | None


class PushExplained(msgspec.Struct, frozen=True):
    """`why`: empty if they were rung. `decided_at` null: nothing was decided (yet)."""

    user: Id
    message: Id
    at: Time
    decided_at: Time | None
    why: str
    explanation: Explanation
    devices: list[PushOnDevice]


async def get_notifications(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: notifications.describe(reader, ctx.actor))


async def change_notifications(ctx: Ctx[NotificationsChange, Nothing]) -> Any:
    asked = ctx.body
    quiet = None if asked.quiet is None else (asked.quiet.start, asked.quiet.end)
    return await ctx.write(
        lambda tx, actor: notifications.change(tx, actor, asked.push, asked.duty, quiet, asked.time_zone)
    )


async def change_room_notifications(ctx: Ctx[RoomNotificationsChange, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: notifications.change_room(tx, actor, ctx.path["room"], ctx.body.level))


async def explain_push(ctx: Ctx[Nothing, PushQuery]) -> Any:
    asked = ctx.query
    message: str | tuple[str, int]
    if asked.message is not None and asked.room is None and asked.seq is None:
        message = asked.message
    elif asked.message is None and asked.room is not None and asked.seq is not None:
        message = asked.room, asked.seq
    else:
        reason = "メッセージのID、またはroomとseqの一方だけを指定します / either message, or room and seq"
        raise Problem(INVALID_FIELD, field="message", reason=reason)
    return await push_why.explain(ctx.parts.storage, ctx.parts.pushes, ctx.actor, asked.user, message)


_ID: Final = "06ed0000000000000000000001"
_MINE: Final = Notifications("mentions_and_direct", "on", Quiet("22:00", "07:00"), "Asia/Tokyo", [])

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/me/notifications",
        "How I want to be rung",
        get_notifications,
        answer=Notifications,
        example_answer=_MINE,
    ),
    Call(
        "PUT",
        "/api/me/notifications",
        "Say how I want to be rung",
        change_notifications,
        body=NotificationsChange,
        answer=Notifications,
        example=NotificationsChange("mentions_and_direct", "on", Quiet("22:00", "07:00"), "Asia/Tokyo"),
        example_answer=_MINE,
        note="Emergencies ring all the same (docs/push.md).",
    ),
    Call(
        "PUT",
        "/api/rooms/{room}/notifications",
        "Say what rings of a room",
        change_room_notifications,
        body=RoomNotificationsChange,
        status=204,
        faults=(ROOM_NOT_FOUND,),
        example=RoomNotificationsChange("mentions"),
    ),
    Call(
        "GET",
        "/api/organization/push/why",
        "Why somebody was rung, or was not",
        explain_push,
        query=PushQuery,
        answer=PushExplained,
        access=Access.ORGANIZATION_ADMIN,
        faults=(PERSON_NOT_FOUND, MESSAGE_NOT_FOUND, DISK_FULL),
        example_answer=PushExplained(
            user=_ID,
            message="06ed0000000000000000000031",
            at=1763770000000,
            decided_at=1763770000090,
            why="quiet_hours",
            explanation=Explanation("本人が決めた、通知しない時間帯でした。", "It was in their quiet hours."),
            devices=[],
        ),
        note="Never what was said. Each asking is on record, with whom it was about.",
    ),
)
