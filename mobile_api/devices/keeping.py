"""Devices of one's organization, by its administrators."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from chat_server.domain.devices import Ownership
from chat_server.domain.errors import DEVICE_NOT_FOUND, PERSON_NOT_FOUND
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.me import Device
from chat_server.http.shapes import Person, Time
from chat_server.services import device_keeping, devices


class KeptDevice(Device, frozen=True, kw_only=True):
    """A device and whose it is. `wiped_at`: when it said that its data is gone; `unsent`: items that were not sent yet and
    went with it; `signed_out`: it can do nothing any more."""

    user: Person
    wiped_at: Time | None
    unsent: int | None
    signed_out: bool


class KeptDevices(msgspec.Struct, frozen=True):
    items: list[KeptDevice]
    next: str | None


class PersonDevices(msgspec.Struct, frozen=True):
    items: list[Device]
    next: str | None


class Which(msgspec.Struct, frozen=True):
    """`waiting` for approval, or `wipe`: those that were asked to clear their data, whether they did or not."""

    state: Literal["waiting", "wipe"] = "waiting"


class Decision(msgspec.Struct, frozen=True):
    """What is absent stays. An approval is not taken back: sign the device out instead."""

    approved: Literal[True] | None = None
    ownership: Ownership | None = None


async def list_organization_devices(ctx: Ctx[Nothing, Which]) -> Any:
    found = device_keeping.waiting if ctx.query.state == "waiting" else device_keeping.wiping
    return {"items": await ctx.read(lambda reader: found(reader, ctx.actor)), "next": None}


async def list_devices_of(ctx: Ctx[Nothing, Nothing]) -> Any:
    items = await ctx.read(lambda reader: device_keeping.devices_of(reader, ctx.actor, ctx.path["user"]))
    return {"items": items, "next": None}


async def change_device(ctx: Ctx[Decision, Nothing]) -> Any:
    user, device, decision = ctx.path["user"], ctx.path["device"], ctx.body
    return await ctx.write(
        lambda tx, actor: device_keeping.change(
            tx, actor, user, device, approve=decision.approved is True, ownership=decision.ownership
        )
    )


async def wipe_device(ctx: Ctx[Nothing, Nothing]) -> Any:
    user, device = ctx.path["user"], ctx.path["device"]
    return await ctx.write(lambda tx, actor: device_keeping.wipe_of(tx, actor, user, device))


async def sign_out_device_of(ctx: Ctx[Nothing, Nothing]) -> Any:
    user, device = ctx.path["user"], ctx.path["device"]
    return await ctx.write(lambda tx, actor: devices.sign_out_of(tx, actor, user, device))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/organization/devices",
        "Devices that wait for approval, or that are wiped",
        list_organization_devices,
        query=Which,
        answer=KeptDevices,
        access=Access.ORGANIZATION_ADMIN,
    ),
    Call(
        "GET",
        "/api/people/{user}/devices",
        "Somebody's devices",
        list_devices_of,
        answer=PersonDevices,
        access=Access.ORGANIZATION_ADMIN,
        faults=(PERSON_NOT_FOUND,),
    ),
    Call(
        "PATCH",
        "/api/people/{user}/devices/{device}",
        "Approve a device, or say whose it is",
        change_device,
        body=Decision,
        answer=Device,
        access=Access.ORGANIZATION_ADMIN,
        faults=(PERSON_NOT_FOUND, DEVICE_NOT_FOUND),
        example=Decision(True, "issued"),
    ),
    Call(
        "POST",
        "/api/people/{user}/devices/{device}/wipe",
        "Clear a device from afar",
        wipe_device,
        answer=Device,
        access=Access.ORGANIZATION_ADMIN,
        faults=(PERSON_NOT_FOUND, DEVICE_NOT_FOUND),
        note="It clears its data at its next contact, says so, and is signed out. Until then it can do nothing else.",
    ),
    Call(
        "DELETE",
        "/api/people/{user}/devices/{device}",
        "Sign out a device of somebody",
        sign_out_device_of,
        status=204,
        access=Access.ORGANIZATION_ADMIN,
        faults=(PERSON_NOT_FOUND, DEVICE_NOT_FOUND),
    ),
)
