"""From a valid token to a person: whether they are still there, as of now."""

from __future__ import annotations

from typing import Final

from chat_server.domain.actors import Actor
from chat_server.domain.devices import ELSEWHERE, READY, WAITING, WIPE, access_of, state_of
from chat_server.domain.errors import (
    ACCOUNT_DISABLED,
    DEVICE_NOT_HERE,
    DEVICE_TO_WIPE,
    DEVICE_WAITS,
    TOKEN_INVALID,
    Problem,
)
from chat_server.domain.policy import has_memo_pad
from chat_server.ports import Reader
from chat_server.services.tokens import Claims
from chat_server.storage.queries import sessions as queries

_REFUSED: Final = {WAITING: DEVICE_WAITS, WIPE: DEVICE_TO_WIPE, ELSEWHERE: DEVICE_NOT_HERE}


async def load_actor(
    reader: Reader, claims: Claims, address: str, most_trusted: str, *, whatever_device: bool = False
) -> Actor:
    """The person behind `claims`, as they are now (`most_trusted`: the innermost zone). `whatever_device`: even on a
    device that may do nothing but see how it stands.

    Loaded in the transaction of every HTTP request, and for a WebSocket at `auth` and `renew`. In between, their own stream
    closes the sockets of whoever was disabled or signed out.

    Raises `Problem` 6009 (disabled, or a guest whose time is over), 1004 (device signed out, or anything that does
    not fit together), 6021 (the device waits for approval), 6022 (it is to clear its data), 6023 (it may not come from
    this zone).
    """
    found = await queries.actor(reader, claims.user, claims.device, claims.org)
    if found is None:
        raise Problem(TOKEN_INVALID)
    check_standing(found.disabled_at, found.ends_at, reader.now)
    if found.revoked_at is not None or found.zone != claims.zone:
        raise Problem(TOKEN_INVALID)
    state = state_of(
        found.policy, most_trusted, zone=found.zone, ownership=found.ownership, approved_at=found.approved_at,
        wipe_asked_at=found.wipe_asked_at,
    )  # fmt: skip
    if state != READY and not whatever_device:
        raise Problem(_REFUSED[state], "device")
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
        access=access_of(found.policy, found.ownership),
    )


def check_standing(disabled_at: int | None, ends_at: int | None, now: int) -> None:
    """Raises `Problem` 6009 for an account that may do nothing (any more)."""
    if not in_good_standing(disabled_at, ends_at, now):
        raise Problem(ACCOUNT_DISABLED)


def in_good_standing(disabled_at: int | None, ends_at: int | None, now: int) -> bool:
    """`ends_at` is the first moment that no longer counts."""
    return disabled_at is None and (ends_at is None or now < ends_at)
