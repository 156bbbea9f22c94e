"""Finding what was said, and notes: the index proposes, and what is shown is authorized anew, as of now and from here.

The index may be behind, and knows nothing of zones: so nothing that it holds is ever shown. What is shown comes from the
database and the blob store, and has to hold the words there (security.md, 5, 6, 10, 14).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.domain.events import Ranges, within
from chat_server.domain.grams import terms
from chat_server.domain.zones import TEXT
from chat_server.ports import NOTE_KEYS, PARTS, Hit, Reader, SearchIndex, Sought
from chat_server.services import cursors, files, note_finding
from chat_server.services.access import away, in_room
from chat_server.services.excerpts import excerpt_of
from chat_server.services.files import OpenFile, Trust
from chat_server.services.indexing import DOCUMENT, DOCUMENTS, MESSAGE, NAMES, NOTE
from chat_server.storage.queries import attachments, messages, rooms
from chat_server.storage.queries import search as queries
from chat_server.storage.queries.messages import Stored

T = TypeVar("T")
KINDS: Final = (MESSAGE, "photo", "file", DOCUMENT, NOTE)
ROUNDS: Final = 6
"""Questions to the index for one page: a page may be short, and the next one goes on."""
_END: Final = 2**53
_NOTES: Final = NOTE_KEYS * PARTS
"""From here on the index has notes, below it messages: a search gives notes first."""
_STILL_IN: Final = 9007199254740991

Read = Callable[[Callable[[Reader], Awaitable[Any]]], Awaitable[Any]]
Load = Callable[[OpenFile], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """`words` as they were typed. `room`, `by`: public ids; `department`: its name as it was; `since` ≤ at < `until`."""

    words: str
    room: str | None = None
    by: str | None = None
    department: str | None = None
    kinds: Sequence[str] = ()
    since: int | None = None
    until: int | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the seeker may look through: notes, then messages, as far as they are asked for."""

    visible: dict[int, Ranges]
    sections: tuple[Sought, ...]

    def sees(self, hit: Hit) -> bool:
        return hit.room_id in self.visible and (_is_note(hit) or within(self.visible[hit.room_id], hit.seq))


async def page(
    read: Read, index: SearchIndex, load: Load, actor: Actor, question: Question, trust: Trust
) -> dict[str, Any]:
    """`{items, next}`: notes, then messages, each the newest first. Raises `Problem` 2001, 3001."""
    words = terms(question.words)
    if not words:
        raise Problem(INVALID_FIELD, field="words", reason="検索する言葉を入れてください / give a word to look for")
    scope: _Scope = await read(lambda reader: _scope(reader, actor, question, words))
    items: list[dict[str, Any]] = []
    left = list(scope.sections)
    for _ in range(ROUNDS):
        if not left:
            break
        wanted = question.limit - len(items)
        hits = await index.find(replace(left[0], limit=wanted))
        items += await _shown(read, load, actor, question, words, [hit for hit in hits if scope.sees(hit)], trust)
        if len(hits) < wanted:
            left.pop(0)
            continue
        left[0] = replace(left[0], below=hits[-1].id)
        if len(items) >= question.limit:
            break
    return {"items": items, "next": cursors.encode([left[0].below]) if left else None}


async def _scope(reader: Reader, actor: Actor, question: Question, words: Sequence[str]) -> _Scope:
    """Rooms that the seeker is in now, and what of them they may see."""
    known = await rooms.all_intervals(reader, actor.user_id)
    if (hidden := await away(reader, actor)) is not None:
        known.pop(hidden[0], None)
    visible = {room: ranges for room, ranges in known.items() if any(last >= _STILL_IN for _, last in ranges)}
    if question.room is not None:
        chosen = (await in_room(reader, actor, question.room)).room_id
        visible = {room: ranges for room, ranges in visible.items() if room == chosen}
    by = -1
    if question.by is not None:
        by = await queries.user_key(reader, question.by) or 0
    above = 0 if question.since is None else await queries.first_since(reader, question.since)
    below = _END if question.until is None else await queries.first_since(reader, question.until) * PARTS
    after = _END if question.cursor is None else cursors.decode(question.cursor, int)[0]
    sought = Sought(
        words=words,
        rooms=tuple(visible),
        kinds=question.kinds,
        author_id=None if by < 0 else by,
        department=question.department,
        above=above * PARTS,
        below=min(below, after, _NOTES),
        limit=question.limit,
    )
    sections = []
    if after > _NOTES and (not question.kinds or NOTE in question.kinds):
        sections.append(replace(sought, above=_NOTES, below=after))
    if not question.kinds or {*question.kinds} != {NOTE}:
        sections.append(sought)
    return _Scope(visible, tuple(sections))


async def _shown(
    read: Read,
    load: Load,
    actor: Actor,
    question: Question,
    words: Sequence[str],
    hits: Sequence[Hit],
    trust: Trust,
) -> list[dict[str, Any]]:
    """Those of the hits that are still there for the seeker and hold the words, in their order."""

    async def look(reader: Reader) -> list[_Found]:
        return await _found(reader, actor, question, hits, trust)

    items = []
    for one in await read(look):
        text = one.text if one.document is None else await load(one.document)
        excerpt = excerpt_of(text, words)
        if excerpt:
            items.append({**one.wire, "excerpt": excerpt})
    return items


@dataclass(frozen=True, slots=True)
class _Found:
    """`text`: what has to hold the words; of a document, `document` tells where it lies."""

    wire: dict[str, Any]
    text: str
    document: OpenFile | None = None


async def _found(reader: Reader, actor: Actor, question: Question, hits: Sequence[Hit], trust: Trust) -> list[_Found]:
    if hits and _is_note(hits[0]):
        notes = await note_finding.shown(reader, hits, question.since, question.until)
        return [_Found(wire, text) for wire, text in notes]
    stored = await messages.by_ids(reader, list({hit.id // PARTS for hit in hits}))
    places = {hit.id: _place(hit) for hit in hits}
    public = await queries.attachments_at(reader, [place for place in places.values() if place[1] >= 0])
    wires = await attachments.wire_of(reader, list(public.values()))
    documents = [public[places[hit.id]] for hit in hits if _is_document(hit) and places[hit.id] in public]
    texts = await files.readable(reader, actor, documents, TEXT, trust)
    names = {room: await rooms.public_id(reader, room) for room in {hit.room_id for hit in hits}}
    found = []
    for hit in hits:
        message = stored.get(hit.id // PARTS)
        # The index may be of a moment ago, or of a database that was restored.
        if (
            message is None
            or message.redacted_at is not None
            or (message.room_id, message.seq) != (hit.room_id, hit.seq)
        ):
            continue
        if question.since is not None and message.created_at < question.since:
            continue
        if question.until is not None and message.created_at >= question.until:
            continue
        wire = _wire(message, names[hit.room_id])
        if places[hit.id][1] < 0:
            found.append(_Found({**wire, "kind": MESSAGE}, message.text))
            continue
        attachment = wires.get(public.get(places[hit.id], ""))
        if attachment is None:
            continue
        if not _is_document(hit):
            found.append(_Found({**wire, "kind": attachment["kind"], "attachment": attachment}, attachment["name"]))
        elif attachment["id"] in texts:
            found.append(_Found({**wire, "kind": DOCUMENT, "attachment": attachment}, "", texts[attachment["id"]]))
    return found


def _place(hit: Hit) -> tuple[int, int]:
    """(message, position of the attachment; -1: the message itself)"""
    message, part = divmod(hit.id, PARTS)
    return message, part - (DOCUMENTS if part >= DOCUMENTS else NAMES)


def _is_document(hit: Hit) -> bool:
    return hit.id % PARTS >= DOCUMENTS


def _is_note(hit: Hit) -> bool:
    return hit.id >= _NOTES


def _wire(message: Stored, room: str) -> dict[str, Any]:
    return {
        "room": room,
        "message": message.public_id,
        "seq": message.seq,
        "note": None,
        "at": message.created_at,
        "author": {
            "id": message.author,
            "name": message.author_name,
            "department": message.author_department,
            "post": message.author_post,
            "kind": message.author_kind,
        },
        "attachment": None,
    }
