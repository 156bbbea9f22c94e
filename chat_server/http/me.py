"""What belongs to whoever asks: profile, devices, bookmarks."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain.devices import Ownership, System
from chat_server.domain.errors import DEVICE_NOT_FOUND, PASSWORD_WEAK, PASSWORD_WRONG, SIGN_IN_THROTTLED
from chat_server.domain.policy import Keeping, MayDo
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import PERSON, ListQuery, MessageInRoom, Person, Time
from chat_server.services import devices, history, quota
from chat_server.services.blocks import Id
from chat_server.services.password_change import change_own, prove_own
from chat_server.services.profile import profile

Role = Literal["organization_admin", "department_admin", "auditor", "records_officer"]


class Organization(msgspec.Struct, frozen=True):
    id: Id
    name: str


class ClientRules(msgspec.Struct, frozen=True):
    """Rules of one's organization that clients keep to. `device_cache`: whether what was read may stay on the device.
    `device_access`: what this device may do with files. `memo_pad`: whether one has it in this zone."""

    device_cache: Keeping
    device_access: MayDo
    memo_pad: bool


class Me(msgspec.Struct, frozen=True):
    """`zone`: the network that one came in by."""

    user: Person
    roles: list[Role]
    organization: Organization
    rules: ClientRules
    zone: str
    device: Id


class Device(msgspec.Struct, frozen=True):
    """An installed client. `ownership`: issued (an administrator says so), private, or not told. `state`: waiting for an
    administrator's approval; wipe: it has yet to clear its data, wiped: it did."""

    id: Id
    name: str
    zone: str
    platform: System
    app_version: str
    ownership: Ownership
    state: Literal["ready", "waiting", "wipe", "wiped"]
    created_at: Time
    seen_at: Time
    wipe_asked_at: Time | None


class OwnDevice(Device, frozen=True, kw_only=True):
    """`current`: the one that asks."""

    current: bool


class Devices(msgspec.Struct, frozen=True):
    items: list[OwnDevice]
    next: str | None


class Bookmarked(MessageInRoom, frozen=True, kw_only=True):
    """A message, and when it was bookmarked."""

    at: Time


class Bookmarks(msgspec.Struct, frozen=True):
    """Newest first; without rooms that one has left."""

    items: list[Bookmarked]
    next: str | None


class NewPassword(msgspec.Struct, frozen=True):
    """`old`: the present one."""

    old: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    new: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


async def get_me(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: profile(reader, ctx.actor))


async def sign_out(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: devices.sign_out(tx, actor, actor.device))


async def change_password(ctx: Ctx[NewPassword, Nothing]) -> Any:
    parts = ctx.parts
    proved = await prove_own(parts.storage, parts.passwords, ctx.actor, ctx.body.old, ctx.body.new)
    return await ctx.write(lambda tx, actor: change_own(tx, actor, proved))


async def list_devices(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: devices.own_devices(reader, ctx.actor)), "next": None}


async def sign_out_device(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: devices.sign_out(tx, actor, ctx.path["device"]))


async def list_bookmarks(ctx: Ctx[Nothing, ListQuery]) -> Any:
    items, following = await ctx.read(
        lambda reader: history.bookmarks(reader, ctx.actor, ctx.query.cursor, ctx.query.limit)
    )
    return {"items": items, "next": following}


class Usage(msgspec.Struct, frozen=True):
    """Bytes. `limit` null: no bound of one's own."""

    used: int
    limit: int | None
    file_bytes: int


async def get_usage(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: quota.describe(reader, ctx.actor))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/me/usage",
        "How much I have brought in, and may",
        get_usage,
        answer=Usage,
        example_answer=Usage(used=734003200, limit=107374182400, file_bytes=5368709120),
    ),
    Call(
        "GET",
        "/api/me",
        "Who I am",
        get_me,
        answer=Me,
        example_answer=Me(
            user=PERSON,
            roles=[],
            organization=Organization("06ed0000000000000000000009", "みどり野市"),
            rules=ClientRules("allowed", "cache", memo_pad=True),
            zone="lgwan",
            device="06ed0000000000000000000001",
        ),
    ),
    Call(
        "POST",
        "/api/me/sign-out",
        "Sign out on this device",
        sign_out,
        status=204,
        note="Tokens of this device are dead at once, and so are its addresses of files; its sockets close.",
    ),
    Call(
        "PUT",
        "/api/me/password",
        "Change my password",
        change_password,
        body=NewPassword,
        status=204,
        faults=(PASSWORD_WRONG, PASSWORD_WEAK, SIGN_IN_THROTTLED),
        example=NewPassword("…", "…"),
        note="Other devices are signed out.",
    ),
    Call(
        "GET",
        "/api/me/devices",
        "My devices",
        list_devices,
        answer=Devices,
        note="Last seen first.",
    ),
    Call(
        "DELETE",
        "/api/me/devices/{device}",
        "Sign out on a device of mine",
        sign_out_device,
        status=204,
        faults=(DEVICE_NOT_FOUND,),
    ),
    Call(
        "GET",
        "/api/me/bookmarks",
        "Messages that I bookmarked",
        list_bookmarks,
        query=ListQuery,
        answer=Bookmarks,
    ),
)
