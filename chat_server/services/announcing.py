"""Announcements: how much they matter (緊急, 重要, お知らせ), who may say so, and which of them one has yet to read."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, LEVEL_NOT_ALLOWED, Problem
from chat_server.domain.policy import allows
from chat_server.domain.rooms import ANNOUNCEMENT, Standing
from chat_server.ports import Reader
from chat_server.services.rendering import render_many
from chat_server.storage.queries import announcements as queries
from chat_server.storage.queries import messages, organizations

LOWEST: Final = "notice"
_RULES: Final = {"urgent": "announce_urgent", "important": "announce_important"}
UNREAD: Final = 50


async def level_of(reader: Reader, actor: Actor, room: Standing, asked: str | None) -> str | None:
    """Of what is posted there: the level that is asked for, or the lowest; None where the room is no announcement room.

    Raises `Problem` 2001 (levels are for announcement rooms), 4018 (not theirs to use).
    """
    if room.kind != ANNOUNCEMENT:
        if asked is not None:
            raise Problem(INVALID_FIELD, field="level", reason="only in announcement rooms")
        return None
    if asked is None or asked == LOWEST:
        return LOWEST
    # Bots have no roles: they announce what everybody may.
    if not allows(await organizations.policy(reader, room.org_id), _RULES[asked], actor.roles):
        raise Problem(LEVEL_NOT_ALLOWED, field="level")
    return asked


async def levels(reader: Reader, actor: Actor, org_id: int) -> list[str]:
    """Those that the actor may post with in the announcement rooms of an organization, the highest first."""
    rules = await organizations.policy(reader, org_id)
    return [*(level for level, rule in _RULES.items() if allows(rules, rule, actor.roles)), LOWEST]


async def unread(reader: Reader, actor: Actor) -> list[dict[str, Any]]:
    """What one has yet to read, by level, the newest first, up to `UNREAD`: `{room, name, message}`."""
    rows = await queries.unread(reader, actor.user_id, UNREAD)
    stored = await messages.by_ids(reader, [row.message_id for row in rows])
    rendered = await render_many(reader, list(stored.values()))
    return [{"room": row.room, "name": row.name, "message": rendered[row.message_id]} for row in rows]
