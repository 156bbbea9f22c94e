"""Taking a file out to a less trusted zone, where its room lets files out only with a second person's approval.

Whoever wants it asks on the device that it goes to, and says why. Somebody else decides, where the file is: an approval that was given
outside would be no border. It holds for that person, that device and a day. Asking and deciding are messages of the two in the room: it
rings whom it concerns, and everybody who may read the file reads who took it along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import MEMBER, Actor
from chat_server.domain.errors import (
    FILE_REFUSED_BY_DEVICE,
    INVALID_FIELD,
    NO_TAKEOUT,
    RATE_LIMITED,
    TAKEOUT_DECIDED,
    TAKEOUT_NOT_FOUND,
    TAKEOUT_OUTSIDE,
    TAKEOUT_OWN,
    Problem,
)
from chat_server.domain.ids import is_id, new_id
from chat_server.domain.policy import Policy
from chat_server.domain.zones import outward
from chat_server.ports import Reader, Tx
from chat_server.services import attachment_events, audit, takeout_news
from chat_server.services.access import visible_attachment
from chat_server.services.blocks import clean_text
from chat_server.storage.queries import departments, organizations
from chat_server.storage.queries import takeouts as queries
from chat_server.storage.queries.attachments import Seen
from chat_server.storage.queries.takeouts import NewTakeout, Takeout

Wire = dict[str, Any]
Trust = Callable[[str], int]
NEVER: Final = ("none", 0)
LISTED: Final = 200


def state_at(now: int, state: str, ends: int) -> str:
    """none, asked, approved, refused, lapsed: nobody decided in time, or it was approved of and that is over."""
    return "lapsed" if state in ("asked", "approved") and ends <= now else state


def takes_approval(one: Seen, actor: Actor, trust: Trust) -> bool:
    """Whether it leaves its network for the actor's only with one."""
    return 0 <= trust(actor.zone) < trust(one.origin_zone) and one.outward == "approve"


async def ask(tx: Tx, actor: Actor, attachment: str, reason: str, key: bytes, trust: Trust) -> Wire:
    """Ask to take it out, on this device; what waits already, or was approved of, stays as it is. Answers as `state`.

    Raises `Problem` 5001 (not there for them, or withdrawn), 5022 (it takes no approval here), 5030 (this device may save nothing),
    2001 (reason), 8005 (too many of theirs wait).
    """
    one = await visible_attachment(tx, actor, attachment)
    if not takes_approval(one, actor, trust):
        raise Problem(NO_TAKEOUT, field="attachment")
    if actor.access not in ("download", "cache"):
        raise Problem(FILE_REFUSED_BY_DEVICE, field="attachment")
    said = _words(reason)
    await queries.lapse(tx, one.id, actor.user_id, actor.device)
    last = await queries.newest(tx, one.id, actor)
    if last is None or state_at(tx.now, last.state, last.expires_at) not in ("asked", "approved"):
        # What was taken back, or needs no approval any more, is in nobody's list, and takes nobody's place.
        if sum(map(_asks, await queries.waiting_for(tx, actor.user_id))) >= limits.TAKEOUTS_WAITING:
            raise Problem(RATE_LIMITED, retry_after=limits.HOUR // limits.SECOND)
        home = await queries.home(tx, one.id)
        new = NewTakeout(
            new_id(tx.now), home, one.id, actor.user_id, actor.device, actor.zone, said, tx.now + limits.TAKEOUT_ASKED
        )
        await queries.insert(tx, new)
        asked = await queries.newest(tx, one.id, actor)
        assert asked is not None
        await audit.record(tx, home, actor.id, "takeout.ask", new.public_id, _detail(asked), actor.zone, actor.address)
        await takeout_news.asked(tx, actor, asked, key)
    return await state(tx, actor, attachment)


async def state(reader: Reader, actor: Actor, attachment: str) -> Wire:
    """`{state, until, words, approver}` of what was last asked for on this device. Raises `Problem` 5001."""
    one = await visible_attachment(reader, actor, attachment)
    last = await queries.newest(reader, one.id, actor)
    if last is None:
        return {"state": "none", "until": None, "words": "", "approver": None}
    now = state_at(reader.now, last.state, last.expires_at)
    return {
        "state": now,
        "until": last.expires_at if now in ("asked", "approved") else None,
        "words": last.words,
        "approver": last.approver or None,
    }


async def waiting(reader: Reader, actor: Actor, trust: Trust) -> list[Wire]:
    """What the actor may decide about, the oldest first; their own too, which somebody else has to."""
    if actor.is_guest or actor.kind != MEMBER:
        return []
    policy = await organizations.policy(reader, actor.org_id)
    found = await queries.waiting(reader, actor.org_id, actor.user_id)
    mine = [one for one in found if _asks(one) and await _decides(reader, actor, policy, one)]
    return [_wire(one, actor, trust) for one in mine[:LISTED]]


async def decide(tx: Tx, actor: Actor, public_id: str, *, approve: bool, words: str, key: bytes, trust: Trust) -> Wire:
    """Approve of it or refuse it, once: of those who try at once one decides, the others are told who did.

    Raises `Problem` 5023 (not there for them, or the room's rule has changed), 5025 (their own), 5026 (from outside), 5024 (decided, or
    over), 2001 (words)."""
    policy = await organizations.policy(tx, actor.org_id)
    one = await queries.find(tx, actor.org_id, public_id, actor.user_id) if is_id(public_id) else None
    if one is None or not _asks(one) or not await _decides(tx, actor, policy, one):
        raise Problem(TAKEOUT_NOT_FOUND, field="takeout")
    if one.user_id == actor.user_id:
        raise Problem(TAKEOUT_OWN)
    if not _inside(one, actor, trust):
        raise Problem(TAKEOUT_OUTSIDE)
    said = _words(words, needed=not approve)
    what, ends = ("approved", tx.now + limits.TAKEOUT_APPROVED) if approve else ("refused", one.expires_at)
    if not await queries.decide(tx, one.id, what, actor.user_id, said, ends):
        state = state_at(tx.now, one.state, one.expires_at)
        raise Problem(TAKEOUT_DECIDED, field="takeout", who=one.approver or "—", state=state)
    await audit.record_by(tx, actor, f"takeout.{'approve' if approve else 'refuse'}", one.public_id, _detail(one))
    await attachment_events.changed(tx, one.attachment_id, actor)
    await takeout_news.decided(tx, actor, one, said, key, approved=approve)
    decided = await queries.find(tx, actor.org_id, public_id, actor.user_id)
    assert decided is not None
    return _wire(decided, actor, trust)


def _asks(one: Takeout) -> bool:
    """A rule that is stricter by now leaves nothing to approve of; one that is not needs no approval."""
    return not one.gone and outward(one.outflow, one.pair, one.carried) == "approve"


async def _decides(reader: Reader, actor: Actor, policy: Policy, one: Takeout) -> bool:
    if actor.is_guest or actor.kind != MEMBER:
        return False
    if actor.is_organization_admin:
        return True
    if policy.approve_takeouts == "owner":
        return bool(one.owner)
    if policy.approve_takeouts == "department_admin":
        return await departments.administers(reader, actor.org_id, actor.user_id, one.user_id)
    return False


def _inside(one: Takeout, actor: Actor, trust: Trust) -> bool:
    return trust(actor.zone) >= trust(one.origin) >= 0


def _words(said: str, *, needed: bool = True) -> str:
    words = clean_text(said)[: limits.LINK_WORDS_CHARS].strip()
    if needed and not words:
        raise Problem(INVALID_FIELD, field="reason", reason="must not be empty")
    return words


def _detail(one: Takeout) -> Wire:
    return {
        "attachment": one.attachment,
        "room": one.room,
        "user": one.user,
        "device": one.device,
        "from": one.origin,
        "to": one.zone,
    }


def _wire(one: Takeout, actor: Actor, trust: Trust) -> Wire:
    return {
        "id": one.public_id,
        "state": one.state,
        "attachment": one.attachment,
        "name": one.name,
        "kind": one.kind,
        "size": one.size,
        "room": {"id": one.room, "name": one.room_name},
        "message": one.message or None,
        "user": {"id": one.user, "name": one.user_name},
        "own": one.user_id == actor.user_id,
        "here": _inside(one, actor, trust),
        "from": one.origin,
        "to": one.zone,
        "reason": one.reason,
        "asked": one.asked_at,
        "expires": one.expires_at,
        "decided": one.decided_at,
        "approver": one.approver or None,
        "words": one.words,
    }
