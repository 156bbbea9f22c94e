"""Links by which people outside hand in files, as staff see them: asked for, given out, prolonged, taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    LINK_ENDED,
    LINK_NOT_FOUND,
    LINK_NOT_YOURS,
    TOO_MANY_LINKS,
    Problem,
)
from chat_server.domain.ids import is_id, new_id
from chat_server.domain.links import FAMILIES
from chat_server.domain.rooms import OWNER, Standing
from chat_server.ports import Reader, Tx
from chat_server.services import audit, link_wire
from chat_server.services.access import in_room, is_away
from chat_server.services.link_asking import (
    check_allowed,
    check_end,
    check_numbers,
    lines,
    members,
    still_members,
    words,
)
from chat_server.services.link_news import bring_bot, told
from chat_server.storage.queries import handed_files, rooms
from chat_server.storage.queries import upload_links as queries
from chat_server.storage.queries.upload_links import Link, NewLink

LISTED: Final = 200
"""Links of a room, the newest."""
Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody is asked for. `told`: ids of people who are notified besides the asker. `pin_hash`: see `ports.Passwords`."""

    recipient: str
    purpose: str
    ends: int
    company: str = ""
    email: str = ""
    expected: str = ""
    most_files: int = limits.LINK_FILES
    most_bytes: int = limits.LINK_BYTES
    kinds: Sequence[str] = ()
    told: Sequence[str] = ()
    once: bool = True
    pin_hash: str | None = None

    def __repr__(self) -> str:
        return "Wanted()"


def digest(token: str) -> bytes:
    """How the tokens of links and visits are kept: of 256 random bits there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def ask(tx: Tx, actor: Actor, room: str, wanted: Wanted) -> Wire:
    """A link, without an address yet. Answers its wire form.

    Raises `Problem` 3001, 3002, 3003, 3005 (a talk of two), 3011, 7104 (policy), 7106, 2001.
    """
    standing = await in_room(tx, actor, room)
    await check_allowed(tx, actor, standing)
    if await queries.living(tx, standing.room_id) >= limits.LINKS:
        raise Problem(TOO_MANY_LINKS, limit=limits.LINKS)
    check_end(tx, wanted.ends)
    check_numbers(wanted.most_files, wanted.most_bytes, wanted.kinds)
    public_id = new_id(tx.now)
    await queries.insert(
        tx,
        NewLink(
            public_id=public_id,
            org_id=standing.org_id,
            room_id=standing.room_id,
            asker_id=actor.user_id,
            pin_hash=wanted.pin_hash,
            recipient=words("recipient", wanted.recipient, limits.NAME_CHARS, needed=True),
            company=words("company", wanted.company, limits.NAME_CHARS),
            email=words("email", wanted.email, limits.LINK_WORDS_CHARS),
            purpose=lines("purpose", wanted.purpose, needed=True),
            expected=lines("expected", wanted.expected),
            most_files=wanted.most_files,
            most_bytes=wanted.most_bytes,
            kinds=",".join(kind for kind in FAMILIES if kind in wanted.kinds),
            told=",".join(await members(tx, standing, wanted.told)),
            is_once=int(wanted.once),
            ends_at=wanted.ends,
        ),
    )
    await bring_bot(tx, actor, standing)
    link = await _found(tx, public_id)
    await told(tx, link)
    detail = {"room": standing.room, "ends": wanted.ends, "once": wanted.once}
    await audit.record_by(tx, actor, "link.ask", public_id, detail)
    return link_wire.link(tx, link)


async def again(tx: Tx, actor: Actor, public_id: str, ends: int) -> Wire:
    """再依頼: the same once more, with a deadline and soon an address of its own. Raises what `ask` raises, and 7103."""
    link, standing = await _seen(tx, actor, public_id)
    still_there = await still_members(tx, standing, link_wire.parts(link.told))
    return await ask(
        tx,
        actor,
        standing.room,
        Wanted(
            recipient=link.recipient,
            company=link.company,
            email=link.email,
            purpose=link.purpose,
            expected=link.expected,
            ends=ends,
            most_files=link.most_files,
            most_bytes=link.most_bytes,
            kinds=link_wire.parts(link.kinds),
            told=still_there,
            once=bool(link.is_once),
            pin_hash=link.pin_hash,
        ),
    )


async def give_address(tx: Tx, actor: Actor, public_id: str, token_hash: bytes) -> Wire:
    """Whoever holds the token of this hash may hand in files from now on; the address before is good no more. For the asker
    alone: who gave an address to whom is known by that. Raises `Problem` 7103, 7105, 7107, 7104."""
    link, standing = await _seen(tx, actor, public_id)
    if link.asker_id != actor.user_id:
        raise Problem(LINK_NOT_YOURS)
    await check_allowed(tx, actor, standing)
    if link.done_at is not None or link.revoked_at is not None or link.ends_at <= tx.now:
        raise Problem(LINK_ENDED)
    await queries.set_token(tx, link.id, token_hash)
    await audit.record_by(tx, actor, "link.address", public_id, {"room": link.room})
    return await _changed(tx, public_id)


async def extend(tx: Tx, actor: Actor, public_id: str, ends: int) -> Wire:
    """Another deadline; one that has passed is good again. Raises `Problem` 7103, 7105, 7107, 7104, 2001 (ends)."""
    link, standing = await _owned(tx, actor, public_id)
    await check_allowed(tx, actor, standing)
    if link.done_at is not None or link.revoked_at is not None:
        raise Problem(LINK_ENDED)
    check_end(tx, ends)
    await queries.set_end(tx, link.id, ends)
    await audit.record_by(tx, actor, "link.extend", public_id, {"room": link.room, "ends": ends})
    return await _changed(tx, public_id)


async def revoke(tx: Tx, actor: Actor, public_id: str) -> Wire:
    """It is good for nothing from now on, and so is every visit by it. What came in stays. Raises `Problem` 7103, 7105."""
    link, _ = await _owned(tx, actor, public_id)
    if link.revoked_at is not None:
        return link_wire.link(tx, link)
    await queries.revoke(tx, link.id)
    await audit.record_by(tx, actor, "link.revoke", public_id, {"room": link.room})
    return await _changed(tx, public_id)


async def close(tx: Tx, actor: Actor, public_id: str) -> Wire:
    """All has come: nothing more is accepted. Raises `Problem` 7103, 7105, 7107 (taken back)."""
    link, _ = await _owned(tx, actor, public_id)
    if link.revoked_at is not None:
        raise Problem(LINK_ENDED)
    if link.done_at is not None:
        return link_wire.link(tx, link)
    await queries.close(tx, link.id)
    await audit.record_by(tx, actor, "link.close", public_id, {"room": link.room})
    return await _changed(tx, public_id)


async def of_room(reader: Reader, actor: Actor, room: str) -> list[Wire]:
    """For all its members. Raises `Problem` 3001."""
    standing = await in_room(reader, actor, room)
    return [link_wire.link(reader, link) for link in await queries.of_room(reader, standing.room_id, LISTED)]


async def one(reader: Reader, actor: Actor, public_id: str) -> Wire:
    """With its files and what became of them. Raises `Problem` 7103."""
    link, _ = await _seen(reader, actor, public_id)
    files = await handed_files.of_link(reader, link.id)
    return link_wire.link(reader, link) | {"files": [link_wire.file_for_staff(file) for file in files]}


async def end_everything(tx: Tx) -> int:
    """After a restore: a link that was taken back or used up since the copy was made would be good again. So no address is
    good, until the asker gives out another; answers how many there were."""
    return await queries.end_tokens(tx)


async def _changed(tx: Tx, public_id: str) -> Wire:
    link = await _found(tx, public_id)
    await told(tx, link)
    return link_wire.link(tx, link)


async def _found(reader: Reader, public_id: str) -> Link:
    link = await queries.find(reader, public_id)
    assert link is not None
    return link


async def _seen(reader: Reader, actor: Actor, public_id: str) -> tuple[Link, Standing]:
    """For the members of its room there is a link; for others there is none."""
    link = await queries.find(reader, public_id) if is_id(public_id) else None
    standing = None if link is None else await rooms.standing_by_id(reader, actor.user_id, link.room_id)
    if link is None or standing is None or is_away(actor, standing.kind):
        raise Problem(LINK_NOT_FOUND, field="link")
    return link, standing


async def _owned(reader: Reader, actor: Actor, public_id: str) -> tuple[Link, Standing]:
    link, standing = await _seen(reader, actor, public_id)
    if link.asker_id != actor.user_id and standing.role != OWNER:
        raise Problem(LINK_NOT_YOURS)
    return link, standing
