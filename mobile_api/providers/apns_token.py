"""Apple's provider token: one for all connections of this process, renewed about twice an hour.

Apple refuses one that is older than an hour, and whoever renews it more than once in 20 minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import jwt
from aioapns.connection import AuthorizationHeaderProvider

RENEWED: Final = 40 * 60
"""Seconds."""
LEAST: Final = 20 * 60 + 10
"""Seconds between two renewals, whatever Apple says of the token: with our clock wrong a fresh one would help nobody."""


class SharedToken(AuthorizationHeaderProvider):
    """`steady`: seconds that no clock's correction changes; `clock`: seconds since 1970, for Apple to read."""

    def __init__(
        self, key: str, key_id: str, team_id: str,
        steady: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`key`: the .p8 file's text. Raises `ValueError` where it is none."""
        self._key, self._key_id, self._team_id = key, key_id, team_id
        self._steady, self._clock = steady, clock
        self._made_at = 0.0
        self._header = ""
        self._doubted = False
        try:
            self._make()
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ValueError("it is no private key of Apple's (.p8)") from None

    def __repr__(self) -> str:
        return f"SharedToken({self._key_id})"

    def get_header(self) -> str:
        age = self._steady() - self._made_at
        if age >= RENEWED or (self._doubted and age >= LEAST):
            self._make()
        return self._header

    def doubt(self) -> None:
        """Apple said that it has expired: a new one as soon as one may be made."""
        self._doubted = True

    def _make(self) -> None:
        claims = {"iss": self._team_id, "iat": int(self._clock())}
        token = jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})
        self._header = f"bearer {token}"
        self._made_at = self._steady()
        self._doubted = False
