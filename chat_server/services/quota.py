"""How much a person, and an organization in all, may bring in; counted in the transaction that brings it.

What counts are the bytes as they were received, the announced length of uploads under way, and what was withdrawn for as
long as it is kept. A forwarded copy is rows and not bytes. The same bytes twice count twice: what is free must not tell
whether somebody else has the same file.
"""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.errors import ORGANIZATION_FULL, PERSON_FULL, Fault, Problem
from chat_server.domain.policy import Policy, size_of
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import organizations
from chat_server.storage.queries import usage as queries
from chat_server.storage.queries.usage import WHOLE


async def take(tx: Tx, actor: Actor, size: int) -> None:
    """Count `size` bytes more. Raises `Problem` 5017, 5018 where they do not fit."""
    policy = await organizations.policy(tx, actor.org_id)
    await _take(tx, actor.org_id, actor.user_id, size, policy.person_quota, PERSON_FULL)
    await _take(tx, actor.org_id, WHOLE, size, policy.organization_quota, ORGANIZATION_FULL)


async def count(tx: Tx, org_id: int, user_id: int, size: int) -> None:
    """Count what is kept in any case: it was promised when there was room for it."""
    await queries.add(tx, org_id, user_id, size)
    await queries.add(tx, org_id, WHOLE, size)


async def take_for_all(tx: Tx, org_id: int, size: int) -> None:
    """Count `size` bytes of nobody's more, which came from outside. Raises `Problem` 5018 where they do not fit."""
    policy = await organizations.policy(tx, org_id)
    await _take(tx, org_id, WHOLE, size, policy.organization_quota, ORGANIZATION_FULL)


async def give_back_for_all(tx: Tx, org_id: int, size: int) -> None:
    """They are not kept any more, or never came."""
    await queries.add(tx, org_id, WHOLE, -size)


async def give_back(tx: Tx, org_id: int, user_id: int, size: int) -> None:
    """They are not kept, or never came. `org_id`: the person's own."""
    await queries.add(tx, org_id, user_id, -size)
    await queries.add(tx, org_id, WHOLE, -size)


async def largest(reader: Reader, org_id: int) -> int:
    """Bytes of the largest file that may be uploaded."""
    policy = await organizations.policy(reader, org_id)
    size = size_of(policy.file_size)
    assert size is not None
    return size


async def describe(reader: Reader, actor: Actor) -> dict[str, Any]:
    """What one has brought in, and what is allowed; `limit` null: no bound of one's own."""
    policy: Policy = await organizations.policy(reader, actor.org_id)
    return {
        "used": await queries.used(reader, actor.org_id, actor.user_id),
        "limit": size_of(policy.person_quota),
        "file_bytes": size_of(policy.file_size),
    }


async def _take(tx: Tx, org_id: int, user_id: int, size: int, allowed: str, fault: Fault) -> None:
    used = await queries.add(tx, org_id, user_id, size)
    limit = size_of(allowed)
    if limit is not None and used > limit:
        raise Problem(fault, limit=allowed, left=readable(max(0, limit - (used - size))))


def readable(size: int) -> str:
    """For people."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
