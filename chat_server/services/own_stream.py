"""Everybody's own stream: memberships, own read markers, devices, the directory's version (docs/protocol.md, section 3).

Every read on one device is an event here, so that the others hear of it: somebody's stream grows by hundreds a day.
Only the newest can ever be replayed (`resume` answers `resync` beyond `limits.REPLAY_EVENTS`), so the sweeper takes
away what is older, and no client can tell. A later read does not replace an earlier one: the stream is dense, and a
client that holds the earlier event's seq would drop the new one as known.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.events import OwnKind, UserEvent
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import own_stream as queries

STEP: Final = 500
"""Events that a transaction takes away: keeps the writer free (20 ms)."""
_pack = msgspec.msgpack.Encoder().encode


async def append(
    tx: Tx,
    user_id: int,
    org_id: int,
    kind: OwnKind,
    body: dict[str, Any],
    *,
    revoked_device: int | None = None,
    disabled: bool = False,
    not_after: int | None = None,
    barred_device: int | None = None,
) -> int:
    """Write one event of `kind` into the stream of `user_id` and hand it to the hub; answers its seq.

    `body` holds the event's fields as they stand in docs/protocol.md. `revoked_device` and `barred_device`
    (integer keys), `disabled` and `not_after` end sockets besides: they travel with the event and are not stored, a closed socket needs no replay.
    """
    seq = await queries.take_position(tx, user_id, org_id)
    await queries.insert(tx, user_id, seq, org_id, kind, _pack(body) if body else None)
    tx.emit(UserEvent(user_id, seq, kind, tx.now, body, revoked_device, disabled, not_after, barred_device))
    return seq


async def overgrown(tx: Reader) -> list[int]:
    """Whose streams (integer keys) `trim` has something to do in."""
    return await queries.longer_than(tx, limits.REPLAY_EVENTS + STEP - 1)


async def trim(tx: Tx, user_id: int) -> bool:
    """Take the oldest events away, some at once, as long as all that may be replayed are left; true if it did."""
    return await queries.drop_first(tx, user_id, STEP, keep=limits.REPLAY_EVENTS)
