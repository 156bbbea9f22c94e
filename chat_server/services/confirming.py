"""要確認: reading is not confirming. A message asks all who are in the room to say, by a time, that they took note of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, NOT_AUTHOR, NOTHING_TO_CONFIRM, Problem
from chat_server.domain.events import ConfirmedIn
from chat_server.domain.rooms import MEMO, OWNER, Standing
from chat_server.domain.sheets import day_and_minute, sheet
from chat_server.ports import Reader, Tx
from chat_server.services import own_stream
from chat_server.services.access import living_message, visible_message
from chat_server.services.answers import Ack
from chat_server.services.changing import record
from chat_server.services.people import wire_people
from chat_server.services.rendering import render_one
from chat_server.storage.queries import confirmations as queries
from chat_server.storage.queries import messages, organizations, rooms
from chat_server.storage.queries.messages import Stored

PENDING: Final = 200
_SOON: Final = limits.MINUTE
_LATEST: Final = 366 * limits.DAY
_BEFORE: Final = limits.DAY
"""Those who have not are asked again a day before the time, or at half of a shorter one."""


def check_due(by: int, now: int, kind: str) -> None:
    """Raises `Problem` 2001."""
    if kind == MEMO:
        raise Problem(INVALID_FIELD, field="confirm", reason="nobody else is here")
    if not now + _SOON <= by <= now + _LATEST:
        raise Problem(INVALID_FIELD, field="confirm", reason="a time from a minute to a year ahead")


def again_at(by: int, now: int) -> int:
    """When those who have not confirmed are asked again, once."""
    return max(by - _BEFORE, now + (by - now) // 2)


async def ask(tx: Tx, actor: Actor, message: str, by: int | None) -> Ack:
    """Ask for a message of one's own to be confirmed, by another time, or not any more (None). What was confirmed stays so.

    Raises `Problem` 4001, 3002, 4004 (not the author nor an owner), 2001.
    """
    stored, standing = await living_message(tx, actor, message)
    if stored.author_id != actor.user_id and standing.role != OWNER:
        raise Problem(NOT_AUTHOR, field="message")
    if by is not None:
        check_due(by, tx.now, standing.kind)
    if by == stored.confirm_by:
        return Ack(room=standing.room, id=stored.public_id, at=tx.now)
    await queries.set_due(tx, stored.id, by, None if by is None else again_at(by, tx.now))
    now = await messages.by_ids(tx, [stored.id])
    return await record(tx, actor, standing, stored, "edit", {"message": await render_one(tx, now[stored.id])})


async def confirm(tx: Tx, actor: Actor, message: str) -> dict[str, Any]:
    """Say that one took note; for good, and once. Answers when. Raises `Problem` 4001, 3002, 4013 (nobody is asked)."""
    stored, standing = await living_message(tx, actor, message)
    if stored.confirm_by is None or stored.author_id == actor.user_id:
        raise Problem(NOTHING_TO_CONFIRM, field="message")
    if await queries.confirm(tx, stored.id, actor.user_id, actor.org_id):
        body = {"room": standing.room, "message": stored.public_id}
        await own_stream.append(tx, actor.user_id, actor.org_id, "confirmed", body)
        tx.emit(ConfirmedIn(standing.room_id, standing.room, stored.public_id))
    return {"at": await queries.confirmed_at(tx, stored.id, actor.user_id)}


@dataclass(frozen=True, slots=True)
class Asked:
    """One who is asked. `at`: when they confirmed."""

    person: dict[str, Any]
    at: int | None


async def of_message(reader: Reader, actor: Actor, message: str) -> dict[str, Any]:
    """How many have confirmed, of how many, by department in its order, and whether one has oneself.

    Names are for the author and the room's owners, or for everybody where the home organization decided so, as those of
    readers. Raises `Problem` 4001, 4013.
    """
    stored, standing = await _asking(reader, actor, message)
    named = await _names_for(reader, actor, stored, standing)
    departments: dict[str, dict[str, Any]] = {}
    for one in await _everybody(reader, stored):
        name = one.person["department"]
        entry = departments.setdefault(
            name, {"name": name, "confirmed": 0, "asked": 0, **({"people": []} if named else {})}
        )
        entry["asked"] += 1
        entry["confirmed"] += one.at is not None
        if named:
            entry["people"].append({"person": one.person, "at": one.at})
    return {
        "by": stored.confirm_by,
        "confirmed": sum(entry["confirmed"] for entry in departments.values()),
        "asked": sum(entry["asked"] for entry in departments.values()),
        "mine": await queries.confirmed_at(reader, stored.id, actor.user_id),
        "departments": list(departments.values()),
    }


async def as_table(reader: Reader, actor: Actor, message: str) -> bytes:
    """The same with names, as CSV. Raises `Problem` 4001, 4013, 4004 (names are not for the actor)."""
    stored, standing = await _asking(reader, actor, message)
    if not await _names_for(reader, actor, stored, standing):
        raise Problem(NOT_AUTHOR, field="message")
    rows = [("所属", "職", "氏名", "確認", "確認日時")]
    for one in await _everybody(reader, stored):
        department, post, name = (one.person[key] for key in ("department", "post", "name"))
        done = ("未", "") if one.at is None else ("済", day_and_minute(one.at))
        rows.append((department, post, name, *done))
    return sheet(rows)


async def pending(reader: Reader, actor: Actor) -> list[dict[str, Any]]:
    """What one is asked to confirm and has not, the nearest time first, up to `PENDING`."""
    return [one._asdict() for one in await queries.pending(reader, actor.user_id, PENDING)]


async def _asking(reader: Reader, actor: Actor, message: str) -> tuple[Stored, Standing]:
    stored, standing = await visible_message(reader, actor, message)
    if stored.confirm_by is None or stored.redacted_at is not None:
        raise Problem(NOTHING_TO_CONFIRM, field="message")
    return stored, standing


async def _names_for(reader: Reader, actor: Actor, stored: Stored, standing: Standing) -> bool:
    if actor.user_id == stored.author_id or standing.role == OWNER:
        return True
    return (await organizations.policy(reader, standing.org_id)).reader_names == "everyone"


async def _everybody(reader: Reader, stored: Stored) -> list[Asked]:
    rows = await queries.of_message(reader, stored.id, stored.room_id, stored.seq, stored.author_id)
    people = await wire_people(reader, [row[0] for row in rows])
    return [Asked(people[user_id], at) for user_id, at in rows]


async def counts(reader: Reader, asked: Sequence[str]) -> dict[str, int]:
    """How many have confirmed each of these messages: what those who look at them are told once a second."""
    return await queries.counts(reader, asked)


# Asking again


@dataclass(frozen=True, slots=True)
class Again:
    """A message whose time to ask again has come. `after`: the user_id asked last, 0 for nobody."""

    message_id: int
    org_id: int
    after: int


async def to_ask_again(reader: Reader, limit: int) -> list[Again]:
    return [Again(*row) for row in await queries.to_ask_again(reader, limit)]


async def ask_again(tx: Tx, again: Again, limit: int) -> Again | None:
    """One step of telling those who have not, each once by their own stream; answers the next step, None at the end.

    How far it came is kept with what was told: a kill between two steps, or two who do it at once, tell nobody twice.
    """
    stored = (await messages.by_ids(tx, [again.message_id]))[again.message_id]
    if stored.redacted_at is not None or stored.confirm_by is None or stored.confirm_by <= tx.now:
        await queries.asked_up_to(tx, stored.id, again.after, None)
        return None
    people = await queries.unconfirmed(tx, stored.id, stored.room_id, stored.seq, stored.author_id, again.after, limit)
    last = people[-1][0] if len(people) == limit else None
    if not await queries.asked_up_to(tx, stored.id, again.after, last):
        return None
    body = {"room": await rooms.public_id(tx, stored.room_id), "message": stored.public_id, "by": stored.confirm_by}
    for user_id, org_id in people:
        await own_stream.append(tx, user_id, org_id, "confirm_again", body)
    return None if last is None else replace(again, after=last)
