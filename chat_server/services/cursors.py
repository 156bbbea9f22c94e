"""Keyset cursors of lists: where the last page ended, as an opaque text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from chat_server.domain.errors import INVALID_FIELD, Problem


def encode(keys: Sequence[Any]) -> str:
    """The keys of the last item of a page."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(list(keys))).decode("ascii").rstrip("=")


def decode(cursor: str, *types: type) -> list[Any]:
    """The keys, each of its type. A cursor is data from outside like any other. Raises `Problem` 2001."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        keys = msgspec.msgpack.decode(raw, type=list[Any])
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        keys = []
    if len(keys) != len(types) or any(type(key) is not kind for key, kind in zip(keys, types, strict=True)):
        raise Problem(INVALID_FIELD, field="cursor", reason="一覧を最初から / start the list anew")
    if any(isinstance(key, int) and abs(key) >= 1 << 63 for key in keys):
        raise Problem(INVALID_FIELD, field="cursor", reason="一覧を最初から / start the list anew")
    return keys
