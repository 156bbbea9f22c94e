"""Upload links of a whole organization, for its administrators: who asked whom for what, until when; and taken back."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.errors import LINK_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit, link_wire
from chat_server.services.authority import require_administrator
from chat_server.services.link_news import told
from chat_server.storage.queries import upload_links as queries
from chat_server.storage.queries.upload_links import Link

LISTED: Final = 200
Wire = dict[str, Any]


async def living(reader: Reader, actor: Actor) -> list[Wire]:
    """Those that are good, the next deadline first. Raises `Problem` 2008."""
    require_administrator(actor)
    found = await queries.of_organization(reader, actor.org_id, LISTED)
    names = await queries.room_names(reader, [link.room_id for link in found])
    return [_wire(reader, link, names[link.room_id]) for link in found]


async def revoke(tx: Tx, actor: Actor, public_id: str) -> Wire:
    """As its asker might, from outside of its room; the room is told. What came in stays. Raises `Problem` 2008, 7103."""
    require_administrator(actor)
    link = await queries.find(tx, public_id) if is_id(public_id) else None
    if link is None or link.org_id != actor.org_id:
        raise Problem(LINK_NOT_FOUND, field="link")
    if link.revoked_at is None:
        await queries.revoke(tx, link.id)
        await audit.record_by(tx, actor, "link.revoke", public_id, {"room": link.room})
        await told(tx, link)
        link = await queries.by_id(tx, link.id)
    return _wire(tx, link, (await queries.room_names(tx, [link.room_id]))[link.room_id])


def _wire(reader: Reader, link: Link, room_name: str) -> Wire:
    """What administrators may know of a room that they are not in: less than its members."""
    all_ = link_wire.link(reader, link)
    shown = (
        "id", "room", "state", "given", "asker", "recipient", "company", "purpose", "once", "at", "ends", "received_files",
        "received_bytes",
    )  # fmt: skip
    return {name: all_[name] for name in shown} | {"room_name": room_name}
