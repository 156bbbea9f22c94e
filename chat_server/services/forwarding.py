"""Forwarding: a message goes on to another room, with its author and time, as it is now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat_server.bot_blocks import Buttons
from chat_server.domain.actors import Actor
from chat_server.domain.errors import MESSAGE_NOT_FOUND, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Tx
from chat_server.services.access import visible_message
from chat_server.services.blocks import MENTION, AnyBlock, Text, attachment_blocks, fallback, words_of
from chat_server.services.photo_upload import PHOTO
from chat_server.services.rendering import Wire, blocks_of, pack, unpack
from chat_server.storage.queries import attachment_copies, messages
from chat_server.storage.queries.messages import Stored


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What goes along: texts with the mentions as plain names (a forward calls nobody), and the attachments' keys."""

    source: dict[str, Any]
    blocks: tuple[AnyBlock, ...]
    attachments: tuple[tuple[int, str], ...]
    """(integer key, kind)"""

    @property
    def photos(self) -> int:
        return sum(kind == PHOTO for _, kind in self.attachments)


async def prepare_forward(tx: Reader, actor: Actor, message: str) -> Forwarded:
    """Raises `Problem` 4001 unless the actor may see the message now."""
    stored, _ = await visible_message(tx, actor, message)
    if stored.redacted_at is not None:
        raise Problem(MESSAGE_NOT_FOUND, field="forward")
    texts: list[AnyBlock] = [Text(text=words) for words in plain_words(stored)]
    source = unpack(stored.forward) if stored.forward else {
        "author": stored.author_name,
        "department": stored.author_department,
        "at": stored.created_at,
    }  # fmt: skip
    return Forwarded(source, tuple(texts), tuple(await attachment_copies.sources(tx, stored.id)))


def plain_words(stored: Stored) -> list[str]:
    """What each of its blocks says, the mentions as names. A card goes on as words: its buttons are the room's that it is in."""
    names: dict[str, str] = unpack(stored.mentions) if stored.mentions else {}

    def name(match: re.Match[str]) -> str:
        return "@" + names.get(match[3] or f"{match[1]}:{match[2]}", "?")

    said = (None if isinstance(block, Buttons) else words_of(block) for block in blocks_of(stored))
    return [MENTION.sub(name, words) for words in said if words is not None]


async def take_along(
    tx: Tx,
    actor: Actor,
    room: Standing,
    stored: Stored,
    message_id: int,
    blocks: tuple[AnyBlock, ...],
    forwarded: Forwarded,
    own: Sequence[Wire],
) -> tuple[Stored, list[Wire]]:
    """Copy the source's attachments (rows, not bytes) behind the writer's own, and name the copies in the blocks."""
    copies = [
        await attachment_copies.copy(
            tx, source, new_id(tx.now), actor.user_id, room.org_id, room.room_id, message_id, position, actor.zone
        )
        for position, (source, _) in enumerate(forwarded.attachments, start=len(own))
    ]
    blocks += tuple(attachment_blocks((copy["id"], copy["kind"]) for copy in copies))
    names: dict[str, str] = unpack(stored.mentions) if stored.mentions else {}
    stored = stored._replace(text=fallback(blocks, names), blocks=pack(blocks), attachments=len(own) + len(copies))
    await messages.set_content(tx, message_id, stored.text, stored.blocks, stored.attachments)
    return stored, [*own, *copies]
