"""Blocks of a note: Markdown, messages that were taken over, pairs of photos, photos, files.

Markdown is kept as text, and no part of the server makes anything else of it: whoever shows it decides what is shown, and
HTML in it is words (security.md, 30). A message that was taken over is named by its id alone: what it said is the server's
own record, and nobody writes words into somebody else's mouth by sending a changed block back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, NOTE_TOO_LARGE, NOTE_TOO_LONG, Problem
from chat_server.services.blocks import Files, Id, Photos, clean_text

Caption = Annotated[str, msgspec.Meta(max_length=limits.NOTE_CAPTION_CHARS)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NOTE_TITLE_CHARS)]


class Markdown(msgspec.Struct, tag_field="type", tag="markdown", frozen=True):
    """Words, as they were written."""

    text: str
    v: Literal[1] = 1


class Entry(msgspec.Struct, tag_field="type", tag="entry", frozen=True):
    """A message that was taken over: it can be moved, and left out; its other fields are the server's."""

    id: Id
    v: Literal[1] = 1


class Pair(msgspec.Struct, tag_field="type", tag="pair", frozen=True):
    """着手前・着手後: two photos side by side. One may still be missing."""

    before: Id | None = None
    after: Id | None = None
    before_caption: Caption = ""
    after_caption: Caption = ""
    v: Literal[1] = 1


NoteBlock = Markdown | Entry | Pair | Photos | Files
NoteBlocks = Annotated[tuple[NoteBlock, ...], msgspec.Meta(max_length=limits.NOTE_BLOCKS)]

pack: Final = msgspec.msgpack.Encoder().encode
unpack: Final = msgspec.msgpack.Decoder(tuple[NoteBlock, ...]).decode


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds."""

    title: str
    blocks: tuple[NoteBlock, ...]


def clean_title(title: str) -> str:
    """One line. Raises `Problem` 2001."""
    cleaned = " ".join(clean_text(title).split())
    if not cleaned:
        raise Problem(INVALID_FIELD, field="title", reason="1–100 characters")
    return cleaned


def clean_blocks(blocks: Iterable[NoteBlock]) -> tuple[NoteBlock, ...]:
    """As they are stored: before the writer, because it needs no database. Raises `Problem` 4033, 2001."""
    written = tuple(blocks)
    check_size(written)  # first: what is refused costs nothing
    return tuple(block for one in written if (block := _cleaned(one)) is not None)


def _cleaned(block: NoteBlock) -> NoteBlock | None:
    match block:
        case Markdown():
            text = clean_text(block.text).strip("\n")
            return Markdown(text) if text.strip() else None
        case Pair():
            if block.before is None and block.after is None:
                raise Problem(INVALID_FIELD, field="blocks", reason="a pair has at least one photo")
            before, after = (clean_text(one).strip() for one in (block.before_caption, block.after_caption))
            return Pair(block.before, block.after, before, after)
        case _:
            return block


def check_size(blocks: Sequence[NoteBlock], taken_chars: int = 0) -> None:
    """`taken_chars`: of what the messages say that were taken over. Raises `Problem` 4033, 4034."""
    if len(blocks) > limits.NOTE_BLOCKS:
        raise Problem(NOTE_TOO_LARGE, field="blocks", limit=limits.NOTE_BLOCKS)
    if sum(len(words) for words in own_words(blocks)) + taken_chars > limits.NOTE_CHARS:
        raise Problem(NOTE_TOO_LONG, field="blocks", limit=limits.NOTE_CHARS)


def own_words(blocks: Iterable[NoteBlock]) -> list[str]:
    """What the blocks themselves say."""
    words: list[str] = []
    for block in blocks:
        match block:
            case Markdown():
                words.append(block.text)
            case Pair():
                words += filter(None, (block.before_caption, block.after_caption))
            case _:
                pass
    return words


def entry_ids(blocks: Iterable[NoteBlock]) -> list[str]:
    return list(dict.fromkeys(block.id for block in blocks if isinstance(block, Entry)))


def attachment_kinds(blocks: Iterable[NoteBlock]) -> dict[str, str]:
    """Public ids of all attachments that blocks name (entries have theirs by themselves), each with the kind that is wanted."""
    kinds: dict[str, str] = {}
    for block in blocks:
        match block:
            case Pair():
                kinds |= {one: "photo" for one in (block.before, block.after) if one is not None}
            case Photos():
                kinds |= dict.fromkeys(block.ids, "photo")
            case Files():
                kinds |= dict.fromkeys(block.ids, "file")
            case _:
                pass
    return kinds


def renamed(blocks: Iterable[NoteBlock], names: dict[str, str]) -> tuple[NoteBlock, ...]:
    """With other ids of attachments: those of copies."""

    def one(block: NoteBlock) -> NoteBlock:
        match block:
            case Pair():
                before, after = (None if of is None else names.get(of, of) for of in (block.before, block.after))
                return Pair(before, after, block.before_caption, block.after_caption)
            case Photos() | Files():
                return type(block)(ids=tuple(names.get(of, of) for of in block.ids))
            case _:
                return block

    return tuple(one(block) for block in blocks) if names else tuple(blocks)
