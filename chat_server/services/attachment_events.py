"""Telling a room that an attachment of one of its messages changed (docs/protocol.md, room event `attachment`)."""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.domain.events import RoomEvent
from chat_server.ports import Tx
from chat_server.services.rendering import pack
from chat_server.storage.queries import attachments, rooms, search


async def changed(tx: Tx, attachment_id: int, actor: Actor | None = None) -> None:
    """Write the event and tell the hub: by `actor`, or of itself in its sender's name. Nobody is told of an upload that is in no message, or in one that was redacted."""
    sent = await attachments.sent(tx, attachment_id)
    if sent is None:
        return
    data = {"attachment": sent.wire["id"]}
    await search.changed(tx, sent.message_id)
    seq = await rooms.next_seq(tx, sent.room_id)
    await rooms.add_event(
        tx,
        sent.room_id,
        seq,
        sent.org_id,
        "attachment",
        actor.user_id if actor else sent.uploader_id,
        sent.message_id,
        sent.message_seq,
        pack(data),
    )
    by = actor.id if actor else sent.uploader
    body = {"target": sent.message_seq, "id": sent.message, "attachment": sent.wire}
    tx.emit(RoomEvent(sent.room_id, sent.room, seq, "attachment", tx.now, by, body, target=sent.message_seq))
