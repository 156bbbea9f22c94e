"""Sending a message. The way of one message, steps 2 and 3 of docs/protocol.md, in one transaction."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import CLIENT_MSG_ID_REUSED, INVALID_FIELD, MESSAGE_EMPTY, MESSAGE_NOT_FOUND, Problem
from chat_server.domain.events import RoomEvent
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import Standing
from chat_server.ports import Row, Tx
from chat_server.services.access import check_can_post, in_room, visible_message
from chat_server.services.announcing import level_of
from chat_server.services.answers import Ack
from chat_server.services.attachments import claim_attachments
from chat_server.services.blocks import AnyBlock, attachment_kinds, fallback, file_count, photo_count
from chat_server.services.commands import Send
from chat_server.services.confirming import again_at, check_due
from chat_server.services.drafts import Draft, check_length
from chat_server.services.forwarding import Forwarded, prepare_forward, take_along
from chat_server.services.mentions import resolve
from chat_server.services.rendering import Wire, pack, render
from chat_server.storage.queries import confirmations, messages, outbox, rooms
from chat_server.storage.queries.messages import Stored

_canonical = msgspec.msgpack.Encoder(order="deterministic")


async def send(tx: Tx, actor: Actor, draft: Draft[Send], body_key: bytes) -> Ack:
    """Post to a room the actor may post in now; the same `client_msg_id` gives the first answer again.

    Raises `Problem` 3001–3003 (room), 4003 (key reused), 4008 (mention), 5001, 5007 (attachments), 4001 (quote or
    forward not visible), 4002, 4007, 2001 (with what is forwarded; a time to confirm by that is none; a level where there
    are none), 4018 (level).
    """
    command = draft.command
    digest = _body_digest(command, body_key)
    earlier = await messages.find_send(tx, actor.user_id, command.client_msg_id)
    if earlier is not None:
        return await _first_answer(tx, earlier, digest)

    room = await in_room(tx, actor, command.room)
    check_can_post(room)
    forwarded = await prepare_forward(tx, actor, command.forward) if command.forward else None
    if command.confirm is not None:
        check_due(command.confirm, tx.now, room.kind)
    quote_id, quote_seq = await _quoted(tx, actor, room, command.quote)
    blocks = _content(draft.blocks, forwarded)
    return await _post(tx, actor, room, draft, blocks, forwarded, quote_id, quote_seq, digest)


def _content(written: tuple[AnyBlock, ...], forwarded: Forwarded | None) -> tuple[AnyBlock, ...]:
    """What is written and what goes along, within the limits of one message."""
    if forwarded is None:
        return written
    blocks = written + forwarded.blocks
    check_length(blocks)
    photos = photo_count(blocks) + forwarded.photos
    if photos > limits.PHOTOS:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.PHOTOS} photos with the forwarded ones")
    if photo_count(blocks) + file_count(blocks) + len(forwarded.attachments) > limits.FILES:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.FILES} files with the forwarded ones")
    if not blocks and not forwarded.attachments:
        raise Problem(MESSAGE_EMPTY, field="blocks")
    return blocks


async def _post(
    tx: Tx,
    actor: Actor,
    room: Standing,
    draft: Draft[Send],
    blocks: tuple[AnyBlock, ...],
    forwarded: Forwarded | None,
    quote_id: int | None,
    quote_seq: int | None,
    digest: bytes,
) -> Ack:
    author = await messages.author(tx, actor.user_id)
    mentioned = await resolve(tx, actor, room, draft.mentions) if draft.mentions else None
    names = mentioned.names if mentioned else {}
    uploads = attachment_kinds(blocks)
    seq, ordinal = await messages.take_position(tx, room.room_id)
    stored = Stored(
        id=0,
        public_id=new_id(tx.now),
        org_id=room.org_id,
        room_id=room.room_id,
        seq=seq,
        ordinal=ordinal,
        author_id=actor.user_id,
        author=actor.id,
        author_kind=author.kind,
        author_name=author.name,
        author_department=author.department,
        author_post=author.post,
        kind="text",
        text=fallback(blocks, names),
        blocks=pack(blocks),
        mentions=pack(names) if names else None,
        quote=draft.command.quote,
        quote_seq=quote_seq,
        forward=pack(forwarded.source) if forwarded else None,
        attachments=len(uploads) + (len(forwarded.attachments) if forwarded else 0),
        zone=actor.zone,
        version=1,
        pinned_at=None,
        created_at=tx.now,
        edited_at=None,
        redacted_at=None,
        confirm_by=draft.command.confirm,
        level=await level_of(tx, actor, room, draft.command.level),
    )
    everyone = mentioned is not None and mentioned.everyone
    message_id = await messages.insert(tx, stored, mention_all=everyone, quote_id=quote_id)
    if stored.confirm_by is not None:
        await confirmations.set_due(tx, message_id, stored.confirm_by, again_at(stored.confirm_by, tx.now))
    attachments: list[Wire] = []
    if uploads:
        attachments = await claim_attachments(tx, actor, uploads, room, message_id)
    if forwarded is not None and forwarded.attachments:
        stored, attachments = await take_along(tx, actor, room, stored, message_id, blocks, forwarded, attachments)
    for user_id in mentioned.users if mentioned else ():
        await messages.add_mention(tx, user_id, room.room_id, ordinal, room.org_id, message_id)
    await rooms.add_event(tx, room.room_id, seq, room.org_id, "message", actor.user_id, message_id)
    await outbox.put(tx, room.org_id, "message", room.room_id, seq)
    await messages.keep_send(
        tx, actor.user_id, draft.command.client_msg_id, actor.org_id, digest, room.room_id, seq, stored.public_id
    )
    body = {"message": render(stored, attachments, None)}
    tx.emit(RoomEvent(room.room_id, room.room, seq, "message", tx.now, actor.id, body))
    return Ack(room=room.room, id=stored.public_id, seq=seq, at=tx.now)


def _body_digest(command: Send, body_key: bytes) -> bytes:
    """Keyed, so that the table of answers does not let anybody test guesses of what was written.

    BLAKE2b's own key (RFC 7693, 2.9) instead of an HMAC: OpenSSL takes ten times as long to set one up.
    """
    asked = (command.room, command.blocks, command.quote, command.forward)
    # What came with later versions is left out where it is not used: a send from before an upgrade is known again.
    more = tuple(one for one in (command.confirm, command.level) if one is not None)
    body = _canonical.encode((*asked, *more))
    return hashlib.blake2b(body, digest_size=32, key=body_key).digest()


async def _first_answer(tx: Tx, earlier: Row, digest: bytes) -> Ack:
    body_hash, room_id, seq, message, at = earlier
    if not hmac.compare_digest(body_hash, digest):
        raise Problem(CLIENT_MSG_ID_REUSED, field="client_msg_id")
    return Ack(room=await rooms.public_id(tx, room_id), id=message, seq=seq, at=at, replay=True)


async def _quoted(tx: Tx, actor: Actor, room: Standing, quote: str | None) -> tuple[int | None, int | None]:
    """A quote points within its own room only, at what the writer may see (GHSA-r4fm-g65h-cr54)."""
    if quote is None:
        return None, None
    stored, standing = await visible_message(tx, actor, quote)
    if standing.room_id != room.room_id or stored.redacted_at is not None:
        raise Problem(MESSAGE_NOT_FOUND, field="quote")
    return stored.id, stored.seq
