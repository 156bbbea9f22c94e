"""A message after its commit: who is rung, who only has the number put right, who neither, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from chat_server.domain import limits
from chat_server.domain.push import TIME_ZONE, Act, Decision, Listener, Said, Why, decide
from chat_server.domain.rooms import MEMO
from chat_server.ports import Reader, Row
from chat_server.storage.queries import organizations, push_tokens
from chat_server.storage.queries import push_recipients as queries
from chat_server.storage.queries.push_recipients import Posted
from chat_server.storage.queries.push_tokens import PushToken

Looking = Callable[[int], Collection[int]]
"""Who has the room (integer key) on a screen at this moment, by integer keys."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """`quiet`: those of whom no device is rung, by `domain.push.Why`. `wake`: a decision for each device."""

    message: Posted
    quiet: dict[str, list[int]]
    wake: list[tuple[PushToken, Decision]]


async def expand(
    reader: Reader, places: Sequence[tuple[int, int]], looking: Looking, most_trusted: str
) -> list[Expansion]:
    """Of each message at (room, seq), integer keys; those that are gone are left out. One query a message tells all that
    its members set, and one where the devices are of those who are to be woken."""
    found = await queries.posted(reader, places)
    return [await _expand(reader, message, looking, most_trusted) for message in found.values()]


async def _expand(reader: Reader, message: Posted, looking: Looking, most_trusted: str) -> Expansion:
    said = Said(
        message.author_id, message.seq, message.room_kind, message.level, message.everybody, message.asks,
        message.answers, message.redacted,
    )  # fmt: skip
    silent = await _silent(reader, message)
    reading = set(looking(message.room_id))
    quiet: dict[str, list[int]] = {}
    waking: dict[int, Decision] = {}
    for row in await queries.members(reader, message.room_id, message.ordinal):
        decision = decide(said, _listener(row, reading, reader.now), reader.now)
        if silent is not None and decision.act is not Act.NOTHING:
            decision = Decision(Act.NOTHING, silent)
        if decision.act is Act.RING:
            waking[int(row[0])] = decision
        else:
            quiet.setdefault(decision.why.value, []).append(int(row[0]))
            if decision.act is Act.BADGE:
                waking[int(row[0])] = decision
    tokens = await push_tokens.live_of(reader, list(waking), most_trusted=most_trusted)
    here = {token.user_id for token in tokens}
    nowhere = [user for user, decision in waking.items() if decision.act is Act.RING and user not in here]
    if nowhere:
        quiet[Why.NO_DEVICE.value] = nowhere
    return Expansion(message, quiet, [(token, waking[token.user_id]) for token in tokens])


async def _silent(reader: Reader, message: Posted) -> Why | None:
    """Why nobody at all is woken."""
    if message.created_at < reader.now - limits.PUSH_LIVES:
        # it would ring for something that everybody has seen or heard of by now
        return Why.TOO_OLD
    if message.room_kind == MEMO and (await organizations.policy(reader, message.org_id)).memo_pad != "everywhere":
        # where there is no memo pad, nothing may tell of it
        return Why.NOT_HERE
    return None


def _listener(row: Row, reading: set[int], now: int) -> Listener:
    user_id, kind, disabled_at, ends_at, involvement, visible, read, mentioned, level, wanted, duty, *hours = row
    return Listener(
        user_id=int(user_id),
        person=kind != "bot",
        ended=disabled_at is not None or (ends_at is not None and ends_at <= now),
        involvement=involvement,
        visible_seq=visible,
        read_seq=read,
        mentioned=mentioned is not None,
        room_level=level,
        wanted=wanted or "mentions_and_direct",
        duty=duty or "on",
        quiet_from=hours[0],
        quiet_to=hours[1],
        time_zone=hours[2] or TIME_ZONE,
        reading=user_id in reading,
    )
