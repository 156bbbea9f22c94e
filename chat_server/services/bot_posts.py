"""What a bot writes, and what it makes of that later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chat_server.bot_blocks import BotBlock, Buttons, Form
from chat_server.bot_wire import HandedIn
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    INVALID_FIELD,
    MESSAGE_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_NOT_FOUND,
    ROOM_READ_ONLY,
    VERSION_CONFLICT,
    Problem,
)
from chat_server.ports import Blob, Tx
from chat_server.services import bot_links, changing, messages
from chat_server.services.answers import Ack
from chat_server.services.blocks import AnyBlock, Files, Photos, Text, clean_text, mention_tokens
from chat_server.services.commands import Edit, Send
from chat_server.services.drafts import Draft, check_length
from chat_server.services.photo_upload import Trust
from chat_server.services.rendering import blocks_of, pack
from chat_server.services.uploads import add_file
from chat_server.storage.queries import bot_posts as queries
from chat_server.storage.queries import messages as stored_messages
from chat_server.storage.queries import rooms
from chat_server.storage.queries.bot_posts import Waiting as Waiting
from chat_server.storage.queries.messages import Stored

NOT_HERE: Final = (ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_READ_ONLY, MESSAGE_NOT_FOUND)
"""What a bot meets where it may not write any more, or where what it would change is gone: it is passed over."""
_FORMS: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that a bot posts; its bytes are safe already. `media_type`: by its content."""

    name: str
    media_type: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Post:
    """`name`: empty, or the bot's own for it. `calls`: ids of people whom it may call."""

    name: str
    parts: tuple[str | BotBlock | Kept | HandedIn, ...]
    calls: tuple[str, ...] = ()


async def write(tx: Tx, bot: Actor, room: str, post: Post, client_msg_id: str, key: bytes, trust: Trust) -> Ack:
    """Post it. `key`: see `messages.send`. Raises `Problem` as `messages.send` does, 2001 for a name that the room's posts have
    already and for what is no card."""
    files = [await add_file(tx, bot, part.name, part.blob, part.media_type, trust) for part in _files(post)]
    blocks = _blocks(post)
    if files:
        blocks += (Files(ids=tuple(wire["id"] for wire in files)),)
    handed_in = [part.id for part in post.parts if isinstance(part, HandedIn)]
    shown, told = await bot_links.blocks(tx, bot, room, handed_in)
    blocks += shown
    called = tuple(token for token in mention_tokens(blocks) if token.removeprefix("user:") in post.calls)
    command = Send(ref=1, room=room, client_msg_id=client_msg_id)
    ack = await messages.send(tx, bot, Draft(command, blocks, called), key)
    await bot_links.posted(tx, told)
    if post.name or any(isinstance(block, (Buttons, Form)) for block in blocks):
        assert ack.id is not None
        stored = await stored_messages.by_public_id(tx, ack.id)
        assert stored is not None
        if post.name and await queries.named(tx, bot.user_id, stored.room_id, post.name) is not None:
            raise Problem(INVALID_FIELD, field="name", reason=f"the room has a post named {post.name}")
        await queries.insert(tx, stored.id, stored.org_id, bot.user_id, stored.room_id, post.name)
    return ack


async def change(tx: Tx, bot: Actor, room_id: int, post: Post) -> None:
    """Show these blocks in the place of those that the post of that name has: now, or, if it changed a moment ago, a moment
    later. Raises `Problem` 2001, 4001, 3002, 3003."""
    found = await queries.named(tx, bot.user_id, room_id, post.name) if post.name else None
    if found is None:
        raise Problem(INVALID_FIELD, field="name", reason=f"there is no post named {post.name}")
    standing = await rooms.standing_by_id(tx, bot.user_id, room_id)
    if standing is None:
        raise Problem(ROOM_NOT_FOUND)
    stored = (await stored_messages.by_ids(tx, [found.message_id]))[found.message_id]
    if stored.redacted_at is not None:
        return
    blocks = _blocks(post) + tuple(block for block in blocks_of(stored) if isinstance(block, (Files, Photos)))
    _check_secrecy(blocks_of(stored), blocks)
    last = stored.edited_at or stored.created_at
    quiet = _quiet(standing.members)
    if tx.now - last >= quiet:
        await _show(tx, bot, stored, blocks)
    else:
        await queries.wait(tx, stored.id, pack(blocks), last + quiet)


async def show_waiting(tx: Tx, bot: Actor, message_id: int) -> None:
    """A change whose moment has come. Raises `Problem` 3001–3003, 4001."""
    waiting = await queries.waiting_of(tx, message_id)
    stored = (await stored_messages.by_ids(tx, [message_id]))[message_id]
    if waiting is None:  # another node has shown it
        return
    if stored.redacted_at is not None:
        await queries.shown(tx, message_id)
        return
    await _show(tx, bot, stored, msgspec.msgpack.decode(waiting, type=tuple[AnyBlock, ...]))


async def give_up(tx: Tx, message_id: int) -> None:
    """A change that cannot be shown any more."""
    await queries.shown(tx, message_id)


async def _show(tx: Tx, bot: Actor, stored: Stored, blocks: tuple[AnyBlock, ...]) -> None:
    await queries.shown(tx, stored.id)
    command = Edit(ref=1, message=stored.public_id, version=stored.version, blocks=())
    try:
        await changing.edit(tx, bot, Draft(command, blocks, ()))
    except Problem as problem:
        if problem.fault is not VERSION_CONFLICT:
            raise


def _quiet(members: int) -> int:
    """Milliseconds between two shown changes: everybody gets each of them."""
    return limits.SECOND + members


def _files(post: Post) -> list[Kept]:
    return [part for part in post.parts if isinstance(part, Kept)]


def _blocks(post: Post) -> tuple[AnyBlock, ...]:
    """Raises `Problem` 2001, 4007."""
    blocks = tuple(_block(part) for part in post.parts if not isinstance(part, (Kept, HandedIn)))
    if not blocks and not _files(post):
        raise Problem(INVALID_FIELD, field="blocks", reason="an empty post")
    if len(blocks) >= limits.BLOCKS:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.BLOCKS - 1} parts")
    if sum(isinstance(block, Form) for block in blocks) > _FORMS:
        raise Problem(INVALID_FIELD, field="blocks", reason="one form in a message")
    check_length(blocks)
    return blocks


def _block(part: str | BotBlock) -> AnyBlock:
    """With every word in it cleaned as people's are. Raises `Problem` 2001."""
    if isinstance(part, str):
        return Text(text=clean_text(part).strip("\n"))
    try:
        return msgspec.convert(_cleaned(msgspec.to_builtins(part)), type(part), strict=False)
    except msgspec.ValidationError:  # of nothing that can be seen, or longer now than it was
        raise Problem(INVALID_FIELD, field="blocks", reason="too long, or nothing that can be seen") from None


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {name: _cleaned(each) for name, each in value.items()}
        case list() | tuple():
            return [_cleaned(each) for each in value]
        case _:
            return value


def _check_secrecy(before: Sequence[AnyBlock], now: Sequence[AnyBlock]) -> None:
    """Who answered in secret must not become known by a change of the form. Raises `Problem` 2001."""
    secret = {block.secret for block in (*before, *now) if isinstance(block, Form)}
    if len(secret) > 1:
        raise Problem(INVALID_FIELD, field="secret", reason="a form stays secret, or open")
