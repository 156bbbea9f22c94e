"""Whose presence one may watch: those one may know of at all."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.storage.queries import presence as queries


async def visible_people(tx: Reader, actor: Actor, users: Sequence[str]) -> list[str]:
    """Those of `users` (public ids) who share a room with the actor or, unless a guest asks, the organization."""
    if not users:
        return []
    return await queries.visible(tx, actor.user_id, 0 if actor.is_guest else actor.org_id, users)
