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
    mentioned = await find(tx, actor, room, tokens)
    if mentioned.names.keys() != set(tokens):
        raise Problem(MENTION_UNKNOWN, field="blocks")
    mentioned.users.discard(actor.user_id)
    return mentioned


async def find(reader: Reader, actor: Actor, room: Standing, tokens: Sequence[str]) -> Mentioned:
    """Those of them who can be called in the room now; the author, too."""
    mentioned = Mentioned()
    if EVERYONE in tokens:
        mentioned.everyone = True
        mentioned.names[EVERYONE] = "全員"
    if users := _ids("user:", tokens):
        for user, (user_id, name) in (await queries.members(reader, room.room_id, users)).items():
            mentioned.names[f"user:{user}"] = name
            mentioned.users.add(user_id)
    if departments := _ids("department:", tokens):
        found = await queries.departments(reader, room.room_id, actor.org_id, departments)
        for department, (name, members) in found.items():
            mentioned.names[f"department:{department}"] = name
            mentioned.users |= members
    return mentioned


def _ids(kind: str, tokens: Sequence[str]) -> list[str]:
    return [token.removeprefix(kind) for token in tokens if token.startswith(kind)]
