"""A browser's worker says where its device is woken now: the browser gave another subscription while nobody had the page open.

A worker has no session: refresh tokens work once, and one that it used up beside a page would end that page's. So the device holds
a secret that is good for this alone. What it cannot do is part of it: it moves its own device's pushes and no other's, opens
nothing, and is answered nothing. An unknown one, and one whose device or person may do nothing (any more), look the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.devices import READY, renewal_hash, state_of
from chat_server.domain.errors import PUSH_RENEWAL_GONE, RATE_LIMITED, Problem
from chat_server.domain.ids import new_id
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.ports import Reader, Storage, Tx
from chat_server.services import throttle
from chat_server.services.actors import in_good_standing
from chat_server.services.throttle import Counter
from chat_server.storage.queries import push_renewals, push_tokens
from chat_server.storage.queries.push_renewals import Holder
from chat_server.storage.queries.push_tokens import NewToken
from mobile_api.devices.own import Key, PushToken
from mobile_api.devices.tokens import checked


class PushRenewal(msgspec.Struct, frozen=True):
    """`renewal`: the secret that the last `PUT /api/devices/me/push` answered. The rest is the subscription, as there."""

    renewal: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PUSH_TOKEN_CHARS)]
    p256dh: Key
    auth: Key

    def __repr__(self) -> str:
        return "PushRenewal()"


async def renew_push(ctx: Ctx[PushRenewal, Nothing]) -> None:
    asked, parts = ctx.body, ctx.parts
    new = checked(PushToken("web_push", asked.token, asked.p256dh, asked.auth))
    await renew(parts.storage, asked.renewal, new, ctx.zone, ctx.address, parts.most_trusted)


async def renew(storage: Storage, secret: str, new: NewToken, zone: str, address: str, most_trusted: str) -> None:
    """The device of `secret` is woken by `new` from now on, in the language and for the app that it registered last.

    The secret stays good: an answer that is lost on a bad line costs nothing, and the same again changes nothing.
    Raises `Problem` 6024, 8005.
    """
    hashed = renewal_hash(secret)

    async def good(reader: Reader) -> Holder:
        return await _holder(reader, hashed, zone, most_trusted)

    async def take(tx: Tx) -> None:
        """As of this transaction: a device that is signed out meanwhile gets nothing any more."""
        holder = await good(tx)
        stands = await push_tokens.stands(tx, new)
        if stands == (holder.device_id, new.p256dh, new.auth):
            return
        if stands is not None and stands[0] != holder.device_id:
            # A browser gives each subscription once. Signing in moves one from person to person; this secret must not.
            raise Problem(PUSH_RENEWAL_GONE)
        await throttle.count(tx, [Counter(f"renewal:{holder.device}", limits.PUSH_RENEWALS)], RATE_LIMITED)
        token = replace(new, topic=holder.topic, language=holder.language)
        await push_tokens.put(tx, new_id(tx.now), holder.org_id, holder.user_id, holder.device_id, token)

    try:
        found = await storage.read(good)
        await storage.write(take, org_id=found.org_id)
    except Problem as problem:
        if problem.fault is PUSH_RENEWAL_GONE:
            await storage.write(lambda tx: throttle.count(tx, [throttle.renewals(address)], RATE_LIMITED))
        raise


async def _holder(reader: Reader, hashed: str, zone: str, most_trusted: str) -> Holder:
    """Raises `Problem` 6024, whatever it is that is wrong. `zone`: that of the request; the secret is good in the zone of its
    session, like all that belongs to one."""
    found = await push_renewals.holder(reader, hashed)
    if found is None or found.revoked_at is not None or found.zone != zone:
        raise Problem(PUSH_RENEWAL_GONE)
    state = state_of(
        found.policy, most_trusted, zone=found.zone, ownership=found.ownership, approved_at=found.approved_at,
        wipe_asked_at=found.wipe_asked_at,
    )  # fmt: skip
    if state != READY or not in_good_standing(found.disabled_at, found.ends_at, reader.now):
        raise Problem(PUSH_RENEWAL_GONE)
    return found


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/push/renewal",
        "Where a browser is woken now, said by its worker",
        renew_push,
        body=PushRenewal,
        status=204,
        access=Access.ANYONE,
        faults=(PUSH_RENEWAL_GONE, RATE_LIMITED),
        example=PushRenewal(
            "Q2hhdC1zZWNyZXQtb2YtYS13b3JrZXItb2Ygb25lLi4",
            "https://push.example/abc",
            "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
            "tBHItJI5svbpez7KI4CCXg",
        ),
        note="Without a session, in the network where it was given out. A secret that is unknown, void, or whose device or person may "
        "do nothing is the same 6024. It stays good, and the same subscription twice is one.",
    ),
)  # fmt: skip
