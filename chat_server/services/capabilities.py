"""Addresses of files: a short-lived permission that stands in the path, for one attachment, rendition, person, device
and zone.

An `<img>` cannot send a header, so the address itself is the permission. That is why it is bound so tightly, ends
soon, is checked again when it is used, and never reaches a log. It ends on a multiple of `limits.ADDRESS_STEP`: asked
twice, a browser gets the same address and uses its cache.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import struct
from base64 import b32hexdecode, b32hexencode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import ADDRESS_EXPIRED, ATTACHMENT_NOT_FOUND, Problem
from chat_server.domain.zones import RENDITIONS
from chat_server.services.keys import FILE, Keys, UnknownKey

_VERSION: Final = 1
_FIELDS: Final = struct.Struct(">BB16s16s16s16sI")
"""Version, rendition, key id, attachment, user, device, end in steps. The zone's name follows, then the MAC."""
_MAC_BYTES: Final = 16
"""HMAC-SHA256 cut to 128 bits (RFC 2104, section 5: not below half)."""
_MAX_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class Capability:
    """What an address permits. Public ids; `expires` in UTC milliseconds."""

    attachment: str
    rendition: str
    user: str
    device: str
    zone: str
    expires: int


def next_expiry(now: int) -> int:
    """When an address that is given out now ends: in 10 to 20 minutes, for everybody at the same moment."""
    return (now // limits.ADDRESS_STEP + 2) * limits.ADDRESS_STEP


def seal(keys: Keys, capability: Capability) -> str:
    """The capability as a part of a path."""
    key = keys.current(FILE)
    body = _FIELDS.pack(
        _VERSION,
        RENDITIONS.index(capability.rendition),
        _raw(key.kid),
        _raw(capability.attachment),
        _raw(capability.user),
        _raw(capability.device),
        capability.expires // limits.ADDRESS_STEP,
    ) + capability.zone.encode("utf-8")
    return _spell(body + _mac(key.secret, body))


def unseal(keys: Keys, text: str, zone: str, now: int) -> Capability:
    """What `text` permits in `zone` (the listener's) at `now`.

    Raises `Problem` 5001 for what we did not make or made for another zone, 5006 for what has ended.
    """
    if len(text) > _MAX_CHARS or not text.isascii():
        raise Problem(ATTACHMENT_NOT_FOUND)
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        version, rendition, kid, attachment, user, device, step = _FIELDS.unpack_from(body)
        key = keys.find(FILE, _public(kid), now)
    except (binascii.Error, ValueError, struct.error):
        raise Problem(ATTACHMENT_NOT_FOUND) from None
    if key is None and keys.shared:
        raise UnknownKey(ATTACHMENT_NOT_FOUND)
    if key is None or version != _VERSION or not hmac.compare_digest(mac, _mac(key.secret, body)):
        raise Problem(ATTACHMENT_NOT_FOUND)
    if body[_FIELDS.size :] != zone.encode("utf-8") or _spell(raw) != text:
        raise Problem(ATTACHMENT_NOT_FOUND)
    expires = step * limits.ADDRESS_STEP
    if now >= expires:
        raise Problem(ADDRESS_EXPIRED)
    return Capability(_public(attachment), RENDITIONS[rendition], _public(user), _public(device), zone, expires)


def _spell(raw: bytes) -> str:
    """The one spelling of `raw`: base64 has several that mean the same, and an address has only one."""
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256)[:_MAC_BYTES]


def _raw(public_id: str) -> bytes:
    return b32hexdecode(public_id.upper() + "======")


def _public(raw: bytes) -> str:
    return b32hexencode(raw).decode("ascii").rstrip("=").lower()
