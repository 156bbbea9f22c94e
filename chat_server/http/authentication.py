"""From the Authorization header to a person, anew for every request."""

from __future__ import annotations

from starlette.types import Scope

from chat_server.domain.actors import Actor
from chat_server.domain.errors import FORBIDDEN, GUEST_NOT_ALLOWED, NOT_SIGNED_IN, Problem
from chat_server.http.calls import Access
from chat_server.http.parts import Parts
from chat_server.services.actors import load_actor


async def authenticate(parts: Parts, scope: Scope, zone: str, address: str) -> Actor:
    """Who asks. Raises `Problem` 1003 (no token), 1004 (not valid here and now), 6009 (disabled)."""
    claims = parts.tokens.verify_access(bearer_token(scope), zone)
    return await parts.storage.read(lambda reader: load_actor(reader, claims, address))


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
    """Raises `Problem` 3009, 2008. The services check again, in their transaction; here a stranger costs nothing."""
    if access in (Access.MEMBER, Access.ORGANIZATION_ADMIN) and actor.is_guest:
        raise Problem(GUEST_NOT_ALLOWED)
    if access is Access.ORGANIZATION_ADMIN and not actor.is_organization_admin:
        raise Problem(FORBIDDEN)
