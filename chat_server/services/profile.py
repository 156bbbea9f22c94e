"""Who one is, here and now."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.services.people import wire_person
from chat_server.storage.queries import organizations


async def profile(reader: Reader, actor: Actor) -> dict[str, Any]:
    """`{user: Person, roles, organization: {id, name}, rules, zone, device}` of docs/protocol.md."""
    organization = await organizations.by_id(reader, actor.org_id)
    assert organization is not None
    return {
        "user": await wire_person(reader, actor.user_id),
        "roles": sorted(actor.roles),
        "organization": {"id": organization.public_id, "name": organization.name},
        "rules": {
            "device_cache": (await organizations.policy(reader, actor.org_id)).device_cache,
            "memo_pad": actor.memo_pad,
        },
        "zone": actor.zone,
        "device": actor.device,
    }
