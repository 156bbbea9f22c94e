"""What can be found: of a message its text, the names of its files, and what its documents say; of a note its words.

Each is a text of its own in the index, because not everybody who sees the message may read the document from where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.domain.folding import fold
from chat_server.ports import NOTE_KEYS, PARTS, Blob, BlobStore, Reader, Text, Tx
from chat_server.services import note_finding
from chat_server.storage.queries import notes
from chat_server.storage.queries import search as queries

NAMES, DOCUMENTS = 1, 128
"""Where in a message's texts (`ports.PARTS`) they begin: 0 is the message, then the names of its attachments, then their
documents."""
DOCUMENT_CHARS: Final = 200_000
"""of a document that are found by"""
MESSAGE, DOCUMENT, NOTE = "message", "document", "note"


@dataclass(frozen=True, slots=True)
class Unread:
    """A text before it is folded; a document's still lies in the blob store (`blob`, of `org_id`)."""

    id: int
    said: queries.Said
    kind: str
    words: str
    org_id: int = 0
    blob: Blob | None = None

    def text(self, words: str) -> Text:
        said = self.said
        return Text(self.id, said.room_id, said.seq, said.author_id, said.department, self.kind, fold(words))


@dataclass(frozen=True, slots=True)
class Step:
    """What the index does next. `keys`: of messages or notes; `changes`: the last of the changes that it takes in."""

    keys: list[int]
    texts: list[Unread]
    position: int
    changes: int


async def next_step(reader: Reader, position: int, limit: int) -> Step:
    """New messages behind `position`, and what changed of the others."""
    new = await queries.new_messages(reader, position, limit)
    changes = await queries.changes(reader, limit)
    messages = list(dict.fromkeys([*new, *(message for _, message in changes)]))
    texts = await _texts(reader, messages)
    return Step(messages, texts, new[-1] if new else position, changes[-1][0] if changes else 0)


async def next_notes(reader: Reader, position: int, limit: int) -> Step:
    """The notes that have versions behind `position`, as they are now; of those that were deleted nothing."""
    newer = await notes.newer(reader, position, limit)
    ids = list(dict.fromkeys(note for _, note in newer))
    texts = [
        Unread(
            (NOTE_KEYS + found.note.id) * PARTS,
            queries.Said(found.note.id, found.note.room_id, 0, found.author_id, found.version.author_department, ""),
            NOTE,
            words,
        )
        for found, words in await note_finding.words(reader, ids)
    ]
    return Step([NOTE_KEYS + note for note in ids], texts, newer[-1][0] if newer else position, 0)


async def finish(tx: Tx, step: Step) -> None:
    await queries.forget_changes(tx, step.changes)


async def _texts(reader: Reader, messages: Sequence[int]) -> list[Unread]:
    said = {one.id: one for one in await queries.said(reader, messages)}
    texts = [Unread(one.id * PARTS, one, MESSAGE, one.text) for one in said.values()]
    for one in await queries.shown(reader, list(said)):
        if one.position < DOCUMENTS - NAMES:
            first, of = one.message_id * PARTS + one.position, said[one.message_id]
            texts.append(Unread(first + NAMES, of, one.kind, one.name))
            if one.sha256 is not None:
                texts.append(Unread(first + DOCUMENTS, of, DOCUMENT, "", one.org_id, Blob(one.sha256, 0)))
    return texts


async def document_text(blobs: BlobStore, org_id: int, sha256: str) -> str:
    """What a document says, as far as it can be found. Raises FileNotFoundError, `Problem` 8xxx."""
    async with blobs.open(org_id, sha256) as file:
        pieces = [piece async for piece in file.pieces(0, min(file.size, DOCUMENT_CHARS * 4))]
    return b"".join(pieces).decode("utf-8", "ignore")[:DOCUMENT_CHARS]
