"""Public ids: unguessable, and in the order of their making so that their index grows at one end."""

from __future__ import annotations

import os
import secrets
import string
from itertools import product
from typing import Final

_RANDOM_BYTES: Final = 10
"""80 random bits beside the time: guessing one of 2**30 live ids at 1,000 tries a second takes 35,000 years."""

ID_LENGTH: Final = 26
_CHARACTERS: Final = string.digits + "abcdefghijklmnopqrstuv"
_ALPHABET: Final = frozenset(_CHARACTERS)
_PAIRS: Final = tuple(map("".join, product(_CHARACTERS, repeat=2)))
"""Two characters for each ten bits: four times as fast as `base64.b32hexencode`, and every message makes one."""


def new_id(now: int) -> str:
    """26 characters of `0-9a-v`: 48 bits of `now` (UTC milliseconds), then 80 random bits (base32hex, RFC 4648, 7)."""
    bits = int.from_bytes(now.to_bytes(6, "big") + os.urandom(_RANDOM_BYTES), "big") << 2
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])


def is_id(text: str) -> bool:
    """Whether `text` has the form of a public id; nothing else reaches a query."""
    return len(text) == ID_LENGTH and _ALPHABET.issuperset(text)


def new_secret() -> str:
    """256 random bits for tokens that are stored hashed (refresh tokens, sign-in flows)."""
    return secrets.token_urlsafe(32)
