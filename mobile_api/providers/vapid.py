"""VAPID (RFC 8292): a push service is told who pushes, by a signature of the key for which the browser subscribed.

The key stays in the database of the closed side. Through the relay travels a signature for one push service and half a day.
"""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException

LIVES: Final = 12 * 3600
"""Seconds; RFC 8292 allows 24 hours, and clocks differ."""
RENEWED: Final = LIVES // 2
"""Seconds after which a signature is made anew: one that waits in the relay's queue must still hold."""
_KEPT: Final = 64
"""Push services whose signature is kept. There are a handful; a list that strangers could fill must have an end."""
CONTACT: Final = re.compile(r"mailto:[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")


def public_key(secret: bytes) -> str:
    """What a browser subscribes with (`applicationServerKey`): base64url without padding of the 65 bytes of the point.

    `secret`: the current key of purpose `services.keys.WEB_PUSH`."""
    point = _private(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode("ascii")


def _private(secret: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


class Signer:
    """The value of `Authorization` for an origin. One signature is made in half a millisecond: kept, not made a push."""

    def __init__(self, secret: bytes, contact: str) -> None:
        """`contact`: `mailto:` of whoever answers for this server. Raises `ValueError` for anything else: Apple refuses
        every push of whoever gives none."""
        if not CONTACT.fullmatch(contact):
            raise ValueError("the contact must be a mailto: address such as mailto:it@city.example")
        self._vapid = Vapid02(private_key=_private(secret))
        self._contact = contact
        self._made: dict[str, tuple[float, str]] = {}

    def __repr__(self) -> str:
        return f"Signer({self._contact})"

    def sign(self, origin: str, now: float | None = None) -> str:
        """`origin`: `https://host` or `https://host:port`. `now`: seconds since 1970. Raises `ValueError` for an origin that
        the library does not sign for (an IPv6 address)."""
        now = time.time() if now is None else now
        made = self._made.get(origin)
        if made is None or not 0 <= now - made[0] < RENEWED:
            claims = {"aud": origin, "exp": int(now) + LIVES, "sub": self._contact}
            try:
                made = now, str(self._vapid.sign(claims)["Authorization"])
            except VapidException:
                raise ValueError("no signature can be made for this address") from None
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[origin] = made
        return made[1]
