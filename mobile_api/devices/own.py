"""What a device says of itself and learns of itself, where it is woken, and that it cleared its data."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.devices import WITHDRAWN, Ownership, PushPlatform, State, System, renewal_hash
from chat_server.domain.errors import DEVICE_NOT_FOUND, RATE_LIMITED
from chat_server.domain.ids import new_id, new_secret
from chat_server.domain.policy import MayDo
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.me import Device
from chat_server.http.replies import encode
from chat_server.http.shapes import Time
from chat_server.ports import Tx
from chat_server.services import device_keeping, devices
from chat_server.services.blocks import Id
from chat_server.services.idempotency import Answer
from chat_server.services.keys import WEB_PUSH
from chat_server.storage.queries import push_renewals, push_tokens
from mobile_api.devices.tokens import checked
from mobile_api.devices.trying import Trial
from mobile_api.providers.vapid import public_key


class PushState(msgspec.Struct, frozen=True):
    """By which provider the device is woken, and when it last said so."""

    platform: PushPlatform
    registered_at: Time


class Api(msgspec.Struct, frozen=True):
    """Versions of this API that the server speaks."""

    version: int
    oldest: int


class ThisDevice(msgspec.Struct, frozen=True):
    """`state`: ready; waiting for an administrator's approval; wipe: clear all local data and say so; elsewhere: it may not
    come from this network. Unless it is ready, it can do nothing but this. `access`: what it may do with files."""

    id: Id
    name: str
    platform: System
    app_version: str
    ownership: Ownership
    state: State
    access: MayDo
    push: PushState | None
    api: Api


class Registered(ThisDevice, frozen=True):
    """`renewal`: for a browser's worker, which says with it where the device is woken from then on (`POST /api/push/renewal`). It is
    told once, and the one before is void: an answer that is given again (`Idempotency-Key`) has none."""

    renewal: str | None

    def __repr__(self) -> str:
        return f"Registered({self.id})"


class About(msgspec.Struct, frozen=True):
    """What is absent stays. `ownership`: a device may say that it is private; issued, an administrator says."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)] | None = None
    platform: System | None = None
    app_version: Annotated[str, msgspec.Meta(max_length=limits.APP_VERSION_CHARS)] | None = None
    ownership: Literal["", "private"] | None = None


Key = Annotated[str, msgspec.Meta(max_length=120, pattern="^[A-Za-z0-9_-]*=*$")]


class PushToken(msgspec.Struct, frozen=True):
    """Where and how the device is woken. `token`: APNs: hexadecimal; FCM: its token; Web Push and UnifiedPush: the
    endpoint's address. `p256dh`, `auth`: the device's public key (65 bytes on P-256) and its secret (16 bytes), base64url
    (RFC 8291); without them nothing but a fixed text is sent. `topic`: APNs: the app's bundle id."""

    platform: PushPlatform
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PUSH_TOKEN_CHARS)]
    p256dh: Key = ""
    auth: Key = ""
    topic: Annotated[str, msgspec.Meta(max_length=200, pattern="^[A-Za-z0-9.-]*$")] = ""
    language: Literal["ja", "en"] = "ja"

    def __repr__(self) -> str:
        return f"PushToken({self.platform})"


class Cleared(msgspec.Struct, frozen=True):
    """`unsent`: how many items that were not sent yet went with the data."""

    unsent: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


async def get_this_device(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: devices.present(reader, ctx.actor, ctx.parts.most_trusted))


async def describe_device(ctx: Ctx[About, Nothing]) -> Any:
    about, most_trusted = ctx.body, ctx.parts.most_trusted

    async def describe(tx: Tx, actor: Actor) -> Any:
        await devices.describe(
            tx,
            actor,
            name=about.name,
            platform=about.platform,
            app_version=about.app_version,
            ownership=about.ownership,
        )
        return await devices.present(tx, actor, most_trusted)

    return await ctx.write(describe)


async def register_push(ctx: Ctx[PushToken, Nothing]) -> Any:
    new, most_trusted = checked(ctx.body), ctx.parts.most_trusted
    # Apps are told of another token while they run; a browser tells its worker alone.
    secret = new_secret() if new.platform == "web_push" else None

    async def register(tx: Tx, actor: Actor) -> Any:
        await push_tokens.put(tx, new_id(tx.now), actor.org_id, actor.user_id, actor.device_id, new)
        await push_renewals.keep(tx, actor.device_id, secret and renewal_hash(secret))
        return {**await devices.present(tx, actor, most_trusted), "renewal": None}

    return await _with_secret(ctx, await ctx.write(register), secret)


async def _with_secret(ctx: Ctx[PushToken, Nothing], made: dict[str, Any] | None, secret: str | None) -> Any:
    """What is sent has the secret; what is kept under the Idempotency-Key has not. Nor has it a secret that is void already."""
    if secret is None or not await ctx.read(lambda reader: push_renewals.is_good(reader, renewal_hash(secret))):
        return made
    if ctx.written is not None:
        kept: dict[str, Any] = msgspec.json.decode(ctx.written.body)
        ctx.written = Answer(ctx.written.status, encode({**kept, "renewal": secret}))
    return made and {**made, "renewal": secret}


class WebKey(msgspec.Struct, frozen=True):
    """`key`: what a browser subscribes with (`applicationServerKey`), base64url. `on`: whether this server pushes: else a
    subscription would only tell the browser's push service of a device that nobody wakes."""

    key: str
    on: bool


async def get_web_key(ctx: Ctx[Nothing, Nothing]) -> Any:
    return WebKey(public_key(ctx.parts.keys.current(WEB_PUSH).secret), ctx.parts.try_push is not None)


async def try_push(ctx: Ctx[Nothing, Nothing]) -> Any:
    """Nothing is written: whoever asks twice is pushed twice."""
    found = ctx.parts.try_push
    return Trial(new_id(ctx.parts.clock.now()), "off") if found is None else await found(ctx.actor)


async def withdraw_push(ctx: Ctx[Nothing, Nothing]) -> Any:
    async def withdraw(tx: Tx, actor: Actor) -> None:
        await push_tokens.drop_of_device(tx, actor.device_id, WITHDRAWN)
        await push_renewals.keep(tx, actor.device_id, None)

    return await ctx.write(withdraw)


async def confirm_wiped(ctx: Ctx[Cleared, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: device_keeping.wiped(tx, actor, ctx.body.unsent))


async def wipe_own_device(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: device_keeping.wipe_own(tx, actor, ctx.path["device"]))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/devices/me",
        "How this device stands",
        get_this_device,
        answer=ThisDevice,
        access=Access.DEVICE,
        note="Also for a device that waits for approval or is to clear its data: it may ask nothing else.",
        example_answer=ThisDevice(
            "06ed0000000000000000000001", "現場のスマートフォン", "android", "1.4.0", "private", "ready", "view",
            PushState("fcm", 1763770000000), Api(1, 1),
        ),
    ),
    Call(
        "PATCH",
        "/api/devices/me",
        "What this device is",
        describe_device,
        body=About,
        answer=ThisDevice,
        access=Access.DEVICE,
        example=About("現場のスマートフォン", "android", "1.4.0", "private"),
    ),
    Call(
        "GET",
        "/api/push/web-key",
        "The key that browsers subscribe with",
        get_web_key,
        answer=WebKey,
        example_answer=WebKey("BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM", on=True),
        note="VAPID, RFC 8292. A subscription that was made with another key is to be made anew.",
    ),
    Call(
        "PUT",
        "/api/devices/me/push",
        "Where this device is woken",
        register_push,
        body=PushToken,
        answer=Registered,
        example=PushToken("fcm", "dGhlLXRva2Vu", "BNcRd…".replace("…", "A"), "tBHItJI5svbpez7KI4CCXg", "", "ja"),
        note="At every start of the app: a token that is registered again is renewed, and belongs to whoever registered it last. With "
        "`web_push` the answer has `renewal`, a secret that is told once.",
    ),
    Call(
        "POST",
        "/api/devices/me/push/test",
        "Push to this device, to see that it arrives",
        try_push,
        answer=Trial,
        faults=(RATE_LIMITED,),
        changes=False,
        example_answer=Trial("06ed0000000000000000000001", "accepted"),
        note="At once, past quiet hours and mutes. What arrives has the same `id`, with the kind `test`.",
    ),
    Call(
        "DELETE",
        "/api/devices/me/push",
        "Do not wake this device any more",
        withdraw_push,
        status=204,
    ),
    Call(
        "POST",
        "/api/devices/me/wiped",
        "This device cleared its data",
        confirm_wiped,
        body=Cleared,
        status=204,
        access=Access.DEVICE,
        example=Cleared(3),
        note="The device is signed out with it.",
    ),
    Call(
        "POST",
        "/api/me/devices/{device}/wipe",
        "Clear a device of mine that is lost",
        wipe_own_device,
        answer=Device,
        faults=(DEVICE_NOT_FOUND,),
        note="It clears its data at its next contact, says so, and is signed out. Until then it is in the list.",
    ),
)  # fmt: skip
