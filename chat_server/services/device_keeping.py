"""What administrators do with devices: approving, saying whose they are, and wiping from afar.

A device that is to be wiped can do nothing any more but learn it, clear its data and say so; then it is signed out. It
learns it with its next request or its open socket. Whoever keeps it from the network keeps the data: that is what the
lock on the device is for, and why the list goes on showing a device that has not answered.
"""

from __future__ import annotations

from typing import Any

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import Reader, Tx
from chat_server.services import audit, devices
from chat_server.services.authority import Administrator, require_administrator
from chat_server.services.people import wire_people
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries import sessions as queries
from chat_server.storage.queries.sessions import Device

Wire = dict[str, Any]


async def devices_of(reader: Reader, who: Administrator, user: str) -> list[Wire]:
    """Of somebody in the administrator's organization. Raises `Problem` 2008, 6001."""
    user_id = await devices.person_of(reader, who, user)
    return [devices.wire(device) for device in await queries.devices(reader, who.org_id, user_id)]


async def waiting(reader: Reader, who: Administrator) -> list[Wire]:
    """The organization's devices that wait for approval, with their people, the first first. Raises `Problem` 2008."""
    require_administrator(who)
    return await _with_people(reader, await queries.waiting(reader, who.org_id, limits.DEVICES_SHOWN))


async def wiping(reader: Reader, who: Administrator) -> list[Wire]:
    """Those that were asked to clear their data, whether they did or not, the last first. Raises `Problem` 2008."""
    require_administrator(who)
    return await _with_people(reader, await queries.wiping(reader, who.org_id, limits.DEVICES_SHOWN))


async def _with_people(reader: Reader, found: list[Device]) -> list[Wire]:
    people = await wire_people(reader, [device.user_id for device in found])
    return [
        {
            **devices.wire(device),
            "user": people[device.user_id],
            "wiped_at": device.wiped_at,
            "unsent": device.wiped_unsent,
            "signed_out": device.revoked_at is not None,
        }
        for device in found
    ]


async def change(
    tx: Tx, who: Administrator, user: str, device: str, *, approve: bool = False, ownership: str | None = None
) -> Wire:
    """Approve a device, or say whose it is; answers it as it is then. Raises `Problem` 2008, 6001, 6005."""
    user_id = await devices.person_of(tx, who, user)
    device_id = await devices.device_of(tx, who.org_id, user_id, device)
    before = await queries.device(tx, device_id)
    assert before is not None
    if approve and before.approved_at is None:
        await queries.approve(tx, device_id, who.user_id if isinstance(who, Actor) else None)
        await audit.record_by(tx, who, "device.approve", device, {"user": user})
    if ownership is not None and ownership != before.ownership:
        await queries.own(tx, device_id, ownership)
        detail = {"user": user, "from": before.ownership, "to": ownership}
        await audit.record_by(tx, who, "device.ownership", device, detail)
    after = await queries.device(tx, device_id)
    assert after is not None
    if after != before:
        await devices.announce(tx, user_id, who.org_id)
    return devices.wire(after)


async def wipe_of(tx: Tx, who: Administrator, user: str, device: str) -> Wire:
    """Ask a device of somebody in the administrator's organization to clear its data. Raises `Problem` 2008, 6001, 6005."""
    return await _wipe(tx, who, await devices.person_of(tx, who, user), device)


async def wipe_own(tx: Tx, actor: Actor, device: str) -> Wire:
    """The same for one's own lost phone. Raises `Problem` 6005."""
    return await _wipe(tx, actor, actor.user_id, device)


async def _wipe(tx: Tx, who: Administrator, user_id: int, device: str) -> Wire:
    device_id = await devices.device_of(tx, who.org_id, user_id, device)
    if await queries.ask_to_wipe(tx, device_id):
        await push_tokens.drop_of_device(tx, device_id, "wipe")
        await audit.record_by(tx, who, "device.wipe", device)
        await devices.announce(tx, user_id, who.org_id, barred_device=device_id)
    after = await queries.device(tx, device_id)
    assert after is not None
    return devices.wire(after)


async def wiped(tx: Tx, actor: Actor, unsent: int) -> None:
    """The device says that its data is gone, and how many items that were not sent yet went with it. It is signed out."""
    await queries.wiped(tx, actor.device_id, unsent)
    await audit.record_by(tx, actor, "device.wiped", actor.device, {"unsent": unsent})
    await devices.end(tx, actor.user_id, actor.org_id, actor.device_id)
