"""予約送信: a message is written now and sent at a time to come, with the rights that its author has then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    ACCOUNT_DISABLED,
    ATTACHMENT_NOT_FOUND,
    ATTACHMENT_USED,
    FAULTS,
    INVALID_FIELD,
    MESSAGE_NOT_FOUND,
    SCHEDULED_NOT_FOUND,
    SERVER_RESTORED,
    TOO_MANY_SCHEDULED,
    VERSION_CONFLICT,
    Problem,
)
from chat_server.domain.ids import is_id, new_id
from chat_server.ports import Reader, Tx
from chat_server.services import own_stream
from chat_server.services.access import away, check_can_post, in_room, visible_message
from chat_server.services.actors import in_good_standing
from chat_server.services.announcing import level_of
from chat_server.services.blocks import AnyBlock, Block, attachment_kinds, mention_tokens
from chat_server.services.commands import Edit, Level, Send
from chat_server.services.confirming import check_due
from chat_server.services.drafts import Draft
from chat_server.services.mentions import find
from chat_server.services.messages import send
from chat_server.services.rendering import pack, unpack
from chat_server.storage.queries import attachments, people, rooms
from chat_server.storage.queries import scheduled as queries
from chat_server.storage.queries.scheduled import Scheduled as Scheduled

EVENT: Final = "scheduled"
_blocks_of = msgspec.msgpack.Decoder(tuple[Block, ...]).decode


async def schedule(tx: Tx, actor: Actor, draft: Draft[Send], at: int) -> dict[str, Any]:
    """Send it at `at` (UTC milliseconds). `draft.command.confirm` is a time after that. Answers the wire form.

    Raises `Problem` 3001–3003, 2001 (a time that is none), 4018 (level), 4014 (too many), 4001 (quote), 5001, 5007 (uploads).
    """
    command = draft.command
    room = await in_room(tx, actor, command.room)
    check_can_post(room)
    _check_time(at, tx.now)
    if command.confirm is not None:
        check_due(command.confirm, at, room.kind)
    await level_of(tx, actor, room, command.level)
    if await queries.count(tx, actor.user_id) >= limits.SCHEDULED:
        raise Problem(TOO_MANY_SCHEDULED, limit=limits.SCHEDULED)
    if command.quote is not None:
        quoted, standing = await visible_message(tx, actor, command.quote)
        if standing.room_id != room.room_id or quoted.redacted_at is not None:
            raise Problem(MESSAGE_NOT_FOUND, field="quote")
    public_id = new_id(tx.now)
    confirm_for = None if command.confirm is None else command.confirm - at
    scheduled_id = await queries.insert(
        tx, public_id, actor.org_id, actor.user_id, room.room_id, actor.zone, pack(draft.blocks), command.quote,
        confirm_for, command.level, at,
    )  # fmt: skip
    await _hold(tx, actor.user_id, scheduled_id, draft.blocks)
    await _tell(tx, actor.user_id, actor.org_id, public_id, room.room, "made")
    return await _wire(tx, actor, await _own(tx, actor, public_id))


async def change(
    tx: Tx, actor: Actor, public_id: str, version: int, at: int | None, draft: Draft[Edit] | None, *, now: bool = False
) -> dict[str, Any]:
    """Another time (`now`: none to wait for), other words, or both; what could not be sent waits again. Raises `Problem` 4015 (none, or sent), 4005,
    2001, 3001–3003, 5001, 5007."""
    one = await _own(tx, actor, public_id)
    check_can_post(await in_room(tx, actor, one.room))
    if one.version != version:
        raise Problem(VERSION_CONFLICT, field="version", version=one.version)
    when = one.send_at if at is None else at
    if now:
        # Its turn has come: the worker sends it, by the one way that sends it once.
        when = tx.now
    else:
        _check_time(when, tx.now)
    await queries.change(tx, one, when, one.blocks if draft is None else pack(draft.blocks), one.confirm_for)
    if draft is not None:
        await _hold(tx, actor.user_id, one.id, draft.blocks)
    await _tell(tx, actor.user_id, actor.org_id, public_id, one.room, "changed")
    return await _wire(tx, actor, await _own(tx, actor, public_id))


async def take_back(tx: Tx, actor: Actor, public_id: str) -> None:
    """It is not sent; its uploads are unsent ones again. Raises `Problem` 4015."""
    one = await _own(tx, actor, public_id)
    await queries.remove(tx, one)
    await _tell(tx, actor.user_id, actor.org_id, public_id, one.room, "removed")


async def own(reader: Reader, actor: Actor) -> list[dict[str, Any]]:
    """All of one's own, the next first; nobody else sees them."""
    _, hidden = await away(reader, actor) or (0, None)
    return [
        await _wire(reader, actor, one) for one in await queries.of_author(reader, actor.user_id) if one.room != hidden
    ]


# When the time has come


async def due(reader: Reader, limit: int) -> list[Scheduled]:
    return await queries.due(reader, limit)


async def send_now(tx: Tx, one: Scheduled, key: bytes) -> None:
    """Send it and forget it, in one step; a kill repeats all of it or nothing. `key`: see `messages.send`.

    Raises `Problem` as `messages.send` does, 6009 for an author who may do nothing any more.
    """
    if not await queries.remove(tx, one):
        return  # changed, taken back, or sent by another node
    if not in_good_standing(one.author_disabled_at, one.author_ends_at, tx.now):
        raise Problem(ACCOUNT_DISABLED)
    roles = frozenset(role for role, _ in await people.roles(tx, one.org_id, one.author_id))
    actor = Actor(one.author_id, one.org_id, 0, one.author, "", one.author_kind, one.author_name, one.zone, "", roles)
    quote = one.quote if one.quote and await _still_there(tx, actor, one.quote) else None
    confirm = None if one.confirm_for is None else tx.now + one.confirm_for
    blocks: tuple[AnyBlock, ...] = _blocks_of(one.blocks)
    command = Send(
        ref=1, room=one.room, client_msg_id=f"sched-{one.public_id}", quote=quote, confirm=confirm,
        level=msgspec.convert(one.level, Level | None),
    )  # fmt: skip
    await send(tx, actor, Draft(command, blocks, tuple(mention_tokens(blocks))), key)
    await _tell(tx, one.author_id, one.org_id, one.public_id, one.room, "sent")


async def could_not(tx: Tx, one: Scheduled, problem: Problem) -> None:
    """It stays in its author's list with the reason."""
    if await queries.fail(tx, one, problem.fault.code):
        await _tell(tx, one.author_id, one.org_id, one.public_id, one.room, "failed")


async def set_aside(tx: Tx) -> int:
    """After a restore: what should have been sent by now was, perhaps, before. Answers how many."""
    return await queries.fail_overdue(tx, SERVER_RESTORED.code)


async def _still_there(tx: Tx, actor: Actor, message: str) -> bool:
    """A quote whose message was taken back meanwhile does not keep the words from being sent."""
    try:
        stored, _ = await visible_message(tx, actor, message)
    except Problem:
        return False
    return stored.redacted_at is None


def _check_time(at: int, now: int) -> None:
    if not now + limits.SCHEDULED_SOONEST <= at <= now + limits.SCHEDULED_LATEST:
        raise Problem(INVALID_FIELD, field="at", reason="a time from a minute to a year ahead")


async def _hold(tx: Tx, user_id: int, scheduled_id: int, blocks: Sequence[AnyBlock]) -> None:
    """Its uploads wait with it, and nowhere else. Raises `Problem` 5001, 5007."""
    kinds = attachment_kinds(blocks)
    for public_id, kind in kinds.items():
        upload = await attachments.waiting(tx, user_id, public_id) if is_id(public_id) else None
        if upload is None or upload.wire["kind"] != kind or upload.wire["state"] != "ready":
            raise Problem(ATTACHMENT_NOT_FOUND, "blocks.ids")
        if upload.sent:
            raise Problem(ATTACHMENT_USED, "blocks.ids")
    if await queries.hold(tx, scheduled_id, user_id, list(kinds)) != len(kinds):
        raise Problem(ATTACHMENT_USED, "blocks.ids")


async def _own(tx: Tx, actor: Actor, public_id: str) -> Scheduled:
    one = await queries.find(tx, actor.user_id, public_id)
    if one is None:
        raise Problem(SCHEDULED_NOT_FOUND)
    return one


async def _tell(tx: Tx, user_id: int, org_id: int, public_id: str, room: str, what: str) -> None:
    await own_stream.append(tx, user_id, org_id, EVENT, {"id": public_id, "room": room, "what": what})


async def _wire(reader: Reader, actor: Actor, one: Scheduled) -> dict[str, Any]:
    return {
        "id": one.public_id,
        "room": one.room,
        "at": one.send_at,
        "blocks": unpack(one.blocks),
        "mentions": await _names(reader, actor, one),
        "quote": one.quote,
        "level": one.level,
        "confirm": None if one.confirm_for is None else one.send_at + one.confirm_for,
        "version": one.version,
        "failed": None if one.fault is None or one.fault not in FAULTS else Problem(FAULTS[one.fault]).as_dict(),
    }


async def _names(reader: Reader, actor: Actor, one: Scheduled) -> dict[str, str]:
    """Of those whom it will call, as long as its author sees the room; a stranger's id gets none."""
    tokens = mention_tokens(_blocks_of(one.blocks))
    room = await rooms.standing_by_id(reader, actor.user_id, one.room_id) if tokens else None
    return {} if room is None else (await find(reader, actor, room, tokens)).names
