"""What somebody wrote, cleaned and counted before it is submitted to the writer.

The writer is everybody's: whatever needs no database is done before it, for a send and an edit, over WebSocket and
HTTP alike. A use case that takes a `Draft` cannot be given words that were not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, MESSAGE_EMPTY, TEXT_TOO_LONG, TOO_MANY_MENTIONS, Problem
from chat_server.services.blocks import (
    AnyBlock,
    Block,
    Text,
    attachment_kinds,
    clean_text,
    file_count,
    mention_tokens,
    photo_count,
    text_chars,
)
from chat_server.services.commands import Edit, Send

C = TypeVar("C", bound=Send | Edit)


@dataclass(frozen=True, slots=True)
class Draft(Generic[C]):
    """`command` as it was sent; `blocks` as they are stored, empty for a forward without words of one's own;
    `mentions`: whom they call (`blocks.mention_tokens`)."""

    command: C
    blocks: tuple[AnyBlock, ...]
    mentions: tuple[str, ...]


def draft(command: C) -> Draft[C]:
    """Raises `Problem` 4002, 4007, 4010, 2001."""
    written = command.blocks or ()
    check_length(written)  # first: what is refused costs nothing
    blocks = tuple(_cleaned(written))
    if not blocks and not (isinstance(command, Send) and command.forward):
        raise Problem(MESSAGE_EMPTY, field="blocks")
    check_attachments(blocks)
    mentions = mention_tokens(blocks)
    if len(mentions) > limits.MENTIONS:
        raise Problem(TOO_MANY_MENTIONS, field="blocks", limit=limits.MENTIONS)
    return Draft(command, blocks, tuple(mentions))


def check_attachments(blocks: tuple[AnyBlock, ...]) -> None:
    """As many as a message may carry, each once. Raises `Problem` 2001."""
    photos, files = photo_count(blocks), file_count(blocks)
    if photos > limits.PHOTOS:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.PHOTOS} photos")
    if photos + files > limits.FILES:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.FILES} files and photos")
    if len(attachment_kinds(blocks)) != photos + files:
        raise Problem(INVALID_FIELD, field="blocks", reason="each attachment once")


def check_length(blocks: tuple[AnyBlock, ...]) -> None:
    """Raises `Problem` 4007."""
    if text_chars(blocks) > limits.TEXT_CHARS:
        raise Problem(TEXT_TOO_LONG, field="blocks", limit=limits.TEXT_CHARS)


def _cleaned(blocks: tuple[Block, ...]) -> list[Block]:
    """Texts with nothing in them are left out."""
    cleaned: list[Block] = []
    for block in blocks:
        if isinstance(block, Text):
            block = Text(text=clean_text(block.text).strip("\n"))
            if not block.text.strip():
                continue
        cleaned.append(block)
    return cleaned
