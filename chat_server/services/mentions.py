"""Mentions: who is meant, by which name, and who may be called at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chat_server.domain.actors import Actor
from chat_server.domain.errors import MENTION_UNKNOWN, Problem
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader
from chat_server.services.blocks import EVERYONE
from chat_server.storage.queries import mentions as queries


@dataclass(slots=True)
class Mentioned:
    """`names`: token → name for the fallback text and the wire. `users`: integer keys, never the author."""

    names: dict[str, str] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)
    everyone: bool = False


async def resolve(tx: Reader, actor: Actor, room: Standing, tokens: Sequence[str]) -> Mentioned:
    """Only members of the room can be mentioned. Raises `Problem` 4008: nobody is told that a stranger exists."""
    mentioned = Mentioned()
    for token in tokens:
        if token == EVERYONE:
            mentioned.everyone = True
            mentioned.names[token] = "全員"
            continue
        kind, _, public_id = token.partition(":")
        if kind == "user":
            found = await queries.member(tx, room.room_id, public_id)
            if found is None:
                raise Problem(MENTION_UNKNOWN, field="blocks")
            mentioned.users.add(found[0])
            mentioned.names[token] = found[1]
        else:
            name = await queries.department_name(tx, actor.org_id, public_id)
            users = await queries.department_members(tx, room.room_id, actor.org_id, public_id)
            if name is None or not users:
                raise Problem(MENTION_UNKNOWN, field="blocks")
            mentioned.users |= users
            mentioned.names[token] = name
    mentioned.users.discard(actor.user_id)
    return mentioned
