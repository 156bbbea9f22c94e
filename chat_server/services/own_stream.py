"""Everybody's own stream: memberships, own read markers, devices, the directory's version (docs/protocol.md, section 3)."""

from __future__ import annotations

from typing import Any

import msgspec

from chat_server.domain.events import UserEvent
from chat_server.ports import Tx
from chat_server.storage.queries import own_stream as queries

_pack = msgspec.msgpack.Encoder().encode


async def append(
    tx: Tx,
    user_id: int,
    org_id: int,
    kind: str,
    body: dict[str, Any],
    *,
    revoked_device: int | None = None,
    disabled: bool = False,
) -> int:
    """Write one event of `kind` into the stream of `user_id` and hand it to the hub; answers its seq.

    `body` holds the event's fields as they stand in docs/protocol.md. `revoked_device` (integer key) and `disabled`
    close sockets besides: they travel with the event and are not stored, a closed socket needs no replay.
    """
    seq = await queries.take_position(tx, user_id, org_id)
    await queries.insert(tx, user_id, seq, org_id, kind, _pack(body) if body else None)
    tx.emit(UserEvent(user_id, seq, kind, tx.now, body, revoked_device, disabled))
    return seq
