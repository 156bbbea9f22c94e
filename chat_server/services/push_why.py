"""Why did it not ring: what was decided for one person about one message, and what became of it on each device.

Never what was said. Whoever asks is on record, because the answer tells when somebody read and which devices they have.
"""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.errors import DATABASE_BUSY, MESSAGE_NOT_FOUND, PERSON_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.push_words import DEVICES, PEOPLE
from chat_server.ports import PushDecided, PushEntry, PushRecord, Reader, Storage, Tx
from chat_server.services import audit
from chat_server.services.authority import Administrator, require_administrator
from chat_server.storage.queries import messages, people, push_recipients
from chat_server.storage.queries.messages import Stored

Wire = dict[str, Any]
_AGAIN: Final = 5


async def explain(
    storage: Storage, pushes: PushRecord | None, who: Administrator, user: str, message: str | tuple[str, int]
) -> Wire:
    """For administrators of the person's organization. `message`: its id, or (room, seq), as a link to it names it. Raises
    `Problem` 2008, 6001 (not of theirs), 4001 (no such message in a room that the person is or was in), 8001."""

    async def find(tx: Tx) -> tuple[int, Stored, int]:
        require_administrator(who)
        user_id = await people.user_id(tx, who.org_id, user) if is_id(user) else None
        if user_id is None:
            raise Problem(PERSON_NOT_FOUND, field="user")
        found = await _message(tx, message)
        # what the person was never near is not the organization's to ask about
        if found is None or not await push_recipients.been_in(tx, user_id, found.room_id):
            raise Problem(MESSAGE_NOT_FOUND, field="message")
        await audit.record_by(tx, who, "push.why", user, {"message": found.public_id})
        return user_id, found, tx.now

    user_id, found, now = await storage.write(find, org_id=who.org_id)
    try:
        decided = await pushes.decided(found.id, user_id) if pushes is not None else None
    except OSError as error:
        raise Problem(DATABASE_BUSY, retry_after=_AGAIN) from error
    devices = [] if decided is None else [entry.device_id for entry in decided.entries]
    named = await storage.read(lambda reader: _devices(reader, devices))
    why = _why(pushes is not None, decided, found, now)
    return {
        "user": user,
        "message": found.public_id,
        "at": found.created_at,
        "decided_at": None if decided is None else decided.at,
        "why": why,
        "explanation": _both(PEOPLE.get(why, (why, why))),
        "devices": [] if decided is None else [_wire(entry, named) for entry in decided.entries],
    }


async def _message(tx: Reader, named: str | tuple[str, int]) -> Stored | None:
    if isinstance(named, str):
        return await messages.by_public_id(tx, named) if is_id(named) else None
    room, seq = named
    room_id = (await push_recipients.room_keys(tx, [room])).get(room)
    if room_id is None:
        return None
    found = await messages.page(tx, room_id, seq - 1, seq + 1, 1, newest=False)
    return found[0] if found else None


def _why(pushing: bool, decided: PushDecided | None, message: Stored, now: int) -> str:
    """Empty: they were rung."""
    if decided is not None:
        return decided.why or ("" if decided.entries else "not_a_member")
    if not pushing:
        return "off"
    return "forgotten" if message.created_at < now - limits.PUSH_KEPT else "not_yet"


async def _devices(reader: Reader, devices: list[int]) -> dict[int, tuple[str, str]]:
    return await push_recipients.devices(reader, devices)


def _wire(entry: PushEntry, named: dict[int, tuple[str, str]]) -> Wire:
    device, name = named.get(entry.device_id, ("", ""))
    return {
        "device": device,
        "name": name,
        "platform": entry.lane.partition(":")[0],
        "kind": entry.kind,
        "why": entry.why,
        "state": entry.state,
        "explanation": _both(DEVICES.get(entry.state, (entry.state, entry.state))),
        "tries": entry.tries,
        "answer": entry.answer,
        "receipt": entry.receipt,
        "queued_at": entry.created_at,
        "tried_at": entry.tried_at,
        "due_at": entry.due_at,
        "done_at": entry.done_at,
    }


def _both(words: tuple[str, str]) -> dict[str, str]:
    return {"ja": words[0], "en": words[1]}
