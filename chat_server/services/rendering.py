"""A message as every member may see it, in every zone (docs/protocol.md, "Message").

Rendered when it is sent: a replay shows the state of now, so what was redacted or edited away never comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chat_server.domain import limits
from chat_server.ports import Reader
from chat_server.services.attachments import wire_attachments
from chat_server.services.blocks import AnyBlock
from chat_server.storage.queries import messages
from chat_server.storage.queries.messages import Stored

Wire = dict[str, Any]

pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder().decode
_blocks = msgspec.msgpack.Decoder(tuple[AnyBlock, ...]).decode


def blocks_of(stored: Stored) -> tuple[AnyBlock, ...]:
    """What a message holds, unpacked."""
    return _blocks(stored.blocks)


def render(stored: Stored, attachments: list[Wire] | None, reactions: list[Wire] | None) -> Wire:
    """The Message map. A redacted message keeps its place and its author, and nothing that was said."""
    wire: Wire = {
        "id": stored.public_id,
        "seq": stored.seq,
        "ordinal": stored.ordinal,
        "at": stored.created_at,
        "kind": stored.kind,
        "author": {
            "id": stored.author,
            "name": stored.author_name,
            "department": stored.author_department,
            "post": stored.author_post,
            "kind": stored.author_kind,
        },
    }
    if stored.redacted_at is not None:
        wire["redacted"] = stored.redacted_at
        return wire
    wire["version"] = stored.version
    wire["text"] = stored.text
    wire["blocks"] = unpack(stored.blocks)
    if stored.mentions is not None:
        wire["mentions"] = unpack(stored.mentions)
    if stored.quote is not None:
        wire["quote"] = {"id": stored.quote, "seq": stored.quote_seq}
    if stored.forward is not None:
        wire["forward"] = unpack(stored.forward)
    if attachments:
        wire["attachments"] = attachments
    if stored.edited_at is not None:
        wire["edited"] = stored.edited_at
    if stored.confirm_by is not None:
        wire["confirm"] = {"by": stored.confirm_by}
    if stored.level is not None:
        wire["level"] = stored.level
    if stored.pinned_at is not None:
        wire["pinned"] = True
    if reactions:
        wire["reactions"] = reactions
    return wire


async def render_many(tx: Reader, stored: Sequence[Stored]) -> dict[int, Wire]:
    """Several messages, by integer key, in three queries."""
    living = [message for message in stored if message.redacted_at is None]
    attachments = await wire_attachments(tx, [message.id for message in living if message.attachments])
    reactions = _grouped(await messages.reactions(tx, [message.id for message in living]))
    return {message.id: render(message, attachments.get(message.id), reactions.get(message.id)) for message in stored}


async def render_one(tx: Reader, stored: Stored) -> Wire:
    return (await render_many(tx, [stored]))[stored.id]


def _grouped(rows: Sequence[Sequence[Any]]) -> dict[int, list[Wire]]:
    grouped: dict[int, dict[str, Wire]] = {}
    for message_id, key, user in rows:
        reaction = grouped.setdefault(message_id, {}).setdefault(key, {"key": key, "count": 0, "users": []})
        reaction["count"] += 1
        if len(reaction["users"]) < limits.REACTION_USERS_SHOWN:
            reaction["users"].append(user)
    return {message_id: list(keys.values()) for message_id, keys in grouped.items()}
