"""Push tokens as devices bring them: what cannot be one is refused here, before it is kept.

Whether an endpoint's host may be pushed to is decided when something is sent, by the provider: hosts change their
addresses, and the operator the list.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.storage.queries.push_tokens import NewToken

if TYPE_CHECKING:
    from mobile_api.devices.own import PushToken

_ADDRESSED: Final = ("web_push", "unified")
_FORMS: Final = {"apns": re.compile(r"[0-9a-fA-F]{16,200}"), "fcm": re.compile(r"[A-Za-z0-9_:.\-]{8,2048}")}
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


def checked(body: PushToken) -> NewToken:
    """Raises `Problem` 2001: no token of that platform, or keys that are none. Keys come both or not at all."""
    form = _FORMS.get(body.platform)
    if form is not None and not form.fullmatch(body.token):
        raise Problem(INVALID_FIELD, "token", reason=f"not a token of {body.platform}")
    if body.platform in _ADDRESSED:
        _check_address(body.token)
    if bool(body.p256dh) != bool(body.auth) or (body.platform == "web_push" and not body.p256dh):
        raise Problem(INVALID_FIELD, "p256dh", reason="p256dh and auth go together")
    if body.p256dh:
        point = _decoded("p256dh", body.p256dh, 65)
        if point[0] != 4:
            raise Problem(INVALID_FIELD, "p256dh", reason="an uncompressed point on P-256")
        _decoded("auth", body.auth, 16)
    return NewToken(body.platform, body.token, body.p256dh, body.auth, body.topic, body.language)


def _check_address(address: str) -> None:
    """An https: address without a person, a password or a fragment; nothing that could end a header's line."""
    try:
        parts = urlsplit(address) if _PRINTABLE.fullmatch(address) else None
        whole = parts is not None and parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, whole = None, False
    if parts is None or not whole or parts.username is not None or parts.password is not None or parts.fragment:
        raise Problem(INVALID_FIELD, "token", reason="an https:// address of a push service")


def _decoded(name: str, text: str, length: int) -> bytes:
    try:
        raw = urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != length:
        raise Problem(INVALID_FIELD, name, reason=f"{length} bytes, base64url")
    return raw
