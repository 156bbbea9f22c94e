"""The organization's rules on new devices, at sign-in (`policy.devices_per_person`, `policy.device_zones`)."""

from __future__ import annotations

from chat_server.domain.devices import zone_allowed
from chat_server.domain.errors import DEVICE_NOT_HERE, TOO_MANY_DEVICES, Problem
from chat_server.domain.policy import Policy
from chat_server.ports import Reader
from chat_server.storage.queries import sessions as queries


async def refusal(
    reader: Reader, rules: Policy, org_id: int, user_id: int, zone: str, most_trusted: str
) -> Problem | None:
    """Why this person may not sign in on one more device from here, if they may not: 6023, 6020. Where only issued devices
    may come from, one signs in and waits: somebody has to see the device to say that it is one."""
    if rules.device_zones == "most_trusted" and not zone_allowed(rules.device_zones, zone, most_trusted, ""):
        return Problem(DEVICE_NOT_HERE, "device")
    if rules.devices_per_person == "none":
        return None
    limit = int(rules.devices_per_person)
    known = [one for one in await queries.devices(reader, org_id, user_id) if one.wipe_asked_at is None]
    return Problem(TOO_MANY_DEVICES, "device", limit=limit) if len(known) >= limit else None
