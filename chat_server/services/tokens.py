"""Access tokens: signed, short-lived, good in the zone where they were made and nowhere else.

A JWT (RFC 7519) of type `at+jwt` (RFC 9068) with one algorithm, HS256, that no token may choose. Refresh tokens are no
JWTs: see `sessions.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import jwt
import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import TOKEN_INVALID, Problem
from chat_server.domain.ids import is_id
from chat_server.ports import Clock, Reader
from chat_server.services.keys import TOKEN, Keys, UnknownKey, read_again

ISSUER: Final = "renraku"
AUDIENCE: Final = "renraku-clients"
ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
ACCESS: Final = "access"

LEEWAY: Final = limits.MINUTE
"""How far clocks of two server processes may differ."""
MAX_CHARS: Final = 1_024
"""Ours have about 440; nothing longer is parsed."""

_HEADER: Final = frozenset({"alg", "kid", "typ"})
"""Exactly these. So `crit` (RFC 7515, 4.1.11: what is not understood must be refused), `jwk`, `jku` and `x5u`, by which
tokens bring their own key, never get as far as a parser."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Payload(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    use: Literal["access"]
    sub: Text
    dev: Text
    org: Text
    zone: Text
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says: public ids of user, device and organization; times in UTC milliseconds."""

    user: str
    device: str
    org: str
    zone: str
    issued_at: int
    expires_at: int


class Tokens:
    """Issues and verifies access tokens."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def issue(self, user: str, device: str, org: str, zone: str, *, not_after: int | None = None) -> tuple[str, int]:
        """A token and the moment it expires (UTC milliseconds), at the latest `not_after` (a guest's end)."""
        now = self._clock.now()
        expires = min(now + limits.ACCESS_LIVES, not_after or now + limits.ACCESS_LIVES) // limits.SECOND
        key = self._keys.current(TOKEN)
        payload = {
            "iss": ISSUER, "aud": AUDIENCE, "use": ACCESS, "sub": user, "dev": device, "org": org, "zone": zone,
            "iat": now // limits.SECOND, "exp": expires,
        }  # fmt: skip
        token = jwt.encode(payload, key.secret, ALGORITHM, headers={"kid": key.kid, "typ": TYPE})
        return token, expires * limits.SECOND

    def verify_access(self, token: str, zone: str) -> Claims:
        """What `token` says, if it is ours, of our time and of `zone` (that of the listener it came in by).

        Raises `Problem` 1004 for everything else, without saying what is wrong with it.
        """
        return self._verified(token, zone)

    def present(self, token: str, zone: str) -> Callable[[Reader], Awaitable[Claims]]:
        """The same where another process may have made the key a moment ago: then it is looked for in the view in which
        the person is loaded. Everything else is refused here already, and costs no view. Raises `Problem` 1004."""
        try:
            claims: Claims | None = self._verified(token, zone)
        except UnknownKey:
            claims = None

        async def found(reader: Reader) -> Claims:
            nonlocal claims
            if claims is None:
                await read_again(reader, self._keys)
                claims = self._verified(token, zone)
            return claims

        return found

    def _verified(self, token: str, zone: str) -> Claims:
        now = self._clock.now()
        try:
            payload = self._payload(token, now)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, TypeError, RecursionError):
            raise Problem(TOKEN_INVALID) from None
        claims = Claims(
            payload.sub, payload.dev, payload.org, payload.zone,
            payload.iat * limits.SECOND, payload.exp * limits.SECOND,
        )  # fmt: skip
        if (
            claims.zone != zone
            or claims.expires_at <= now
            or claims.issued_at > now + LEEWAY
            or not 0 < claims.expires_at - claims.issued_at <= limits.ACCESS_LIVES
        ):
            raise Problem(TOKEN_INVALID)
        return claims

    def _payload(self, token: str, now: int) -> _Payload:
        if len(token) > MAX_CHARS:
            raise ValueError("too long")
        header: dict[str, Any] = jwt.get_unverified_header(token)
        if header.keys() != _HEADER or header["typ"] != TYPE or header["alg"] != ALGORITHM:
            raise ValueError("header")
        key = self._keys.find(TOKEN, header["kid"], now)
        if key is None:
            if self._keys.shared and is_id(header["kid"]):
                raise UnknownKey(TOKEN_INVALID)
            raise ValueError("kid")
        # The times are checked against our own clock, which tests can move; PyJWT would ask the machine's.
        claims = jwt.decode(
            token,
            key.secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": ["iss", "aud", "sub", "iat", "exp"],
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return msgspec.convert(claims, _Payload)
