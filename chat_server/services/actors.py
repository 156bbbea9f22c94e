"""From a valid token to a person: whether they are still there, as of now."""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.domain.errors import ACCOUNT_DISABLED, TOKEN_INVALID, Problem
from chat_server.domain.policy import has_memo_pad
from chat_server.ports import Reader
from chat_server.services.tokens import Claims
from chat_server.storage.queries import sessions as queries


async def load_actor(reader: Reader, claims: Claims, address: str, most_trusted: str) -> Actor:
    """The person behind `claims`, as they are now (`most_trusted`: the innermost zone).

    Loaded in the transaction of every HTTP request, and for a WebSocket at `auth` and `renew`. In between, their own stream
    closes the sockets of whoever was disabled or signed out.

    Raises `Problem` 6009 (disabled, or a guest whose time is over), 1004 (device signed out, or anything that does
    not fit together).
    """
    found = await queries.actor(reader, claims.user, claims.device, claims.org)
    if found is None:
        raise Problem(TOKEN_INVALID)
    check_standing(found.disabled_at, found.ends_at, reader.now)
    if found.revoked_at is not None or found.zone != claims.zone:
        raise Problem(TOKEN_INVALID)
    return Actor(
        user_id=found.user_id,
        org_id=found.org_id,
        device_id=found.device_id,
        id=claims.user,
        device=claims.device,
        kind=found.kind,
        name=found.name,
        zone=claims.zone,
        address=address,
        roles=found.roles,
        ends_at=found.ends_at,
        memo_pad=has_memo_pad(found.policy, claims.zone, most_trusted),
    )


def check_standing(disabled_at: int | None, ends_at: int | None, now: int) -> None:
    """Raises `Problem` 6009 for an account that may do nothing (any more)."""
    if not in_good_standing(disabled_at, ends_at, now):
        raise Problem(ACCOUNT_DISABLED)


def in_good_standing(disabled_at: int | None, ends_at: int | None, now: int) -> bool:
    """`ends_at` is the first moment that no longer counts."""
    return disabled_at is None and (ends_at is None or now < ends_at)
