"""Who one is, here and now."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.services.people import wire_person
from chat_server.storage.queries import organizations


async def profile(reader: Reader, actor: Actor) -> dict[str, Any]:
    """`{user: Person, roles, organization: {id, name}, rules, zone, device}` of docs/protocol.md."""
    rules = await organizations.policy(reader, actor.org_id)
    organization = await organizations.by_id(reader, actor.org_id)
    assert organization is not None
    return {
        "user": await wire_person(reader, actor.user_id),
        "roles": sorted(actor.roles),
        "organization": {"id": organization.public_id, "name": organization.name},
        "rules": {
            "device_cache": rules.device_cache if actor.access == "cache" else "off",
            "device_access": actor.access,
            "memo_pad": actor.memo_pad,
        },
        "zone": actor.zone,
        "device": actor.device,
    }
