"""SQL of messages that were taken over into notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.messages import Stored


class Entry(NamedTuple):
    """A message as it was when it was taken over. `message`, `author`, `taker`: public ids; `redacted_at`: of the message since;
    `forward`: msgpack."""

    id: int
    public_id: str
    message: str
    seq: int
    at: int
    author: str
    author_kind: str
    author_name: str
    author_department: str
    author_post: str
    text: str
    forward: bytes | None
    edited_at: int | None
    taker_id: int
    taken_at: int
    redacted_at: int | None
    struck_at: int | None


_SELECT: Final = (
    "SELECT e.id, e.public_id, m.public_id, m.seq, e.at, u.public_id, u.kind, e.author_name, e.author_department,"
    " e.author_post, e.text, e.forward, e.edited_at, e.taken_by, e.taken_at, m.redacted_at, e.struck_at"
    " FROM note_entries e JOIN messages m ON m.id = e.message_id JOIN users u ON u.id = e.author_id"
)


async def insert(tx: Tx, public_id: str, note_id: int, org_id: int, message: Stored, text: str, taker_id: int) -> int:
    row = await tx.one(
        "INSERT INTO note_entries (public_id, org_id, note_id, message_id, at, author_id, author_name, author_department,"
        " author_post, text, forward, edited_at, taken_by, taken_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        public_id, org_id, note_id, message.id, message.created_at, message.author_id, message.author_name,
        message.author_department, message.author_post, text, message.forward, message.edited_at, taker_id, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def of_note(reader: Reader, note_id: int, public_ids: Sequence[str]) -> dict[str, Entry]:
    """Those of the entries that are of this note."""
    if not public_ids:
        return {}
    marks = ", ".join("?" * len(public_ids))
    rows = await reader.all(f"{_SELECT} WHERE e.note_id = ? AND e.public_id IN ({marks})", note_id, *public_ids)
    return {row[1]: Entry(*row) for row in rows}


async def texts(reader: Reader, note_ids: Sequence[int]) -> dict[str, str]:
    """The words of all entries of notes, by their public ids; of struck ones none."""
    if not note_ids:
        return {}
    marks = ", ".join("?" * len(note_ids))
    rows = await reader.all(
        f"SELECT public_id, author_name, text FROM note_entries WHERE struck_at IS NULL AND note_id IN ({marks})",  # noqa: S608 (question marks)
        *note_ids,
    )
    return {row[0]: f"{row[1]}\n{row[2]}" for row in rows}


async def strike(tx: Tx, entry_id: int, by: int) -> None:
    """Gone from all versions, with its photos and files; what was said stays sealed in its row until retention ends."""
    await tx.run("UPDATE note_entries SET struck_at = ?, struck_by = ? WHERE id = ?", tx.now, by, entry_id)
    await tx.run(
        "UPDATE attachments SET withdrawn_at = ? WHERE entry_id = ? AND withdrawn_at IS NULL", tx.now, entry_id
    )
