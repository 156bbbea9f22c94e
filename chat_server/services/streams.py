"""Resuming: what is to be done for each stream of a person, by what the client holds (docs/protocol.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.events import EVERYTHING, Ranges
from chat_server.ports import Reader
from chat_server.services.access import away
from chat_server.storage.queries import rooms, streams
from chat_server.storage.queries.streams import Head

LIVE: Final = "live"
REPLAY: Final = "replay"
RESYNC: Final = "resync"
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where the person stands everywhere, and what has to happen for each stream."""

    me: tuple[int, str]
    """(head, state) of the own stream"""
    rooms: list[tuple[Head, str, Ranges]]
    """(position, state, what may be seen)"""


async def plan(tx: Reader, actor: Actor, me: int, held: dict[str, int], *, same_epoch: bool) -> Resumption:
    """Compare what the client holds with what there is."""
    first, last = await streams.own_head(tx, actor.user_id)
    own = (last, _state(me, first, last) if same_epoch else RESYNC)
    hidden, _ = await away(tx, actor) or (None, "")
    heads = [head for head in await streams.heads(tx, actor.user_id) if head.room_id != hidden]
    partly = any(head.visible_seq > 1 for head in heads)
    intervals = await rooms.all_intervals(tx, actor.user_id) if partly else {}
    found = []
    for head in heads:
        visible = EVERYTHING if head.visible_seq <= 1 else intervals[head.room_id]
        found.append((head, _room_state(head, held, same_epoch), visible))
    return Resumption(own, found)


def _room_state(head: Head, held: dict[str, int], same_epoch: bool) -> str:
    position = held.get(head.room)
    if position is None:
        return LIVE
    return _state(position, head.first_seq, head.last_seq) if same_epoch else RESYNC


def _state(position: int, first: int, last: int) -> str:
    """A position beyond the head cannot come from this stream; one below its first event has lost its place."""
    if position == last:
        return LIVE
    if position > last or position < first - 1 or last - position > limits.REPLAY_EVENTS:
        return RESYNC
    return REPLAY
