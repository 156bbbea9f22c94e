"""Blocks: what a message is made of. Versioned; a message always has a plain-text fallback beside them."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, MESSAGE_EMPTY, TEXT_TOO_LONG, Problem

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-v]{26}$")]


class Text(msgspec.Struct, tag_field="type", tag="text", frozen=True):
    """Words. Mentions stand inside as `<@user:ID>`, `<@department:ID>`, `<@everyone>`."""

    text: str
    v: Literal[1] = 1


class Photos(msgspec.Struct, tag_field="type", tag="photos", frozen=True):
    """Up to ten photos in their order."""

    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=limits.PHOTOS)]
    v: Literal[1] = 1


Block = Text | Photos
Blocks = Annotated[tuple[Block, ...], msgspec.Meta(min_length=1, max_length=limits.BLOCKS)]

MENTION: Final = re.compile(r"<@(?:(user|department):([0-9a-v]{26})|(everyone))>")
EVERYONE: Final = "everyone"

_KEPT_CONTROLS: Final = frozenset("\n\t")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """NFC, without control characters and without the bidirectional overrides that make text read as it is not.

    Surrogates cannot be stored or sent; JSON escapes can smuggle them in.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        c for c in text if c in _KEPT_CONTROLS or (c not in _BIDI and unicodedata.category(c) not in ("Cc", "Cs"))
    )


def clean_blocks(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Blocks as they are stored. Raises `Problem` 4002, 4007, 2001."""
    cleaned: list[Block] = []
    for block in blocks:
        if isinstance(block, Text):
            block = Text(text=clean_text(block.text).strip("\n"))
            if not block.text.strip():
                continue
        cleaned.append(block)
    if not cleaned:
        raise Problem(MESSAGE_EMPTY, field="blocks")
    if sum(len(block.text) for block in cleaned if isinstance(block, Text)) > limits.TEXT_CHARS:
        raise Problem(TEXT_TOO_LONG, field="blocks", limit=limits.TEXT_CHARS)
    ids = photo_ids(cleaned)
    if len(ids) > limits.PHOTOS or len(set(ids)) != len(ids):
        raise Problem(INVALID_FIELD, field="blocks", reason=f"photos: 1–{limits.PHOTOS}, each once")
    return tuple(cleaned)


def photo_ids(blocks: list[Block] | tuple[Block, ...]) -> list[str]:
    """Public ids of all attachments, in order."""
    return [attachment for block in blocks if isinstance(block, Photos) for attachment in block.ids]


def mention_tokens(blocks: tuple[Block, ...]) -> list[str]:
    """The mentions of all texts without their brackets: `user:ID`, `department:ID`, `everyone`; each once."""
    found: dict[str, None] = {}
    for block in blocks:
        if isinstance(block, Text):
            for match in MENTION.finditer(block.text):
                found[match[3] or f"{match[1]}:{match[2]}"] = None
    return list(found)


def fallback(blocks: tuple[Block, ...], names: dict[str, str]) -> str:
    """The plain text of a message: names filled in, photos counted."""

    def name(match: re.Match[str]) -> str:
        return "@" + names.get(match[3] or f"{match[1]}:{match[2]}", "?")

    parts = [MENTION.sub(name, block.text) for block in blocks if isinstance(block, Text)]
    if photos := len(photo_ids(blocks)):
        parts.append(f"写真 {photos}枚")
    return "\n".join(parts)
