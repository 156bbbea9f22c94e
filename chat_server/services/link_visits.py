"""Visits: short sessions of whoever holds an upload link. They see what they were asked for and what they sent, nothing else.

What is unknown, used up, expired and taken back is one and the same to people outside. Looking at a link uses nothing up,
and neither does beginning a visit: the one delivery of a link is taken by the first file (`handed_files.begin`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from chat_server.domain import limits
from chat_server.domain.errors import (
    LINK_GONE,
    LINK_PIN_LOCKED,
    LINK_PIN_WRONG,
    RATE_LIMITED,
    VISIT_OVER,
    Problem,
)
from chat_server.domain.ids import new_id, new_secret
from chat_server.ports import Passwords, Reader, Storage, Tx
from chat_server.services import audit, link_wire, throttle
from chat_server.services.link_news import told
from chat_server.services.throttle import Counter
from chat_server.services.upload_links import digest
from chat_server.storage.queries import handed_files, organizations
from chat_server.storage.queries import link_visits as queries
from chat_server.storage.queries import upload_links as links
from chat_server.storage.queries.link_visits import Visit
from chat_server.storage.queries.upload_links import Link

Wire = dict[str, Any]
T = TypeVar("T")
OFF: Final = "off"


@dataclass(frozen=True, slots=True)
class Begun:
    """`token`: whoever holds it goes on with the visit."""

    token: str
    expires: int

    def __repr__(self) -> str:
        return f"Begun(expires={self.expires})"


async def look(storage: Storage, token: str, address: str) -> Wire:
    """What the link asks for. Raises `Problem` 7101, 8005 (too many that were good for nothing)."""
    return await _or_missed(storage, address, lambda: storage.read(lambda reader: _shown(reader, token)))


async def _shown(reader: Reader, token: str) -> Wire:
    link = await good(reader, token)
    return await link_wire.for_outside(reader, link) | {"pin": link.pin_hash is not None}


async def begin(storage: Storage, passwords: Passwords, token: str, pin: str | None, zone: str, address: str) -> Begun:
    """A visit by the link with `token`. Raises `Problem` 7101, 7108, 7109 (PIN), 8005, 8001."""
    link = await _or_missed(storage, address, lambda: storage.write(lambda tx: _counted(tx, token)))
    if link.pin_hash is not None:
        try:
            right = await passwords.verify(link.pin_hash, pin or "")
        except Problem:
            await storage.write(lambda tx: throttle.give_back(tx, [_pins(link)]), org_id=link.org_id)
            raise
        if not right:
            left = await storage.write(lambda tx: _missed_pin(tx, link, zone, address), org_id=link.org_id)
            if not left:
                raise Problem(LINK_PIN_LOCKED, field="pin", retry_after=limits.FAILURE_WINDOW // limits.SECOND)
            raise Problem(LINK_PIN_WRONG, field="pin", left=left)
    return await storage.write(lambda tx: _begun(tx, token, link, zone, address), org_id=link.org_id)


async def good(reader: Reader, token: str) -> Link:
    """The link, if somebody may still begin with it. Raises `Problem` 7101."""
    link = await links.by_token(reader, digest(token))
    if link is None or not await _is_alive(reader, link):
        raise Problem(LINK_GONE)
    if link.done_at is not None or link.ends_at <= reader.now or (link.is_once and link.claimed_at is not None):
        raise Problem(LINK_GONE)
    return link


async def find(reader: Reader, token: str, zone: str) -> tuple[Visit, Link]:
    """The visit, in the zone where it was begun: what came in by two networks would have two origins. It outlives its link's
    deadline by a while, so that what is on its way arrives. Raises `Problem` 7102, 7101 (the link was taken back)."""
    visit = await queries.by_token(reader, digest(token))
    if visit is None or visit.zone != zone or visit.expires_at <= reader.now:
        raise Problem(VISIT_OVER)
    link = await links.by_id(reader, visit.link_id)
    if not await _is_alive(reader, link):
        raise Problem(LINK_GONE)
    return visit, link


async def went_on(tx: Tx, visit: Visit, link: Link) -> int:
    """It is used: it lives longer. Answers until when."""
    expires = _end(tx, link)
    await queries.prolong(tx, visit.id, expires)
    return max(expires, visit.expires_at)


async def receipt(reader: Reader, token: str, zone: str) -> Wire:
    """What was asked for, and what this visit handed in. Raises as `find`."""
    visit, link = await find(reader, token, zone)
    files = await handed_files.of_visit(reader, link.id, visit.id)
    return await link_wire.for_outside(reader, link) | {
        "expires": visit.expires_at,
        "delivered": visit.delivered_at,
        "closed": link.done_at is not None or link.ends_at <= reader.now,
        "files": [link_wire.file_for_sender(file) for file in files],
    }


async def end_all(tx: Tx) -> None:
    """After a restore: those who held one begin anew, and no token of then is good for anything."""
    await queries.drop_all_empty(tx)
    for visit_id in await queries.everywhere(tx):
        await queries.end(tx, visit_id, digest(new_secret()))


async def _is_alive(reader: Reader, link: Link) -> bool:
    if link.revoked_at is not None or link.is_archived:
        return False
    return (await organizations.policy(reader, link.org_id)).upload_links != OFF


async def _counted(tx: Tx, token: str) -> Link:
    """Before the slow verification: a thousand PINs that are tried at once find the counter full (see `throttle`)."""
    link = await good(tx, token)
    await throttle.count(tx, [Counter(f"visits:{link.public_id}", limits.LINK_VISITS)], RATE_LIMITED)
    if link.pin_hash is not None:
        await throttle.count(tx, [_pins(link)], LINK_PIN_LOCKED)
    return link


async def _begun(tx: Tx, token: str, before: Link, zone: str, address: str) -> Begun:
    link = await good(tx, token)
    if link.pin_hash is not None:
        await throttle.give_back(tx, [_pins(before)])
    secret, public_id, expires = new_secret(), new_id(tx.now), _end(tx, link)
    await queries.insert(tx, public_id, link.org_id, link.id, digest(secret), zone, expires)
    await audit.record(tx, link.org_id, link.public_id, "link.visit", public_id, {"room": link.room}, zone, address)
    if await links.open_(tx, link.id):
        await told(tx, link)
    return Begun(secret, expires)


async def _missed_pin(tx: Tx, link: Link, zone: str, address: str) -> int:
    """On record, and shown to the room. Answers how often one may still try."""
    await links.count_pin_miss(tx, link.id)
    await audit.record(
        tx, link.org_id, link.public_id, "link.pin_missed", link.public_id, {"room": link.room}, zone, address
    )
    failures = await throttle.failures(tx, _pins(link))
    return max(0, limits.LINK_PIN_MISSES - failures)


def _pins(link: Link) -> Counter:
    return Counter(f"pin:{link.public_id}", limits.LINK_PIN_MISSES)


def _end(reader: Reader, link: Link) -> int:
    return min(reader.now, link.ends_at) + limits.VISIT_LIVES


async def _or_missed(storage: Storage, address: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Links that are good for nothing are counted by address: a stranger who tries many costs little."""
    try:
        return await attempt()
    except Problem as problem:
        if problem.fault is LINK_GONE:
            await storage.write(lambda tx: throttle.count(tx, [throttle.links(address)], RATE_LIMITED))
        raise
