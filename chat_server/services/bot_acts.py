"""What a bot does besides posting: it pins in its room; in a memo room it sends on and tidies up, for the one whose room it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.bot_wire import Pin, SendOn, Tidy
from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, MESSAGE_NOT_FOUND, ROOM_KIND_FORBIDS, Problem
from chat_server.domain.rooms import MEMO
from chat_server.ports import Tx
from chat_server.services import changing, commands, messages, tidying
from chat_server.services.access import visible_message
from chat_server.services.drafts import draft
from chat_server.storage.queries import memo_rooms as queries
from chat_server.storage.queries.bots import Due
from chat_server.storage.queries.messages import Stored

_NO_REF: Final = 1
_OLDEST: Final = 3650
"""Days."""


async def carry_out(
    tx: Tx, bot: Actor, due: Due, pins: Sequence[Pin], sends: Sequence[SendOn], tidy: Tidy | None, key: bytes
) -> list[str]:
    """All of it; answers what is to be said about it in the room. `key`: see `messages.send`. Raises `Problem` 2001, 3005."""
    for one in pins:
        if await _here(tx, bot, due, one.message) is not None:
            await changing.pin(tx, bot, commands.Pin(ref=_NO_REF, message=one.message, on=one.on))
    if not sends and tidy is None:
        return []
    owner = await queries.owner(tx, due.room_id) if due.room_kind == MEMO else None
    if owner is None:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    told = [await _send_on(tx, bot, owner, due, number, one, key) for number, one in enumerate(sends)]
    if tidy is not None:
        _check(tidy)
        await tidying.ask(tx, due.room_id, due.org_id, tidy.before, tidy.days)
    return told


async def _here(tx: Tx, bot: Actor, due: Due, message: str) -> Stored | None:
    """A message of this very room that is still there: ids that a bot may remember from elsewhere are none."""
    try:
        stored, standing = await visible_message(tx, bot, message)
    except Problem as problem:
        if problem.fault is not MESSAGE_NOT_FOUND:
            raise
        return None
    return stored if standing.room_id == due.room_id and stored.redacted_at is None else None


async def _send_on(tx: Tx, bot: Actor, owner: queries.Owner, due: Due, number: int, one: SendOn, key: bytes) -> str:
    """As if the room's owner forwarded it, with the rights that they have now, in the zone where the memo was written. Not to where
    others than colleagues are: that is for a page that names them first. What becomes of it is for the owner, not for the bot."""
    stored = await _here(tx, bot, due, one.message)
    if stored is None:
        return "そのメモはもうありません。"
    found = await queries.rooms_named(tx, owner.user_id, one.room.strip())
    if not found:
        return f"「{one.room}」というトークルームはありません。"
    if len(found) > 1:
        names = "、".join(dict.fromkeys(room.name for room in found))
        return (
            f"「{one.room}」にあたるトークルームが{len(found)}件あります（{names}）。画面の「転送」から送ってください。"
        )
    [room] = found
    if room.outsiders:
        return f"「{room.name}」には団体の外の人がいます。画面の「転送」から、相手を確かめて送ってください。"
    person = Actor(owner.user_id, owner.org_id, 0, owner.id, "", owner.kind, owner.name, stored.zone, "")
    command = commands.Send(
        ref=_NO_REF, room=room.room, client_msg_id=f"bot-{due.key}-on-{number}", forward=stored.public_id
    )
    try:
        await messages.send(tx, person, draft(command), key)
    except Problem as problem:
        return str(problem.as_dict()["ja"])
    return f"「{room.name}」に送りました。"


def _check(tidy: Tidy) -> None:
    if not -1 <= tidy.days <= _OLDEST:
        raise Problem(INVALID_FIELD, field="tidy", reason=f"days: 0–{_OLDEST}")
