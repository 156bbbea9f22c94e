"""Apple's provider token: the same one in every process, for 40 minutes of the clock.

Apple refuses one that is older than an hour, and whoever renews it more than once in 20 minutes. A token that each process
makes when it starts would be renewed by every restart; so its time is the beginning of the present 40 minutes, and its
signature depends on nothing else (RFC 6979): whoever has the key makes the very same token.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from aioapns.connection import AuthorizationHeaderProvider
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

RENEWED: Final = 40 * 60
"""Seconds."""
LEAST: Final = 20 * 60 + 10
"""Seconds between two renewals, whatever becomes of the clock meanwhile."""
_NUMBER: Final = 32
"""Bytes of each of the two numbers of an ES256 signature (RFC 7518, 3.4)."""


class SharedToken(AuthorizationHeaderProvider):
    """`steady`: seconds that no clock's correction changes; `clock`: seconds since 1970, for Apple to read."""

    def __init__(
        self, key: str, key_id: str, team_id: str,
        steady: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`key`: the .p8 file's text. Raises `ValueError` where it is none."""
        try:
            found = load_pem_private_key(key.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            found = None
        if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
            raise ValueError("it is no private key of Apple's (.p8)")
        self._key, self._key_id, self._team_id = found, key_id, team_id
        self._steady, self._clock = steady, clock
        self._issued = self._window()
        self._header = self._make()
        self._renewed_at: float | None = None

    def __repr__(self) -> str:
        return f"SharedToken({self._key_id})"

    def get_header(self) -> str:
        issued = self._window()
        if issued != self._issued and (self._renewed_at is None or self._steady() - self._renewed_at >= LEAST):
            self._issued, self._renewed_at = issued, self._steady()
            self._header = self._make()
        return self._header

    def _window(self) -> int:
        return int(self._clock()) // RENEWED * RENEWED

    def _make(self) -> str:
        header = {"alg": "ES256", "kid": self._key_id, "typ": "JWT"}
        claims = {"iss": self._team_id, "iat": self._issued}
        signed = b".".join(_part(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        numbers = decode_dss_signature(self._key.sign(signed, algorithm))
        signature = b"".join(number.to_bytes(_NUMBER, "big") for number in numbers)
        return f"bearer {(signed + b'.' + _part(signature)).decode('ascii')}"


def _part(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
