"""What becomes of files that cross a border between zones: an organization's rules, and those for single pairs of zones.

A pair's rule holds instead of the organization's for its family of kinds; where there is none, nothing changes. Outward, from a more
to a less trusted zone, a pair has one rule for everything, which the rules of rooms cannot exceed (`domain.zones.outward`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain.errors import INVALID_FIELD, NOT_INWARD, NOT_OUTWARD, OUTFLOW_OUTSIDE, Problem
from chat_server.domain.links import FAMILIES, OTHERS
from chat_server.domain.policy import SANITIZE, STRICT, Policy, action
from chat_server.domain.zones import OUTFLOWS, widens
from chat_server.ports import Reader, Tx
from chat_server.services import audit
from chat_server.services.authority import Administrator, require_administrator
from chat_server.storage.queries import organizations
from chat_server.storage.queries import zone_rules as queries

Wire = dict[str, Any]
KINDS: Final = {**FAMILIES, "others": OTHERS}
OUTFLOW: Final = "outflow"
"""The family of the rules outward."""
_ALL: Final = "download"
"""Where a pair has none."""


@dataclass(frozen=True, slots=True)
class Rules:
    """As they were when the work on a file began. `pairs`: see `domain.policy.action`."""

    policy: Policy
    pairs: dict[tuple[str, str, str], str]

    @property
    def scanned(self) -> bool:
        """Whether a file that no virus scanner looked at is refused."""
        return self.policy.virus_scan == "required"

    def formats(self, came_by: Sequence[str], zones: Sequence[str]) -> dict[str, str]:
        """What is to be done, by the kinds of `sanitizing.kinds`, with a file that came by these zones. `zones`: all, from the
        least to the most trusted."""
        done = {
            family: max((action(self.policy, self.pairs, family, zone, zones) for zone in came_by), key=STRICT.index)
            for family in KINDS
        }
        return {kind: done[family] for family, kinds in KINDS.items() for kind in kinds}


async def rules(reader: Reader, org_id: int) -> Rules:
    """Those that hold now."""
    return Rules(await organizations.policy(reader, org_id), await queries.of(reader, org_id))


async def listed(reader: Reader, who: Administrator, zones: Sequence[str]) -> Wire:
    """`{zones, families, outflows, items: [{from, to, family, action}]}`. Raises `Problem` 2008."""
    require_administrator(who)
    found = await queries.of(reader, who.org_id)
    items = [
        {"from": from_, "to": to, "family": family, "action": action} for (from_, to, family), action in found.items()
    ]
    return {
        "zones": list(zones),
        "families": {family: list(actions) for family, actions in SANITIZE.items()},
        "outflows": list(OUTFLOWS),
        "items": items,
    }


async def change(
    tx: Tx, who: Administrator, from_: str, to: str, family: str, action: str | None, zones: Sequence[str]
) -> Wire:
    """Set the rule of a pair, or remove it (None); on record where something changed. Answers as `listed`.

    Raises `Problem` 2008, 7120 (no such zones, or not inwards), 7123 (or not outwards), 2001 (family, action), 5027 (a rule outward is widened
    where the files are: see `rooms.change`)."""
    require_administrator(who)
    pair = (from_, to, family)
    before = (await queries.of(tx, who.org_id)).get(pair)
    # One that was set when the server had other zones can still be removed.
    if action is not None or before is None:
        _check(pair, action, zones)
    # Rules of another server's zones, and the operator's own socket, are not of a network that lies outside.
    outside = who.zone in zones and from_ in zones and zones.index(who.zone) < zones.index(from_)
    if family == OUTFLOW and outside and widens(before or _ALL, action or _ALL):
        raise Problem(OUTFLOW_OUTSIDE, field="action")
    if action != before:
        if action is None:
            await queries.remove(tx, who.org_id, pair)
        else:
            await queries.put(tx, who.org_id, pair, action)
        found = await organizations.by_id(tx, who.org_id)
        assert found is not None
        detail = {"zones": f"{from_} → {to}", "family": family, "from": before, "to": action}
        await audit.record_by(tx, who, "organization.zone_rule", found.public_id, detail)
    return await listed(tx, who, zones)


def _check(pair: tuple[str, str, str], action: str | None, zones: Sequence[str]) -> None:
    from_, to, family = pair
    known = {**SANITIZE, OUTFLOW: OUTFLOWS}
    if family not in known:
        raise Problem(INVALID_FIELD, field="family", reason=", ".join(known))
    low, high = (to, from_) if family == OUTFLOW else (from_, to)
    if low not in zones or high not in zones or zones.index(low) >= zones.index(high):
        fault, way = (NOT_OUTWARD, list(reversed(zones))) if family == OUTFLOW else (NOT_INWARD, list(zones))
        raise Problem(fault, field="to", zones=" → ".join(way))
    if action is not None and action not in known[family]:
        raise Problem(INVALID_FIELD, field="action", reason=", ".join(known[family]))
