"""Attachments: from an upload to a part of a message, and back to whoever may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.errors import ATTACHMENT_NOT_FOUND, ATTACHMENT_USED, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import attachments as queries

_FIELD = "blocks.ids"


async def claim_attachments(
    tx: Tx, actor: Actor, kinds: Mapping[str, str], room: Standing, message_id: int
) -> list[dict[str, Any]]:
    """Make own uploads part of a message, in the order of `kinds` (id to the kind that its block shows); answers their
    wire form.

    The attachment moves to the room's home organization, whose retention rules it. Its renditions go on naming the
    organization under which their bytes were received: no file moves inside a transaction, and a blob is swept only
    when no rendition of anybody names it.

    Raises `Problem` 5001 (not an own upload, not ready, or of another kind), 5007 (sent already).
    """
    claimed: list[dict[str, Any]] = []
    for position, (public_id, kind) in enumerate(kinds.items()):
        upload = await queries.waiting(tx, actor.user_id, public_id) if is_id(public_id) else None
        if upload is None or upload.wire["kind"] != kind or upload.wire["state"] != "ready":
            raise Problem(ATTACHMENT_NOT_FOUND, _FIELD)
        bound = not upload.sent and await queries.claim(
            tx, upload.id, org_id=room.org_id, room_id=room.room_id, message_id=message_id, position=position
        )
        if not bound:
            raise Problem(ATTACHMENT_USED, _FIELD)
        claimed.append(upload.wire)
    return claimed


async def wire_attachments(reader: Reader, message_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The wire form of the attachments of several messages (integer keys); messages without any are absent."""
    return await queries.wire_of_messages(reader, message_ids)
