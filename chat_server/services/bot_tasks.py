"""What a bot is asked, and what it did, on their way: the same for one that runs in the server and one that runs elsewhere."""

from __future__ import annotations

from typing import Final

from chat_server.bot_api import FILE_BYTES, NAME_CHARS, NOTE_CHARS, SAYS, STORE_BYTES, TEXT_CHARS, TIMERS
from chat_server.bot_blocks import BotBlock, Value
from chat_server.bot_wire import Answered, Answers, AskLink, Done, File, HandedIn, Pressed, Said, Task, pack
from chat_server.bot_wire import Post as WirePost
from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.domain.media import media_type
from chat_server.ports import BlobStore
from chat_server.services.bot_posts import Kept, Post
from chat_server.services.bots import EDIT, PRESS, Asked, Did, Given
from chat_server.services.rendering import unpack
from chat_server.services.uploads import HEAD_BYTES

_LATEST: Final = 2**53
"""UTC milliseconds, before or after 1970."""


def task(asked: Asked, now: int) -> Task:
    """What the bot gets to see."""
    due = asked.due
    said = None if asked.said is None else Said(*asked.said)
    press, answers, given = None, None, tuple(map(_answered, asked.answers))
    if asked.post is not None and due.kind == PRESS:
        press = Pressed(due.note, asked.post.name, due.by_name or "", due.by or "", given)
    elif asked.post is not None:
        answers = Answers(asked.post.name, given)
    edited = due.kind == EDIT
    return Task(
        due.room_kind, due.room_name, now, dict(asked.store), said, press, answers, due.note, edited, asked.removed, asked.link
    )  # fmt: skip


def check(done: Done) -> None:
    """`bot_api.Room` keeps a bot within its limits; whoever speaks for one over the network is kept within them here.

    Raises `Problem` 2001."""
    for name, posts in (("posts", done.posts), ("changes", done.changes)):
        if len(posts) > SAYS:
            raise Problem(INVALID_FIELD, field=name, reason=f"at most {SAYS}")
        for post in posts:
            _check_post(name, post)
    for name, many in (("pins", done.pins), ("sends", done.sends), ("links", done.links)):
        if len(many) > SAYS:
            raise Problem(INVALID_FIELD, field=name, reason=f"at most {SAYS}")
    if len(done.timers) > TIMERS:
        raise Problem(INVALID_FIELD, field="timers", reason=f"at most {TIMERS}")
    for timer in done.timers:
        _check_time("timers", timer.at)
        _check_words("timers", timer.note, NOTE_CHARS)
    for send in done.sends:
        _check_words("sends", send.room, TEXT_CHARS)
    for act in done.links:
        if isinstance(act, AskLink):
            _check_words("links", act.recipient + act.company + act.purpose, TEXT_CHARS)
    if done.tidy is not None and done.tidy.before is not None:
        _check_time("tidy", done.tidy.before)
    _check_store(done)


def _check_time(name: str, at: int) -> None:
    if abs(at) > _LATEST:
        raise Problem(INVALID_FIELD, field=name, reason="no time")


def _check_words(name: str, words: str, limit: int) -> None:
    """What the database is to take as it is: it has no place for a zero (security.md, 39)."""
    if len(words) > limit or "\0" in words:
        raise Problem(INVALID_FIELD, field=name, reason=f"at most {limit} characters, none of them a zero")


def _check_store(done: Done) -> None:
    try:
        size = len(pack(done.store))
    except (OverflowError, RecursionError):
        raise Problem(
            INVALID_FIELD, field="store", reason="numbers of 64 bits at most, and not nested so deep"
        ) from None
    if size > STORE_BYTES:
        raise Problem(INVALID_FIELD, field="store", reason=f"at most {STORE_BYTES} bytes for a room")


def _check_post(name: str, post: WirePost) -> None:
    if sum(len(part) for part in post.parts if isinstance(part, str)) > TEXT_CHARS:
        raise Problem(INVALID_FIELD, field=name, reason=f"at most {TEXT_CHARS} characters")
    if sum(len(part.data) for part in post.parts if isinstance(part, File)) > FILE_BYTES:
        raise Problem(INVALID_FIELD, field=name, reason=f"files of at most {FILE_BYTES} bytes")
    _check_words(name, post.name, NAME_CHARS)


async def kept(blobs: BlobStore, org_id: int, done: Done) -> Did:
    """What it did, the bytes of its files safe on disk: a file that no message came to name is swept. Raises `Problem` 2001."""
    check(done)
    posts = [await _kept_post(blobs, org_id, post) for post in done.posts]
    changes = [
        Post(post.name, tuple(part for part in post.parts if not isinstance(part, (File, HandedIn))))
        for post in done.changes
    ]
    timers = [(timer.at, timer.note) for timer in done.timers]
    return Did(posts, changes, timers, done.store, done.pins, done.sends, done.tidy, done.links)


async def _kept_post(blobs: BlobStore, org_id: int, post: WirePost) -> Post:
    parts: list[str | BotBlock | Kept | HandedIn] = []
    for part in post.parts:
        if isinstance(part, File):
            blob = await blobs.keep_bytes(org_id, part.data)
            parts.append(Kept(part.name, media_type(part.data[:HEAD_BYTES], part.name), blob))
        else:
            parts.append(part)
    return Post(post.name, tuple(parts))


def _answered(given: Given) -> Answered:
    values: dict[str, Value] = unpack(given.answer)
    return Answered(values, given.person or "", given.name or "", given.department, given.at)
