"""One's devices: the list, what a device says of itself, signing out, and what ends with it.

Another person's device is error 6005 (404), the same as no such device: 403 would confirm that an id exists
(docs/protocol.md, section 6: what one may not see answers as what does not exist). Organization administrators have
ways of their own for a colleague's device: `…_of`, and `device_keeping`.
"""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.devices import ISSUED, SIGNED_OUT, WAITING, WIPE, access_of, state_of
from chat_server.domain.errors import DEVICE_NOT_FOUND, INVALID_FIELD, PERSON_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit, own_stream
from chat_server.services.authority import Administrator, require_administrator
from chat_server.services.labels import clean_label
from chat_server.storage.queries import organizations, push_tokens
from chat_server.storage.queries import people as people_queries
from chat_server.storage.queries import sessions as queries
from chat_server.storage.queries.sessions import Device

Wire = dict[str, Any]

API_VERSION: Final = 1
"""Of the calls over HTTP, as the header `Renraku-Api` and `present` say it."""
OLDEST_API: Final = 1
"""A client that speaks an older one is refused (error 2020)."""


def wire(device: Device) -> Wire:
    """`{id, name, zone, platform, app_version, ownership, state, created_at, seen_at, wipe_asked_at}`; `state`: ready,
    waiting (for approval) or wipe (it has yet to clear its data)."""
    state = "ready"
    if device.wipe_asked_at is not None:
        state = WIPE if device.wiped_at is None else "wiped"
    elif device.approved_at is None:
        state = WAITING
    return {
        "id": device.public_id,
        "name": device.name,
        "zone": device.zone,
        "platform": device.platform,
        "app_version": device.app_version,
        "ownership": device.ownership,
        "state": state,
        "created_at": device.created_at,
        "seen_at": device.seen_at,
        "wipe_asked_at": device.wipe_asked_at,
    }


async def own_devices(reader: Reader, actor: Actor) -> list[Wire]:
    """The actor's devices, last seen first: `wire` and `current`."""
    return [
        {**wire(device), "current": device.id == actor.device_id}
        for device in await queries.devices(reader, actor.org_id, actor.user_id)
    ]


async def present(reader: Reader, actor: Actor, most_trusted: str) -> Wire:
    """The very device that asks, whatever may be done on it: `{id, name, platform, app_version, ownership, state, access,
    push: {platform, registered_at} or None, api: {version, oldest}}`."""
    device = await queries.device(reader, actor.device_id)
    assert device is not None
    rules = await organizations.policy(reader, actor.org_id)
    token = await push_tokens.of_device(reader, actor.device_id)
    return {
        "id": device.public_id,
        "name": device.name,
        "platform": device.platform,
        "app_version": device.app_version,
        "ownership": device.ownership,
        "state": state_of(
            rules,
            most_trusted,
            zone=device.zone,
            ownership=device.ownership,
            approved_at=device.approved_at,
            wipe_asked_at=device.wipe_asked_at,
        ),
        "access": access_of(rules, device.ownership),
        "push": None if token is None else {"platform": token[0], "registered_at": token[1]},
        "api": {"version": API_VERSION, "oldest": OLDEST_API},
    }


async def describe(
    tx: Tx,
    actor: Actor,
    *,
    name: str | None = None,
    platform: str | None = None,
    app_version: str | None = None,
    ownership: str | None = None,
) -> None:
    """What the device says of itself; None leaves it as it is. It may say that it is private; that it is issued, an
    administrator says (what they said, the device does not change). Raises `Problem` 2001."""
    device = await queries.device(tx, actor.device_id)
    assert device is not None
    label = device.name if name is None else clean_label(name, limits.NAME_CHARS)
    if not label:
        raise Problem(INVALID_FIELD, "name", reason=f"1–{limits.NAME_CHARS}文字 / 1–{limits.NAME_CHARS} characters")
    kept = device.ownership if ownership is None or device.ownership == ISSUED else ownership
    version = device.app_version if app_version is None else clean_label(app_version, limits.APP_VERSION_CHARS)
    after = (label, platform or device.platform, version, kept)
    if after == (device.name, device.platform, device.app_version, device.ownership):
        return
    await queries.describe(tx, actor.device_id, *after)
    await announce(tx, actor.user_id, actor.org_id)


async def sign_out(tx: Tx, actor: Actor, device: str) -> None:
    """Sign out one of the actor's own devices (public id), the present one included. Raises `Problem` 6005."""
    await _sign_out(tx, actor, actor.user_id, device)


async def sign_out_of(tx: Tx, who: Administrator, user: str, device: str) -> None:
    """Sign out a device of somebody in the administrator's organization. Raises `Problem` 2008, 6001, 6005."""
    await _sign_out(tx, who, await person_of(tx, who, user), device)


async def sign_out_all_of(tx: Tx, who: Administrator, user: str) -> int:
    """All devices of somebody in the administrator's organization; answers how many. Raises `Problem` 2008, 6001."""
    ended = await end_all(tx, await person_of(tx, who, user), who.org_id)
    await audit.record_by(tx, who, "device.sign_out_all", user, {"devices": ended})
    return ended


async def person_of(reader: Reader, who: Administrator, user: str) -> int:
    """The integer key of somebody in the administrator's organization. Raises `Problem` 2008, 6001."""
    require_administrator(who)
    user_id = await people_queries.user_id(reader, who.org_id, user)
    if user_id is None:
        raise Problem(PERSON_NOT_FOUND, field="user")
    return user_id


async def device_of(reader: Reader, org_id: int, user_id: int, device: str) -> int:
    """The integer key of a device (public id) of this very person. Raises `Problem` 6005."""
    device_id = await queries.device_id(reader, org_id, user_id, device) if is_id(device) else None
    if device_id is None:
        raise Problem(DEVICE_NOT_FOUND, field="device")
    return device_id


async def _sign_out(tx: Tx, who: Administrator, user_id: int, device: str) -> None:
    device_id = await device_of(tx, who.org_id, user_id, device)
    await end(tx, user_id, who.org_id, device_id)
    await audit.record_by(tx, who, "device.sign_out", device)


async def end(tx: Tx, user_id: int, org_id: int, device_id: int) -> None:
    """The device's tokens are gone, its next request is refused, nothing wakes it any more, its sockets close (by the
    user stream)."""
    await queries.drop_all(tx, device_id)
    await push_tokens.drop_of_device(tx, device_id, SIGNED_OUT)
    if await queries.revoke(tx, device_id):
        await announce(tx, user_id, org_id, revoked_device=device_id)


async def end_all(tx: Tx, user_id: int, org_id: int, *, but: int | None = None) -> int:
    """Every device of the user, `but` one (integer key); answers how many."""
    ended = [device for device in await queries.live_device_ids(tx, org_id, user_id) if device != but]
    for device_id in ended:
        await end(tx, user_id, org_id, device_id)
    return len(ended)


async def announce(
    tx: Tx, user_id: int, org_id: int, *, revoked_device: int | None = None, barred_device: int | None = None
) -> None:
    """Tell the user's other devices that the list changed."""
    await own_stream.append(
        tx, user_id, org_id, "devices", {}, revoked_device=revoked_device, barred_device=barred_device
    )
