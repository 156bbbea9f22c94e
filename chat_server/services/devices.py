"""One's devices: the list, signing out, and what ends with it.

Signing out a device that is not one's own is error 6005 (404), the same as for no such device: 403 would confirm that
an id exists (docs/protocol.md, section 6: what one may not see answers as what does not exist). Organization
administrators have a way of their own for a colleague's lost phone: `sign_out_of`.
"""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.errors import DEVICE_NOT_FOUND, PERSON_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit, own_stream
from chat_server.services.authority import Administrator, require_administrator
from chat_server.storage.queries import people as people_queries
from chat_server.storage.queries import sessions as queries

Wire = dict[str, Any]


async def own_devices(reader: Reader, actor: Actor) -> list[Wire]:
    """The actor's devices, last seen first: `{id, name, zone, created_at, seen_at, current}`."""
    return [
        {
            "id": device.public_id,
            "name": device.name,
            "zone": device.zone,
            "created_at": device.created_at,
            "seen_at": device.seen_at,
            "current": device.id == actor.device_id,
        }
        for device in await queries.devices(reader, actor.org_id, actor.user_id)
    ]


async def sign_out(tx: Tx, actor: Actor, device: str) -> None:
    """Sign out one of the actor's own devices (public id), the present one included. Raises `Problem` 6005."""
    await _sign_out(tx, actor, actor.user_id, device)


async def sign_out_of(tx: Tx, who: Administrator, user: str, device: str) -> None:
    """Sign out a device of somebody in the administrator's organization. Raises `Problem` 2008, 6001, 6005."""
    require_administrator(who)
    user_id = await people_queries.user_id(tx, who.org_id, user)
    if user_id is None:
        raise Problem(PERSON_NOT_FOUND, field="user")
    await _sign_out(tx, who, user_id, device)


async def sign_out_all_of(tx: Tx, who: Administrator, user: str) -> int:
    """All devices of somebody in the administrator's organization; answers how many. Raises `Problem` 2008, 6001."""
    require_administrator(who)
    user_id = await people_queries.user_id(tx, who.org_id, user)
    if user_id is None:
        raise Problem(PERSON_NOT_FOUND, field="user")
    ended = await end_all(tx, user_id, who.org_id)
    await audit.record_by(tx, who, "device.sign_out_all", user, {"devices": ended})
    return ended


async def _sign_out(tx: Tx, who: Administrator, user_id: int, device: str) -> None:
    device_id = await queries.device_id(tx, who.org_id, user_id, device) if is_id(device) else None
    if device_id is None:
        raise Problem(DEVICE_NOT_FOUND, field="device")
    await end(tx, user_id, who.org_id, device_id)
    await audit.record_by(tx, who, "device.sign_out", device)


async def end(tx: Tx, user_id: int, org_id: int, device_id: int) -> None:
    """The device's tokens are gone, its next request is refused, its sockets close (by the user stream)."""
    await queries.drop_all(tx, device_id)
    if await queries.revoke(tx, device_id):
        await announce(tx, user_id, org_id, revoked_device=device_id)


async def end_all(tx: Tx, user_id: int, org_id: int, *, but: int | None = None) -> int:
    """Every device of the user, `but` one (integer key); answers how many."""
    ended = [device for device in await queries.live_device_ids(tx, org_id, user_id) if device != but]
    for device_id in ended:
        await end(tx, user_id, org_id, device_id)
    return len(ended)


async def announce(tx: Tx, user_id: int, org_id: int, *, revoked_device: int | None = None) -> None:
    """Tell the user's other devices that the list changed."""
    await own_stream.append(tx, user_id, org_id, "devices", {}, revoked_device=revoked_device)
