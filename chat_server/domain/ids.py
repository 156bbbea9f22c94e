"""Public ids: unguessable, and in the order of their making so that their index grows at one end."""

from __future__ import annotations

import secrets
import string
from base64 import b32hexencode
from typing import Final

_RANDOM_BYTES: Final = 10
"""80 random bits beside the time: guessing one of 2**30 live ids at 1,000 tries a second takes 35,000 years."""

ID_LENGTH: Final = 26
_ALPHABET: Final = frozenset(string.digits + "abcdefghijklmnopqrstuv")


def new_id(now: int) -> str:
    """26 characters of `0-9a-v`: 48 bits of `now` (UTC milliseconds), then 80 random bits."""
    raw = now.to_bytes(6, "big") + secrets.token_bytes(_RANDOM_BYTES)
    return b32hexencode(raw).decode("ascii").rstrip("=").lower()


def is_id(text: str) -> bool:
    """Whether `text` has the form of a public id; nothing else reaches a query."""
    return len(text) == ID_LENGTH and _ALPHABET.issuperset(text)


def new_secret() -> str:
    """256 random bits for tokens that are stored hashed (refresh tokens, sign-in flows)."""
    return secrets.token_urlsafe(32)
