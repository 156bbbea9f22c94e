"""The operator's acts on webhooks: which there are and where they lead, and switching one off at once. Never what they tell."""

from __future__ import annotations

from typing import Final

import msgspec

from chat_server.domain.errors import HOOK_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.webhooks import host_of
from chat_server.ports import Reader, Tx
from chat_server.services import audit, organizations
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.storage.queries import hook_deliveries as deliveries
from chat_server.storage.queries import hooks as queries
from chat_server.storage.queries import rooms
from chat_server.storage.queries.hooks import Hook


class Which(msgspec.Struct, frozen=True):
    organization: str


class WhichHook(msgspec.Struct, frozen=True):
    organization: str
    hook: str


async def list_hooks(deps: Deps, asked: Which) -> Wire:
    """Of each its room, where it leads, whether it is on, and what waits for it and was given up."""

    async def use_case(reader: Reader) -> Wire:
        org_id = (await organizations.find(reader, asked.organization)).id
        return {"hooks": [await _listed(reader, hook) for hook in await queries.of_organization(reader, org_id)]}

    return await deps.storage.read(use_case)


async def hook_off(deps: Deps, asked: WhichHook) -> Wire:
    """It tells nothing and takes nothing, until an owner of its room switches it on again. Raises `Problem` 6004, 7001."""

    async def use_case(tx: Tx) -> Wire:
        org_id = (await organizations.find(tx, asked.organization)).id
        hook = await queries.find(tx, asked.hook) if is_id(asked.hook) else None
        if hook is None or hook.org_id != org_id:
            raise Problem(HOOK_NOT_FOUND, field="hook")
        if hook.is_on:
            await queries.change(tx, hook, hook.url, is_on=False)
            detail = {"room": hook.room, "host": host_of(hook.url)}
            await audit.record_by(tx, Operator(org_id), "operator.hook_off", hook.public_id, detail)
        return {}

    return await deps.storage.write(use_case)


async def _listed(reader: Reader, hook: Hook) -> Wire:
    """Of its address the host alone: the rest often holds the other side's secret."""
    waiting, parked = await deliveries.counts(reader, hook)
    return {
        "id": hook.public_id,
        "name": hook.name,
        "room": hook.room,
        "room_name": str((await rooms.facts(reader, hook.room_id))[2]),
        "host": host_of(hook.url),
        "on": bool(hook.is_on),
        "waiting": waiting,
        "parked": parked,
    }


OPERATIONS: Final[dict[str, Operation]] = {
    "hook.list": operation(Which, list_hooks),
    "hook.off": operation(WhichHook, hook_off),
}
