"""What a bot does besides posting: it pins in its room; in a memo room it sends on and tidies up, for the one whose room it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.bot_wire import Pin, SendOn, Tidy
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, MESSAGE_NOT_FOUND, ROOM_KIND_FORBIDS, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.rooms import MEMO
from chat_server.domain.text import nfkc
from chat_server.ports import Tx
from chat_server.services import changing, commands, messages, tidying
from chat_server.services.access import visible_message
from chat_server.services.bot_posts import NOT_HERE
from chat_server.services.drafts import draft
from chat_server.storage.queries import memo_rooms as queries
from chat_server.storage.queries import messages as stored_messages
from chat_server.storage.queries.bots import Due
from chat_server.storage.queries.messages import Stored

_NO_REF: Final = 1
_MESSAGE: Final = "message"
_OLDEST: Final = 3650
"""Days."""
_NAMED: Final = 5
"""Rooms that are named where several are meant."""


async def carry_out(
    tx: Tx, bot: Actor, due: Due, pins: Sequence[Pin], sends: Sequence[SendOn], tidy: Tidy | None, key: bytes
) -> list[str]:
    """All of it; answers what is to be said about it in the room. `key`: see `messages.send`. Raises `Problem` 2001, 3005."""
    for one in pins:
        if await _here(tx, bot, due, one.message) is not None:
            await _pin(tx, bot, one)
    if not sends and tidy is None:
        return []
    owner = await queries.owner(tx, due.room_id) if due.room_kind == MEMO else None
    if owner is None:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    zone = await _asked_from(tx, due) if sends else ""
    told = [await _send_on(tx, bot, owner, due, zone, number, one, key) for number, one in enumerate(sends)]
    if tidy is not None:
        _check(tidy)
        await tidying.ask(tx, due.room_id, due.org_id, tidy.before, tidy.days)
    return told


async def _pin(tx: Tx, bot: Actor, one: Pin) -> None:
    """Where it may not write it does not pin either: passed over, as a post is."""
    try:
        await changing.pin(tx, bot, commands.Pin(ref=_NO_REF, message=one.message, on=one.on))
    except Problem as problem:
        if problem.fault not in NOT_HERE:
            raise


async def _here(tx: Tx, bot: Actor, due: Due, message: str) -> Stored | None:
    """A message of this very room that is still there: ids that a bot may remember from elsewhere are none."""
    if not is_id(message):
        return None
    try:
        stored, standing = await visible_message(tx, bot, message)
    except Problem as problem:
        if problem.fault is not MESSAGE_NOT_FOUND:
            raise
        return None
    return stored if standing.room_id == due.room_id and stored.redacted_at is None else None


async def _asked_from(tx: Tx, due: Due) -> str:
    """The zone of the words that the bot was told of. Where the memo was written says nothing: a file of the desk's would leave by words
    from a phone. Empty, which is no zone and lets nothing out, where nobody said them, or they were changed since, from wherever."""
    if due.kind != _MESSAGE or due.seq is None:
        return ""
    found = await stored_messages.page(tx, due.room_id, due.seq - 1, due.seq + 1, 1, newest=True)
    return found[0].zone if found and found[0].version == 1 else ""


async def _send_on(
    tx: Tx, bot: Actor, owner: queries.Owner, due: Due, zone: str, number: int, one: SendOn, key: bytes
) -> str:
    """As if the room's owner forwarded it, with the rights that they have now, in the zone where they asked for it. Not to where
    others than colleagues are: that is for a page that names them first. What becomes of it is for the owner, not for the bot."""
    stored = await _here(tx, bot, due, one.message)
    if stored is None:
        return "そのメモはもうありません。"
    wanted = one.room.strip()[: limits.NAME_CHARS]
    found = await _rooms_named(tx, owner, wanted)
    if not found:
        return f"「{wanted}」というトークルームはありません。"
    if len(found) > 1:
        names = "、".join(dict.fromkeys(room.name for room in found[:_NAMED]))
        return (
            f"「{wanted}」にあたるトークルームが{len(found)}件あります（{names}）。画面の「転送」から送ってください。"
        )
    [room] = found
    if await queries.has_outsiders(tx, room.room_id):
        return f"「{room.name}」には団体の外の人がいます。画面の「転送」から、相手を確かめて送ってください。"
    person = Actor(owner.user_id, owner.org_id, 0, owner.id, "", owner.kind, owner.name, zone, "")
    command = commands.Send(
        ref=_NO_REF, room=room.room, client_msg_id=f"bot-{due.key}-on-{number}", forward=stored.public_id
    )
    try:
        await messages.send(tx, person, draft(command), key)
    except Problem as problem:
        return str(problem.as_dict()["ja"])
    return f"「{room.name}」に送りました。"


async def _rooms_named(tx: Tx, owner: queries.Owner, name: str) -> list[queries.Named]:
    """The owner's rooms that have this name; if none has, those whose name begins so. Full-width and half-width forms and capitals
    are the same: nobody types 「ＩＣＴ推進室（本庁）」 as somebody else once did."""
    wanted = _plain(name)
    rooms = [(room, _plain(room.name)) for room in await queries.rooms_of(tx, owner.user_id)] if wanted else []
    return [room for room, plain in rooms if plain == wanted] or [
        room for room, plain in rooms if plain.startswith(wanted)
    ]


def _plain(name: str) -> str:
    return " ".join(nfkc(name).casefold().split())


def _check(tidy: Tidy) -> None:
    if not -1 <= tidy.days <= _OLDEST:
        raise Problem(INVALID_FIELD, field="tidy", reason=f"days: 0–{_OLDEST}")
