"""Two changes of a note at once: merged line by line and block by block, and nothing that anybody wrote is lost.

A note is cut into pieces: the lines of its Markdown, and every other block whole. Where both changed the same piece, both stand
in the note one after the other, under the names of those who wrote them, in plain words that everybody can tidy up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.domain.merging import Piece, merge
from chat_server.services.note_blocks import Content, Markdown, NoteBlock

_BEGIN: Final = None
"""A Markdown block begins here: the pieces of a note are lines, other blocks, and this."""
Part = str | NoteBlock | None


@dataclass(frozen=True, slots=True)
class Merged:
    """`conflict`: both sides of something stand in it."""

    content: Content
    conflict: bool


def merged(base: Content, theirs: Content, mine: Content, their_name: str, my_name: str) -> Merged:
    """`theirs` is what the note is now, `mine` what somebody made of `base` meanwhile."""
    pieces = merge(_parts(base.blocks), _parts(theirs.blocks), _parts(mine.blocks))
    parts = [part for piece in pieces for part in _shown(piece, their_name, my_name)]
    title, lost = _title(base.title, theirs.title, mine.title)
    if lost is not None:
        parts = [_BEGIN, f"〔{my_name} の題名: {lost}〕", *parts]
    conflict = lost is not None or any(piece.conflict for piece in pieces)
    return Merged(Content(title, _blocks(parts)), conflict)


def _title(base: str, theirs: str, mine: str) -> tuple[str, str | None]:
    """The title, and the one that could not be it."""
    if mine in (base, theirs):
        return theirs, None
    return (mine, None) if theirs == base else (theirs, mine)


def _shown(piece: Piece[Part], their_name: str, my_name: str) -> Iterator[Part]:
    if not piece.conflict:
        yield from piece.items
        return
    # A line of its own each, in whatever block they come to stand.
    yield f"〔同時に編集されました: {their_name}〕"
    yield from piece.items
    yield f"〔同時に編集されました: {my_name}〕"
    yield from piece.mine
    yield "〔ここまで〕"


def _parts(blocks: Iterable[NoteBlock]) -> list[Part]:
    parts: list[Part] = []
    for block in blocks:
        if isinstance(block, Markdown):
            parts += (_BEGIN, *block.text.split("\n"))
        else:
            parts.append(block)
    return parts


def _blocks(parts: Sequence[Part]) -> tuple[NoteBlock, ...]:
    blocks: list[NoteBlock] = []
    lines: list[str] = []

    def close() -> None:
        if any(line.strip() for line in lines):
            blocks.append(Markdown("\n".join(lines).strip("\n")))
        lines.clear()

    for part in parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        close()
        if part is not _BEGIN:
            blocks.append(part)
    close()
    return tuple(blocks)
