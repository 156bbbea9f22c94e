"""From the Authorization header to a person, anew whenever it matters: at the door, after the body, in the act."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from chat_server.domain.actors import AUDITOR, DEPARTMENT_ADMIN, ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import FORBIDDEN, GUEST_NOT_ALLOWED, NOT_SIGNED_IN, Problem
from chat_server.http.calls import Access, Caller
from chat_server.http.parts import Parts
from chat_server.http.seen import seen_of
from chat_server.ports import Reader
from chat_server.services import outside_bots
from chat_server.services.actors import load_actor

ROLES: Final[dict[Access, tuple[str, ...]]] = {
    Access.ORGANIZATION_ADMIN: (ORGANIZATION_ADMIN,),
    Access.ADMINISTRATOR: (ORGANIZATION_ADMIN, DEPARTMENT_ADMIN),
    Access.AUDITOR: (AUDITOR,),
}
"""Calls for those who hold one of some roles."""


def caller(parts: Parts, scope: Scope, zone: str, address: str, access: Access) -> Caller:
    """Whoever asks, by the token of the request. Raises `Problem` 1003 (no token), 1004 (not valid here and now).

    Loading them raises 6009 (disabled), 1004 (signed out), 6021–6023 (the device), 3009, 2008 (not for them). The token itself is looked at
    once: its ten minutes bound what may be begun with it, not how long a bad line takes to bring a photo.
    """
    if access is Access.BOT:
        return _bot(scope, zone, address)
    presented = parts.tokens.present(bearer_token(scope), zone)

    async def load(reader: Reader) -> Actor:
        claims = await presented(reader)
        seen_of(scope).actor = claims.user
        actor = await load_actor(reader, claims, address, parts.most_trusted, whatever_device=access is Access.DEVICE)
        check_access(actor, access)
        return actor

    return load


def _bot(scope: Scope, zone: str, address: str) -> Caller:
    """A bot that runs elsewhere. A person's token is none of a bot, and the other way about: that one is no JWT."""
    token = bearer_token(scope)

    async def load(reader: Reader) -> Actor:
        actor = await outside_bots.load(reader, token, zone, address)
        seen_of(scope).actor = actor.id
        return actor

    return load


def bearer_token(scope: Scope) -> str:
    """RFC 6750, 2.1: the header alone. Raises `Problem` 1003."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        raise Problem(NOT_SIGNED_IN)
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(NOT_SIGNED_IN)
    return str(token.strip())


def check_access(actor: Actor, access: Access) -> None:
    """Raises `Problem` 3009, 2008. The services check the thing itself besides; here a stranger costs nothing."""
    if access not in (Access.ANYONE, Access.SIGNED_IN, Access.DEVICE) and actor.is_guest:
        raise Problem(GUEST_NOT_ALLOWED)
    if access in ROLES and actor.roles.isdisjoint(ROLES[access]):
        raise Problem(FORBIDDEN)
