"""SQL of notes and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.messages import Author


class Note(NamedTuple):
    """A note as it is now. `made_by`: integer key of who made it."""

    id: int
    public_id: str
    org_id: int
    room_id: int
    title: str
    version: int
    created_at: int
    made_by: int
    updated_at: int
    deleted_at: int | None


class Version(NamedTuple):
    """One version; `content` is msgpack. `id` numbers the versions of all notes. `replaced_seq`: seq of the event of the next
    one, NULL for the last."""

    id: int
    version: int
    what: str
    seq: int
    at: int
    author: str
    author_kind: str
    author_name: str
    author_department: str
    author_post: str
    title: str
    content: bytes
    base: int | None
    conflict: int
    replaced_seq: int | None


_NOTE: Final = (
    "n.id, n.public_id, n.org_id, n.room_id, n.title, n.version, n.created_at, n.created_by, n.updated_at, n.deleted_at"
)
_VERSION: Final = (
    "SELECT v.id, v.version, v.what, v.seq, v.at, u.public_id, u.kind, v.author_name, v.author_department, v.author_post,"
    " v.title, {content}, v.base, v.conflict,"
    " (SELECT w.seq FROM note_versions w WHERE w.note_id = v.note_id AND w.version = v.version + 1)"
    " FROM note_versions v JOIN users u ON u.id = v.author_id"
)
_WHOLE: Final = _VERSION.format(content="v.content")


async def find(reader: Reader, public_id: str) -> Note | None:
    row = await reader.one(f"SELECT {_NOTE} FROM notes n WHERE n.public_id = ?", public_id)  # noqa: S608 (a constant)
    return Note(*row) if row else None


async def count(reader: Reader, room_id: int) -> int:
    """Those that are not deleted."""
    row = await reader.one("SELECT count(*) FROM notes WHERE room_id = ? AND deleted_at IS NULL", room_id)
    assert row is not None
    return int(row[0])


async def insert(tx: Tx, public_id: str, org_id: int, room_id: int, user_id: int, title: str) -> int:
    """Its integer key; the first version is still to be added."""
    row = await tx.one(
        "INSERT INTO notes (public_id, org_id, room_id, title, version, created_at, created_by, updated_at, updated_by)"
        " VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, room_id, title, tx.now, user_id, tx.now, user_id,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def add_version(
    tx: Tx, note_id: int, org_id: int, version: int, what: str, seq: int, author_id: int, author: Author, title: str,
    content: bytes, base: int | None, conflict: bool,
) -> None:  # fmt: skip
    """It is the present one from now on; `what` deleted takes the note away, any other brings it back."""
    await tx.run(
        "INSERT INTO note_versions (org_id, note_id, version, what, seq, at, author_id, author_name, author_department,"
        " author_post, title, content, base, conflict) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        org_id, note_id, version, what, seq, tx.now, author_id, author.name, author.department, author.post, title,
        content, base, int(conflict),
    )  # fmt: skip
    gone = what == "deleted"
    await tx.run(
        "UPDATE notes SET version = ?, title = ?, updated_at = ?, updated_by = ?, deleted_at = ?, deleted_by = ? WHERE id = ?",
        version, title, tx.now, author_id, tx.now if gone else None, author_id if gone else None, note_id,
    )  # fmt: skip


async def version(reader: Reader, note_id: int, number: int) -> Version | None:
    row = await reader.one(_WHOLE + " WHERE v.note_id = ? AND v.version = ?", note_id, number)
    return Version(*row) if row else None


async def last_kept(reader: Reader, note_id: int) -> Version | None:
    """The last version that is no deletion."""
    row = await reader.one(
        _WHOLE + " WHERE v.note_id = ? AND v.what <> 'deleted' ORDER BY v.version DESC LIMIT 1", note_id
    )
    return Version(*row) if row else None


async def versions(reader: Reader, note_id: int, below: int, limit: int) -> list[Version]:
    """Older than `below`, the newest first, without their content."""
    rows = await reader.all(
        _VERSION.format(content="NULL") + " WHERE v.note_id = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?",
        note_id, below, limit,
    )  # fmt: skip
    return [Version(*row) for row in rows]


async def page(
    reader: Reader, room_id: int, before: tuple[int, int], limit: int, *, deleted: bool, made_by: int | None
) -> list[Note]:
    """Of a room, the last changed first, older than `before` (updated_at, id); those that are there, or the deleted ones.
    `made_by`: of that person alone."""
    rows = await reader.all(
        f"SELECT {_NOTE} FROM notes n WHERE n.room_id = ? AND (n.updated_at, n.id) < (?, ?)"  # noqa: S608 (constants)
        f" AND n.deleted_at IS {'NOT NULL' if deleted else 'NULL'}{'' if made_by is None else ' AND n.created_by = ?'}"
        " ORDER BY n.updated_at DESC, n.id DESC LIMIT ?",
        room_id, *before, *(() if made_by is None else (made_by,)), limit,
    )  # fmt: skip
    return [Note(*row) for row in rows]


async def first_and_last(reader: Reader, note_ids: Sequence[int]) -> dict[int, tuple[Version, Version]]:
    """The first version of each and the present one, without their content: who made it, and who changed it last."""
    if not note_ids:
        return {}
    marks = ", ".join("?" * len(note_ids))
    rows = await reader.all(
        _VERSION.format(content="NULL").replace("SELECT v.id", "SELECT v.note_id, v.id", 1)
        + f" JOIN notes n ON n.id = v.note_id WHERE v.note_id IN ({marks}) AND v.version IN (1, n.version)"
        " ORDER BY v.note_id, v.version",
        *note_ids,
    )
    found: dict[int, list[Version]] = {}
    for note_id, *columns in rows:
        found.setdefault(note_id, []).append(Version(*columns))
    return {note_id: (both[0], both[-1]) for note_id, both in found.items()}


async def told(reader: Reader, public_ids: Sequence[str]) -> dict[str, tuple[str, int, bool]]:
    """(title, version, whether it is deleted), as of now, by public id: what events tell."""
    if not public_ids:
        return {}
    marks = ", ".join("?" * len(public_ids))
    rows = await reader.all(
        f"SELECT public_id, title, version, deleted_at FROM notes WHERE public_id IN ({marks})",  # noqa: S608 (question marks)
        *public_ids,
    )
    return {row[0]: (row[1], row[2], row[3] is not None) for row in rows}


# For the index


async def newer(reader: Reader, after: int, limit: int) -> list[tuple[int, int]]:
    """(number of the version, note) of the versions behind `after`, in order."""
    rows = await reader.all("SELECT id, note_id FROM note_versions WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    return [(row[0], row[1]) for row in rows]


class Found(NamedTuple):
    """A note that is there, with its present version."""

    note: Note
    author_id: int
    version: Version


async def by_ids(reader: Reader, note_ids: Sequence[int]) -> dict[int, Found]:
    """Those that are not deleted, with what they hold now."""
    if not note_ids:
        return {}
    marks = ", ".join("?" * len(note_ids))
    rows = await reader.all(
        f"SELECT {_NOTE}, n.updated_by, v.id, v.version, v.what, v.seq, v.at, u.public_id, u.kind, v.author_name,"  # noqa: S608
        " v.author_department, v.author_post, v.title, v.content, v.base, v.conflict"
        " FROM notes n JOIN note_versions v ON v.note_id = n.id AND v.version = n.version JOIN users u ON u.id = v.author_id"
        f" WHERE n.deleted_at IS NULL AND n.id IN ({marks})",
        *note_ids,
    )
    return {row[0]: Found(Note(*row[:10]), row[10], Version._make([*row[11:], None])) for row in rows}
