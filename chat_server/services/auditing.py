"""Reading the audit trail: for auditors alone, and each reading is on record itself before anything is shown.

One row a reading, not one a day: who looked for whom is what the next auditor wants to know. While the trail cannot be
written (a full disk), it is not read either.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec

from chat_server.domain.actors import AUDITOR, Actor
from chat_server.domain.errors import FORBIDDEN, Problem
from chat_server.ports import Reader, Storage, Tx
from chat_server.services import audit, cursors
from chat_server.storage.queries import audit as queries
from chat_server.storage.queries.audit import Found

Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="UTC milliseconds")]
Wire = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows; what is absent does not matter. `actor`: the id of a person, or `operator`. `since` ≤ at < `until`."""

    actor: Annotated[str, msgspec.Meta(pattern="^[0-9a-z]{1,26}$")] | None = None
    act: Annotated[str, msgspec.Meta(pattern="^[a-z_.]{1,40}$")] | None = None
    since: Moment | None = None
    until: Moment | None = None


async def read_trail(
    storage: Storage, actor: Actor, wanted: Wanted, cursor: str | None, limit: int
) -> tuple[list[Wire], str | None]:
    """A page of one's own organization's trail as it stood before this reading, the newest row first; and the next
    cursor. Raises `Problem` 2008, 2001 (cursor), 8002."""
    if AUDITOR not in actor.roles:
        raise Problem(FORBIDDEN)
    before: int | None = cursors.decode(cursor, int)[0] if cursor else None
    detail = {name: getattr(wanted, name) for name in Wanted.__struct_fields__} | {"before": before}

    async def put_on_record(tx: Tx) -> int:
        asked = {name: value for name, value in detail.items() if value is not None}
        return await audit.record_by(tx, actor, "audit.read", "", asked)

    own = await storage.write(put_on_record, org_id=actor.org_id)
    below = own if before is None else min(before, own)

    async def read(reader: Reader) -> list[Found]:
        return await queries.newest(
            reader, actor.org_id, below, wanted.actor, wanted.act, wanted.since, wanted.until, limit + 1
        )

    found = await storage.read(read)
    more = cursors.encode([found[limit - 1].entry.seq]) if len(found) > limit else None
    return [_wire(one) for one in found[:limit]], more


def _wire(found: Found) -> Wire:
    entry = found.entry
    wire: Wire = {
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "act": entry.act,
        "target": entry.target,
        "detail": json.loads(entry.detail),
        "zone": entry.zone,
        "address": entry.address,
        "hash": found.hash,
    }
    if found.actor_name is not None:
        wire["actor_name"] = found.actor_name
    return wire
