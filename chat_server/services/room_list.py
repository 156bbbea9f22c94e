"""The room list of a person: unread counts, last message, mention flag, and what may be done there."""

from __future__ import annotations

from typing import Any

from chat_server.domain import limits
from chat_server.domain import rooms as rules
from chat_server.domain.actors import Actor
from chat_server.domain.errors import ROOM_NOT_FOUND, Problem
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Row
from chat_server.storage.queries import room_list as queries

Wire = dict[str, Any]


async def rooms_of(tx: Reader, actor: Actor) -> list[Wire]:
    """docs/protocol.md, Room; the most recently written first."""
    rows = await queries.of_person(tx, actor.user_id, limits.UNREAD_CAP)
    outsiders = await _outsiders(tx, rows)
    return [_room(actor, row, outsiders.get(row[0], [])) for row in rows]


async def room_of(tx: Reader, actor: Actor, room: str) -> Wire:
    """One of them. Raises `Problem` 3001."""
    row = await queries.one(tx, actor.user_id, room, limits.UNREAD_CAP)
    if row is None:
        raise Problem(ROOM_NOT_FOUND, field="room")
    outsiders = await _outsiders(tx, [row])
    return _room(actor, row, outsiders.get(row[0], []))


async def _outsiders(tx: Reader, rows: list[Row] | Any) -> dict[int, list[str]]:
    """Named in the header and at the composer: a post in the wrong room is what people fear most."""
    found: dict[int, list[str]] = {}
    shared = [row[0] for row in rows if row[2] != rules.MEMO]
    for room_id, name in await queries.outsiders(tx, shared):
        found.setdefault(room_id, []).append(name)
    return found


def _room(actor: Actor, row: Row, outsiders: list[str]) -> Wire:
    (
        room_id, room, kind, name, topic, history, outflow, archived_at, members, role, involvement, head, first, read,
        home, org_id, _key, unread, mentioned, at, author, text, redacted_at, last_seq, visible_seq, other, other_id,
    ) = row  # fmt: skip
    standing = Standing(
        room_id, room, org_id, kind, history, archived_at is not None, members, head, first, role, 0, visible_seq,
        read, 0, involvement,
    )  # fmt: skip
    last = None
    if at is not None and redacted_at is None and last_seq >= max(visible_seq, first):
        last = {"at": at, "author": author, "text": text}
    wire = {
        "id": room,
        "kind": kind,
        "name": other or name,
        "topic": topic,
        "history": history,
        "outflow": outflow,
        "archived": archived_at is not None,
        "members": members,
        "outsiders": outsiders,
        "role": role,
        "involvement": involvement,
        "head": head,
        "first": first,
        "read": read,
        "unread": unread,
        "mentioned": bool(mentioned) and involvement != "nothing",
        "last": last,
        "can": {
            "post": standing.can_post,
            "invite": standing.can_invite and not actor.is_guest,
            "manage": standing.can_manage,
        },
        "home": home,
    }
    if other_id is not None:
        wire["with"] = other_id
    return wire
