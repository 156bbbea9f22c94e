"""What is done to a message after it was sent: edit, redact, react, pin, bookmark."""

from __future__ import annotations

from typing import Any

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    CANCEL_TOO_LATE,
    INVALID_FIELD,
    NOT_AUTHOR,
    TOO_MANY_REACTIONS,
    VERSION_CONFLICT,
    Problem,
)
from chat_server.domain.events import EventKind, RoomEvent
from chat_server.domain.rooms import OWNER, Standing
from chat_server.ports import Tx
from chat_server.services import audit, own_stream
from chat_server.services.access import check_can_post, living_message, visible_message
from chat_server.services.answers import Ack
from chat_server.services.blocks import attachment_kinds, clean_text, fallback
from chat_server.services.commands import Bookmark, Edit, Pin, React, Redact
from chat_server.services.drafts import Draft
from chat_server.services.mentions import resolve
from chat_server.services.rendering import blocks_of, pack, render_one
from chat_server.storage.queries import bots, messages, rooms, search
from chat_server.storage.queries.messages import Stored


async def edit(tx: Tx, actor: Actor, draft: Draft[Edit]) -> Ack:
    """Replace the words of one's own message; the old ones are sealed.

    Raises `Problem` 4001, 4004 (not the author), 4005 (edited elsewhere), 3002, 3003, 4008 (mention), 2001. Photos
    and files stay as they were: they are taken back by withdrawing them, or by redacting the message.
    """
    command, blocks = draft.command, draft.blocks
    stored, standing = await living_message(tx, actor, command.message)
    if stored.author_id != actor.user_id:
        raise Problem(NOT_AUTHOR, field="message")
    check_can_post(standing)
    if command.version != stored.version:
        raise Problem(VERSION_CONFLICT, field="version", version=stored.version)
    before = blocks_of(stored)
    if list(attachment_kinds(blocks).items()) != list(attachment_kinds(before).items()):
        raise Problem(INVALID_FIELD, field="blocks", reason="photos and files cannot change")
    mentioned = await resolve(tx, actor, standing, draft.mentions) if draft.mentions else None
    names = mentioned.names if mentioned else {}
    content = pack(blocks)
    if content == stored.blocks:
        return Ack(room=standing.room, id=stored.public_id, at=tx.now)
    await messages.seal_version(tx, stored, actor.user_id)
    await search.changed(tx, stored.id)
    await messages.edit(tx, stored.id, stored.version, fallback(blocks, names), content, pack(names) if names else None)
    # Whoever is not called any more must not go on being told so.
    await messages.replace_calls(tx, stored.id, everyone=mentioned is not None and mentioned.everyone)
    for user_id in mentioned.users if mentioned else ():
        await messages.add_mention(tx, user_id, stored.room_id, stored.ordinal, stored.org_id, stored.id)
    await bots.expect_change(tx, stored.room_id, stored.seq, "edit", stored.version)
    now = await messages.by_ids(tx, [stored.id])
    return await record(tx, actor, standing, stored, "edit", {"message": await render_one(tx, now[stored.id])})


async def redact(tx: Tx, actor: Actor, command: Redact) -> Ack:
    """Hide a message from everyone, or cancel one's own (送信取消). Redacting twice changes nothing.

    Also in an archived room: a post that should not be there must stay removable for as long as it can be read.

    Raises `Problem` 4001, 4004, 4006 (too late to cancel).
    """
    stored, standing = await visible_message(tx, actor, command.message)
    own = stored.author_id == actor.user_id
    if not own and (command.how == "cancelled" or standing.role != OWNER):
        raise Problem(NOT_AUTHOR, field="message")
    if stored.redacted_at is not None:
        return Ack(room=standing.room, id=stored.public_id, at=tx.now)
    if command.how == "cancelled" and tx.now - stored.created_at > limits.CANCEL_WITHIN:
        raise Problem(CANCEL_TOO_LATE, field="how")
    await search.changed(tx, stored.id)
    await messages.redact(tx, stored.id, actor.user_id, command.how)
    await bots.expect_change(tx, stored.room_id, stored.seq, "removed", stored.version)
    if not own:
        await audit.record_by(tx, actor, "message.redact", stored.public_id, {"room": standing.room})
    return await record(
        tx,
        actor,
        standing,
        stored,
        "redaction",
        {"id": stored.public_id, "how": command.how},
        data={"how": command.how},
    )


async def react(tx: Tx, actor: Actor, command: React) -> Ack:
    """Give or take back a reaction. Raises `Problem` 4001, 3002, 4009, 2001."""
    stored, standing = await living_message(tx, actor, command.message)
    key = clean_text(command.key).strip()
    if not key or "\n" in key:
        raise Problem(INVALID_FIELD, field="key", reason="1–32 characters, one line")
    if command.on:
        keys = await messages.reaction_keys(tx, stored.id)
        if key not in keys and len(keys) >= limits.REACTION_KINDS:
            raise Problem(TOO_MANY_REACTIONS, field="key")
    if not await messages.react(tx, stored, actor.user_id, key, command.on):
        return Ack(room=standing.room, id=stored.public_id, at=tx.now)
    data = {"key": key, "on": command.on}
    return await record(
        tx, actor, standing, stored, "reaction", {"id": stored.public_id, "user": actor.id, **data}, data=data
    )


async def pin(tx: Tx, actor: Actor, command: Pin) -> Ack:
    """Pin a message for the whole room, by those who may post. Raises `Problem` 4001, 3002, 3003."""
    stored, standing = await living_message(tx, actor, command.message)
    check_can_post(standing)
    if not await messages.pin(tx, stored.id, command.on):
        return Ack(room=standing.room, id=stored.public_id, at=tx.now)
    data = {"on": command.on}
    return await record(tx, actor, standing, stored, "pin", {"id": stored.public_id, **data}, data=data)


async def bookmark(tx: Tx, actor: Actor, command: Bookmark) -> Ack:
    """A private mark: it goes to one's own stream and nobody else's. Raises `Problem` 4001."""
    stored, standing = await visible_message(tx, actor, command.message)
    if await messages.bookmark(tx, actor.user_id, stored, command.on):
        body = {"message": stored.public_id, "room": standing.room, "on": command.on}
        await own_stream.append(tx, actor.user_id, actor.org_id, "bookmark", body)
    return Ack()


async def record(
    tx: Tx,
    actor: Actor,
    standing: Standing,
    stored: Stored,
    kind: EventKind,
    body: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> Ack:
    """Write the event that refers to `stored` and tell the hub. `data` holds what a replay cannot look up."""
    seq = await rooms.next_seq(tx, standing.room_id)
    await rooms.add_event(
        tx, standing.room_id, seq, standing.org_id, kind, actor.user_id, stored.id, stored.seq,
        pack(data) if data else None,
    )  # fmt: skip
    body = {"target": stored.seq, **body}
    tx.emit(RoomEvent(standing.room_id, standing.room, seq, kind, tx.now, actor.id, body, target=stored.seq))
    return Ack(room=standing.room, id=stored.public_id, seq=seq, at=tx.now)
