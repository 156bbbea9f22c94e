"""Webhooks: those of a room, for its owners, and the door for those who post by one."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import (
    HOOK_NOT_FOUND,
    HOOK_URL_REFUSED,
    HOOKS_NOT_ALLOWED,
    INVALID_BODY,
    INVALID_FIELD,
    MESSAGE_EMPTY,
    RATE_LIMITED,
    ROOM_ARCHIVED,
    ROOM_FULL,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
    ROOM_READ_ONLY,
    TEXT_TOO_LONG,
    TOO_MANY_HOOKS,
    Problem,
)
from chat_server.domain.webhooks import URL_CHARS, written
from chat_server.http.body import decode_json, header, is_json
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.replies import encode
from chat_server.http.shapes import Ack, Fault, Time
from chat_server.services import hook_posts, hook_secrets, hooks
from chat_server.services.blocks import Id
from chat_server.services.hook_posts import HookPost, Signed
from chat_server.services.hooks import Change
from chat_server.services.idempotency import Answer

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)]
Url = Annotated[str, msgspec.Meta(max_length=URL_CHARS)]


class NewHook(msgspec.Struct, frozen=True):
    """`url`: who is told of the room's messages; empty for a hook that only posts."""

    name: Name
    url: Url = ""


class HookChange(msgspec.Struct, frozen=True):
    """What is absent stays."""

    name: Name | None = None
    url: Url | None = None
    on: bool | None = None


class Hook(msgspec.Struct, frozen=True):
    """`user`: its bot. `waiting`, `parked`: messages that it has still to tell, and has given up to tell. `failed`: why the last
    of them did not arrive."""

    id: Id
    room: Id
    name: str
    user: Id
    url: str
    on: bool
    at: Time
    old_secret_until: Time | None
    waiting: int
    parked: int
    failed: Fault | None
    failed_at: Time | None


class HookWithSecret(Hook, frozen=True, kw_only=True):
    """The secret is told once: an answer that is given again (`Idempotency-Key`) has none."""

    secret: str | None


class HookList(msgspec.Struct, frozen=True):
    items: list[Hook]
    next: str | None


async def make_hook(ctx: Ctx[NewHook, Nothing]) -> Any:
    room, new, hosts = ctx.path["room"], ctx.body, ctx.parts.webhook_hosts
    made = await ctx.write(lambda tx, actor: hooks.make(tx, actor, room, new.name, new.url, hosts))
    return await _with_secret(ctx, made)


async def list_hooks(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: hooks.of_room(reader, ctx.actor, ctx.path["room"])), "next": None}


async def change_hook(ctx: Ctx[HookChange, Nothing]) -> Any:
    hook, wanted = ctx.path["hook"], Change(ctx.body.name, ctx.body.url, ctx.body.on)
    return await ctx.write(lambda tx, actor: hooks.change(tx, actor, hook, wanted, ctx.parts.webhook_hosts))


async def roll_hook_secret(ctx: Ctx[Nothing, Nothing]) -> Any:
    hook = ctx.path["hook"]
    return await _with_secret(ctx, await ctx.write(lambda tx, actor: hooks.roll(tx, actor, hook)))


async def retry_hook(ctx: Ctx[Nothing, Nothing]) -> Any:
    hook = ctx.path["hook"]
    return await ctx.write(lambda tx, actor: hooks.retry(tx, actor, hook))


async def remove_hook(ctx: Ctx[Nothing, Nothing]) -> Any:
    hook = ctx.path["hook"]
    return await ctx.write(lambda tx, actor: hooks.remove(tx, actor, hook))


async def post_by_hook(ctx: Ctx[HookPost, Nothing]) -> Any:
    """The signature first: whoever has none learns nothing, not even what a body should look like."""
    body = b"".join([chunk async for chunk in ctx.bytes_of_body(limits.HOOK_BYTES)])
    names = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
    message_id, timestamp, signatures = (header(ctx.scope, name) or "" for name in names)
    parts, signed = ctx.parts, Signed(ctx.path["hook"], message_id, timestamp, signatures, body)
    hook = await ctx.read(lambda reader: hook_posts.verified(reader, parts.keys, signed))
    if not is_json(ctx.scope):
        raise Problem(INVALID_BODY, "Content-Type", reason="send application/json")
    wanted = decode_json(body, HookPost)
    return await parts.storage.write(
        lambda tx: hook_posts.post(tx, parts.keys, signed, wanted, ctx.zone, ctx.address), org_id=hook.org_id
    )


async def _with_secret(ctx: Ctx[Any, Any], made: dict[str, Any] | None) -> Any:
    """What is sent has the secret; what is kept under the Idempotency-Key has not."""
    hook: dict[str, Any] = msgspec.json.decode(ctx.written.body) if made is None and ctx.written else made or {}
    secret = await ctx.read(lambda reader: hook_secrets.newest(reader, ctx.parts.keys, hook["id"]))
    answer = {**hook, "secret": None if secret is None else written(secret)}
    if ctx.written is not None:
        ctx.written = Answer(ctx.written.status, encode(answer))
    return answer


_HOOK: Final = Hook(
    id="06ed0000000000000000000007",
    room="06ed0000000000000000000003",
    name="監視システム",
    user="06ed0000000000000000000008",
    url="https://hooks.city.example/renraku",
    on=True,
    at=1763770000000,
    old_secret_until=None,
    waiting=0,
    parked=0,
    failed=None,
    failed_at=None,
)
_MADE: Final = HookWithSecret(
    **{name: getattr(_HOOK, name) for name in Hook.__struct_fields__},
    secret="whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",  # noqa: S106 - an example
)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/rooms/{room}/hooks",
        "Make a webhook for a room",
        make_hook,
        body=NewHook,
        answer=HookWithSecret,
        faults=(
            ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, ROOM_FULL, HOOKS_NOT_ALLOWED, TOO_MANY_HOOKS,
            HOOK_URL_REFUSED,
        ),
        example=NewHook("監視システム", "https://hooks.city.example/renraku"),
        example_answer=_MADE,
        note="By an owner of the room, if the organization's rule `webhooks` lets them. The secret is told once.",
    ),
    Call(
        "GET",
        "/api/rooms/{room}/hooks",
        "The webhooks of a room, and how they fare",
        list_hooks,
        answer=HookList,
        faults=(ROOM_NOT_FOUND, ROOM_NOT_OWNER),
        note="For owners of the room.",
    ),
    Call(
        "PATCH",
        "/api/hooks/{hook}",
        "Rename a webhook, lead it elsewhere, switch it on or off",
        change_hook,
        body=HookChange,
        answer=Hook,
        faults=(HOOK_NOT_FOUND, ROOM_ARCHIVED, ROOM_FULL, HOOKS_NOT_ALLOWED, HOOK_URL_REFUSED),
        example=HookChange(on=False),
        example_answer=_HOOK,
    ),
    Call(
        "POST",
        "/api/hooks/{hook}/secret",
        "Give a webhook another secret",
        roll_hook_secret,
        answer=HookWithSecret,
        faults=(HOOK_NOT_FOUND,),
        example_answer=_MADE,
        note="The one before is good for 24 hours more. After a second call it is not.",
    ),
    Call(
        "POST",
        "/api/hooks/{hook}/retry",
        "Tell what was given up",
        retry_hook,
        answer=Hook,
        faults=(HOOK_NOT_FOUND,),
        example_answer=_HOOK,
    ),
    Call("DELETE", "/api/hooks/{hook}", "Remove a webhook", remove_hook, status=204, faults=(HOOK_NOT_FOUND,)),
    Call(
        "POST",
        "/api/hooks/{hook}",
        "Post by a webhook",
        post_by_hook,
        body=HookPost,
        answer=Ack,
        access=Access.ANYONE,
        raw=limits.HOOK_BYTES,
        faults=(
            HOOK_NOT_FOUND, ROOM_ARCHIVED, ROOM_READ_ONLY, INVALID_FIELD, MESSAGE_EMPTY, TEXT_TOO_LONG,
            RATE_LIMITED,
        ),
        example=HookPost("3号線の水位が警戒値を超えました。", "水位警報", (("観測所", "緑橋"), ("水位", "2.4 m"))),
        example_answer=Ack(
            room="06ed0000000000000000000003", id="06ed0000000000000000000004", seq=4722, at=1763770000000
        ),
        note="No token: signed as docs/webhooks.md says (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`). "
        "A hook that there is not, one that is off, and a wrong signature look the same.",
    ),
)  # fmt: skip
