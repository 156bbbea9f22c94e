"""What a parcel says: to whoever carries it one fixed text, and to the device, sealed by its key, as much as its organization
allows (RFC 8291)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import http_ece
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from chat_server.domain import limits
from chat_server.domain.rooms import DIRECT, MEMO
from chat_server.services.push_loading import Loaded, PushToken, Shown
from mobile_api.ledger.port import CLEAR, RING, Taken
from mobile_api.providers.port import Parcel
from mobile_api.push.lanes import platform_of

VERSION: Final = 1
_DECLARATIVE: Final = 8030
"""The member `web_push` of the declarative form (W3C Push API), by which Safari shows it without our script."""
_FIXED: Final = {"ja": "新しいメッセージがあります", "en": "You have a new message"}
_TITLE: Final = {"ja": "連絡", "en": "Renraku"}
_TEXT_CHARS: Final = (200, 100, 40, 0)
"""Of a message's words: as many as fit."""
_NAME_CHARS: Final = 80
_STEP: Final = 512
"""Bytes. What is sealed is filled up to a multiple, so that its length tells nothing of what it says."""
_OVERHEAD: Final = 86 + 17
"""Bytes of an aes128gcm record with a P-256 key: header, padding delimiter, tag (RFC 8188, 2)."""


class CannotSeal(Exception):
    """The key that the device registered is none."""


def collapse_of(secret: bytes, device_id: int, room_id: int) -> str:
    """One a room and device; who does not have the secret can neither tell the room by it nor that two devices share one."""
    digest = hmac.digest(secret, b"push collapse %d %d" % (device_id, room_id), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:21]).decode("ascii")


def parcel(taken: Taken, token: PushToken, loaded: Loaded, secret: bytes, origin: str) -> Parcel:
    """`origin`: of the addresses that a tap leads to, for browsers; empty: the device knows its own. Raises `CannotSeal`."""
    platform = platform_of(taken.lane)
    assert platform is not None
    language = token.language if token.language in _FIXED else "ja"
    collapse = collapse_of(secret, taken.device_id, taken.room_id)
    badge = loaded.badges.get(taken.user_id, 0)
    sealed = b""
    if token.p256dh and token.auth:
        plain = _fitting(
            [_said(taken, token, loaded, language, collapse, badge, origin, chars) for chars in _TEXT_CHARS]
        )
        sealed = seal(plain, token.p256dh, token.auth)
    return Parcel(
        id=taken.public_id,
        platform=platform,
        token=token.token,
        sealed=sealed,
        text=_FIXED[language] if taken.kind == RING else "",
        badge=badge,
        collapse=collapse,
        urgent=taken.urgent,
        clears=taken.kind != RING,
        expires=taken.expires,
        topic=token.topic,
    )


def _said(
    taken: Taken,
    token: PushToken,
    loaded: Loaded,
    language: str,
    collapse: str,
    badge: int,
    origin: str,
    chars: int,
) -> dict[str, Any]:
    """`chars`: of the message's words, at most."""
    said: dict[str, Any] = {"v": VERSION, "id": taken.public_id, "kind": taken.kind, "tag": collapse, "badge": badge}
    if taken.kind == CLEAR:
        return {**said, "room": loaded.rooms.get(taken.room_id, ""), "upto": taken.seq}
    message = loaded.messages.get(taken.message_id)
    if taken.kind != RING or message is None:
        return said
    title, body = _words(message, loaded.content(token, message), language, chars)
    said |= {
        "room": message.room, "message": message.message, "seq": message.seq, "urgent": taken.urgent, "title": title,
        "body": body,
    }  # fmt: skip
    if origin and taken.lane.startswith("web_push"):
        address = f"{origin}/#/rooms/{message.room}?message={message.seq}"
        shown = {"title": title, "body": body, "navigate": address, "tag": collapse, "app_badge": str(badge)}
        said |= {"web_push": _DECLARATIVE, "notification": shown, "mutable": True}
    return said


def _words(message: Shown, content: str, language: str, chars: int) -> tuple[str, str]:
    """(title, body). A direct room is called by who speaks, so `room` alone says nothing of it; and what was taken back is not
    shown."""
    fixed = _TITLE[language], _FIXED[language]
    if content == "none" or (content == "room" and message.room_kind in (DIRECT, MEMO)):
        return fixed
    room = message.room_name[:_NAME_CHARS]
    if content == "room":
        return room or fixed[0], fixed[1]
    author = message.author[:_NAME_CHARS]
    title = author if message.room_kind in (DIRECT, MEMO) or not room else f"{author}({room})"
    return title, (message.text[:chars] if content == "all" else "") or fixed[1]


def _fitting(forms: Sequence[dict[str, Any]]) -> bytes:
    """The first that is short enough, as JSON, because a browser reads the declarative form by itself; blanks after it mean
    nothing. Raises `CannotSeal`."""
    most = limits.PUSH_BYTES - _OVERHEAD
    for said in forms:
        body = msgspec.json.encode(said)
        if len(body) <= most:
            return body.ljust(min(-(-len(body) // _STEP) * _STEP, most))
    raise CannotSeal("longer than a push may be")


def seal(plain: bytes, p256dh: str, auth: str) -> bytes:
    """By RFC 8291, with a key of its own for this one push. Raises `CannotSeal`."""
    try:
        sealed: bytes = http_ece.encrypt(
            plain,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_bytes(p256dh),
            auth_secret=_bytes(auth),
            version="aes128gcm",
        )
    except (http_ece.ECEException, ValueError, UnsupportedAlgorithm, binascii.Error) as error:
        raise CannotSeal(str(error)) from None
    return sealed


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
