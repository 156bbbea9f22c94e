"""Webhooks of a room: made, changed and removed by its owners, each with a bot of its own in whose name it posts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import (
    FAULTS,
    HOOK_NOT_FOUND,
    HOOK_URL_REFUSED,
    HOOKS_NOT_ALLOWED,
    INVALID_FIELD,
    ROOM_ARCHIVED,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_OWNER,
    TOO_MANY_HOOKS,
    Problem,
)
from chat_server.domain.ids import is_id, new_id
from chat_server.domain.policy import allows
from chat_server.domain.rooms import ANNOUNCEMENT, FIXED, OWNER, WRITER, Standing
from chat_server.domain.webhooks import Hosts, host_of
from chat_server.ports import Reader, Tx
from chat_server.services import audit, directory
from chat_server.services.access import in_room
from chat_server.services.labels import clean_label
from chat_server.services.membership import Place, Who, enter, go
from chat_server.storage.queries import hook_deliveries as deliveries
from chat_server.storage.queries import hooks as queries
from chat_server.storage.queries import organizations, people, rooms
from chat_server.storage.queries.hooks import Hook as Hook
from chat_server.storage.queries.people import NewUser

LOGIN: Final = "hook."
_SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Change:
    """What is None stays. `url`: empty for a hook that tells nobody."""

    name: str | None = None
    url: str | None = None
    on: bool | None = None


async def make(tx: Tx, actor: Actor, room: str, name: str, url: str, hosts: Hosts) -> dict[str, Any]:
    """A hook, and its bot in the room. Answers the wire form, without the secret.

    Raises `Problem` 3001, 3002, 3004, 3005 (direct, memo), 3011, 7002 (policy), 7003, 7004 (`url`), 2001 (`name`).
    """
    standing = await _owned(tx, actor, room)
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if standing.kind in FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    await _check_allowed(tx, actor)
    if await queries.count(tx, standing.room_id) >= limits.HOOKS:
        raise Problem(TOO_MANY_HOOKS, limit=limits.HOOKS)
    host = _check_url(url, hosts)
    label = _name(name)
    public_id, bot = new_id(tx.now), new_id(tx.now)
    bot_id = await people.insert(tx, NewUser(bot, standing.org_id, BOT, LOGIN + public_id, label, ""))
    await queries.insert(
        tx, public_id, standing.org_id, standing.room_id, bot_id, actor.user_id, url, secrets.token_bytes(_SALT_BYTES)
    )
    hook = await queries.find(tx, public_id)
    assert hook is not None
    await _enter(tx, actor, standing, hook)
    await audit.record_by(tx, actor, "hook.make", public_id, {"room": standing.room, "host": host})
    return await wire(tx, hook)


async def of_room(reader: Reader, actor: Actor, room: str) -> list[dict[str, Any]]:
    """All of a room's, for its owners. Raises `Problem` 3001, 3004."""
    standing = await _owned(reader, actor, room)
    return [await wire(reader, hook) for hook in await queries.of_room(reader, standing.room_id)]


async def change(tx: Tx, actor: Actor, public_id: str, wanted: Change, hosts: Hosts) -> dict[str, Any]:
    """Name, address, on or off; whatever is switched on is in the room again. Raises `Problem` 7001, 3002, 7002, 7004, 2001."""
    hook, standing = await _own(tx, actor, public_id)
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if wanted.on or wanted.url:
        await _check_allowed(tx, actor)
    url = hook.url if wanted.url is None else wanted.url
    if wanted.url is not None:
        _check_url(url, hosts)
    on = bool(hook.is_on) if wanted.on is None else wanted.on
    if wanted.name is not None and (label := _name(wanted.name)) != hook.name:
        await people.set_names(tx, hook.org_id, hook.bot_id, label, "", None)
        await directory.changed(tx, hook.org_id)
    if (url, on) != (hook.url, bool(hook.is_on)):
        await queries.change(tx, hook, url, on)
        # Of the address the host alone: the rest of it often holds the other side's secret.
        detail = {"room": standing.room, "host": host_of(url), "on": on}
        await audit.record_by(tx, actor, "hook.change", public_id, detail)
    if wanted.on and await rooms.standing_by_id(tx, hook.bot_id, hook.room_id) is None:
        await _enter(tx, actor, standing, hook)
    return await wire(tx, (await _own(tx, actor, public_id))[0])


async def roll(tx: Tx, actor: Actor, public_id: str) -> dict[str, Any]:
    """Another secret; the one before is good for a day more, the one before that no more. Raises `Problem` 7001."""
    hook, standing = await _own(tx, actor, public_id)
    await queries.set_salt(tx, hook, secrets.token_bytes(_SALT_BYTES), tx.now + limits.HOOK_OVERLAP)
    await audit.record_by(tx, actor, "hook.roll", public_id, {"room": standing.room})
    return await wire(tx, (await _own(tx, actor, public_id))[0])


async def retry(tx: Tx, actor: Actor, public_id: str) -> dict[str, Any]:
    """Everything that was given up is tried again, in order. Raises `Problem` 7001."""
    hook, standing = await _own(tx, actor, public_id)
    count = await deliveries.retry(tx, hook)
    if count:
        await audit.record_by(tx, actor, "hook.retry", public_id, {"room": standing.room, "count": count})
    return await wire(tx, hook)


async def remove(tx: Tx, actor: Actor, public_id: str) -> None:
    """Its bot leaves the room, and its secret is good for nothing. Raises `Problem` 7001."""
    hook, standing = await _own(tx, actor, public_id)
    await queries.remove(tx, hook)
    there = await rooms.standing_by_id(tx, hook.bot_id, hook.room_id)
    if there is not None:
        await go(tx, actor, _place(standing), _who(hook), there.membership_id, "removed", there.role)
    await people.disable(tx, hook.org_id, hook.bot_id)
    await audit.record_by(tx, actor, "hook.remove", public_id, {"room": standing.room})


async def close_all(tx: Tx) -> int:
    """After a restore: one that was removed or got another secret since the copy was made would be good again. So all are
    off, with a secret that nobody has, until an owner switches them on and fetches it (`change`, `roll`). Answers how many.
    """
    found = await queries.everywhere(tx)
    for hook in found:
        await queries.close(tx, hook, secrets.token_bytes(_SALT_BYTES))
    return len(found)


async def wire(reader: Reader, hook: Hook) -> dict[str, Any]:
    """What the room's owners see; never a secret."""
    waiting, parked = await deliveries.counts(reader, hook)
    failure = await deliveries.last_failure(reader, hook)
    fault, status, failed_at = (None, None, None) if failure is None else failure
    return {
        "id": hook.public_id,
        "room": hook.room,
        "name": hook.name,
        "user": hook.bot,
        "url": hook.url,
        "on": bool(hook.is_on),
        "at": hook.created_at,
        "old_secret_until": hook.old_until if hook.old_until is not None and reader.now < hook.old_until else None,
        "waiting": waiting,
        "parked": parked,
        "failed": Problem(FAULTS[fault], **_params(fault, status)).as_dict() if fault in FAULTS else None,
        "failed_at": failed_at,
    }


def _params(fault: int, status: int | None) -> dict[str, Any]:
    """What its words want to be told."""
    if fault == HOOK_URL_REFUSED.code:
        return {"reason": "運用者の設定が変わりました / the operator's settings have changed"}
    return {} if status is None else {"status": status}


async def _owned(reader: Reader, actor: Actor, room: str) -> Standing:
    standing = await in_room(reader, actor, room)
    if standing.role != OWNER:
        raise Problem(ROOM_NOT_OWNER, field="room")
    return standing


async def _own(reader: Reader, actor: Actor, public_id: str) -> tuple[Hook, Standing]:
    """For whoever owns its room there is a hook; for others there is none."""
    hook = await queries.find(reader, public_id) if is_id(public_id) else None
    standing = None if hook is None else await rooms.standing_by_id(reader, actor.user_id, hook.room_id)
    if hook is None or standing is None or standing.role != OWNER:
        raise Problem(HOOK_NOT_FOUND, field="hook")
    return hook, standing


async def _check_allowed(reader: Reader, actor: Actor) -> None:
    if not allows(await organizations.policy(reader, actor.org_id), "webhooks", actor.roles):
        raise Problem(HOOKS_NOT_ALLOWED)


def _check_url(url: str, hosts: Hosts) -> str:
    """Its host, empty where there is none. Raises `Problem` 7004."""
    try:
        return hosts.target(url).host if url else ""
    except ValueError as error:
        raise Problem(HOOK_URL_REFUSED, field="url", reason=str(error)) from None


def _name(name: str) -> str:
    label = clean_label(name, limits.NAME_CHARS)
    if not label:
        raise Problem(INVALID_FIELD, field="name", reason="must not be empty")
    return label


async def _enter(tx: Tx, actor: Actor, standing: Standing, hook: Hook) -> None:
    """Announcements are written by owners alone; a bot that is one manages nothing and does not count as one."""
    role = OWNER if standing.kind == ANNOUNCEMENT else WRITER
    await enter(tx, actor, _place(standing), _who(hook), role)


def _place(standing: Standing) -> Place:
    return Place(standing.room_id, standing.room, standing.org_id, standing.history, standing.members)


def _who(hook: Hook) -> Who:
    return Who(hook.bot_id, hook.org_id, hook.bot)
