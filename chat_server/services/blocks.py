"""Blocks: what a message is made of. Versioned; a message always has a plain-text fallback beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec

from chat_server.bot_blocks import BotBlock, Buttons, Card, Copy, Form
from chat_server.domain import limits
from chat_server.domain.text import nfc

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-v]{26}$")]


class Text(msgspec.Struct, tag_field="type", tag="text", frozen=True):
    """Words. Mentions stand inside as `<@user:ID>`, `<@department:ID>`, `<@everyone>`."""

    text: str
    v: Literal[1] = 1


class Photos(msgspec.Struct, tag_field="type", tag="photos", frozen=True):
    """Up to ten photos in their order."""

    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=limits.PHOTOS)]
    v: Literal[1] = 1


class Files(msgspec.Struct, tag_field="type", tag="files", frozen=True):
    """Up to twenty files in their order."""

    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=limits.FILES)]
    v: Literal[1] = 1


Block = Text | Photos | Files
"""What people write."""
AnyBlock = Block | BotBlock
"""What a message can hold."""
Blocks = Annotated[tuple[Block, ...], msgspec.Meta(min_length=1, max_length=limits.BLOCKS)]

MENTION: Final = re.compile(r"<@(?:(user|department):([0-9a-v]{26})|(everyone))>")
EVERYONE: Final = "everyone"

_DROPPED: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters, the bidirectional overrides that make text read as it is not, and surrogates: those cannot be
stored or sent, and JSON escapes can smuggle them in."""


def clean_text(text: str) -> str:
    """NFC, lines ended by a line feed, without what cannot be seen. The caller has looked at its length."""
    return nfc(_DROPPED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def text_chars(blocks: Iterable[AnyBlock]) -> int:
    """Characters of all texts."""
    return sum(len(words_of(block) or "") for block in blocks)


def words_of(block: AnyBlock) -> str | None:
    """What a block says in plain words, mentions as they stand; None for photos and files."""
    match block:
        case Text() | Copy():
            return block.text
        case Card():
            rows = [f"{label}: {value}" for label, value in block.rows]
            return "\n".join(filter(None, (block.title, block.text, *rows)))
        case Form():
            return "\n".join((block.title, *(f"・{field.label}" for field in block.fields)))
        case Buttons():
            return " ".join(f"［{button.label}］" for button in block.buttons)
        case _:
            return None


def attachment_kinds(blocks: Iterable[AnyBlock]) -> dict[str, str]:
    """Public ids of all attachments, in order, each with the kind that its block wants: photo or file."""
    return {
        attachment: "photo" if isinstance(block, Photos) else "file"
        for block in blocks
        if isinstance(block, (Photos, Files))
        for attachment in block.ids
    }


def photo_count(blocks: Iterable[AnyBlock]) -> int:
    return sum(len(block.ids) for block in blocks if isinstance(block, Photos))


def file_count(blocks: Iterable[AnyBlock]) -> int:
    return sum(len(block.ids) for block in blocks if isinstance(block, Files))


def attachment_blocks(kinds: Iterable[tuple[str, str]]) -> list[Photos | Files]:
    """(id, kind) of attachments as blocks: neighbours of one kind share one, as far as it holds them."""
    made: list[Photos | Files] = []
    for attachment, kind in kinds:
        shape, most = (Photos, limits.PHOTOS) if kind == "photo" else (Files, limits.FILES)
        if made and isinstance(made[-1], shape) and len(made[-1].ids) < most:
            made[-1] = shape(ids=(*made[-1].ids, attachment))
        else:
            made.append(shape(ids=(attachment,)))
    return made


def mention_tokens(blocks: Iterable[AnyBlock]) -> list[str]:
    """The mentions of all texts without their brackets: `user:ID`, `department:ID`, `everyone`; each once."""
    found: dict[str, None] = {}
    for block in blocks:
        if isinstance(block, Text):
            for match in MENTION.finditer(block.text):
                found[match[3] or f"{match[1]}:{match[2]}"] = None
    return list(found)


def fallback(blocks: tuple[AnyBlock, ...], names: dict[str, str]) -> str:
    """The plain text of a message: names filled in, photos and files counted."""

    def name(match: re.Match[str]) -> str:
        return "@" + names.get(match[3] or f"{match[1]}:{match[2]}", "?")

    parts = [MENTION.sub(name, words) for block in blocks if (words := words_of(block)) is not None]
    if photos := photo_count(blocks):
        parts.append(f"写真 {photos}枚")
    if files := file_count(blocks):
        parts.append(f"ファイル {files}件")
    return "\n".join(parts)
