"""Bots that run in the server: what they have to do, and what they did.

What a bot did comes in one transaction with the end of what it was asked: a worker that is killed asks again, and the effects
are there once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final

import msgspec

from chat_server.bot_api import ROOM_TIMERS
from chat_server.bot_wire import Link, LinkAct, Pin, SendOn, Tidy
from chat_server.domain import limits
from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import ANNOUNCEMENT, OWNER, WRITER
from chat_server.ports import Reader, Tx
from chat_server.services import access, bot_acts, bot_links, bot_posts, directory, membership, pressing
from chat_server.services.blocks import clean_text
from chat_server.services.bot_posts import Post, Waiting
from chat_server.services.membership import Who
from chat_server.services.photo_upload import Trust
from chat_server.storage.queries import attachments, bots, people, rooms
from chat_server.storage.queries import bot_posts as bot_post_queries
from chat_server.storage.queries import messages as stored_messages
from chat_server.storage.queries.bot_posts import BotPost
from chat_server.storage.queries.bot_posts import Given as Given
from chat_server.storage.queries.bots import Due as Due
from chat_server.storage.queries.people import NewUser

TRIES: Final = 3
_LATER: Final = (2 * limits.SECOND, 20 * limits.SECOND)
"""until the second and the third try"""
_SOON: Final = limits.SECOND
"""A bot is not called again sooner: one that calls itself must not turn without end."""
PRESS: Final = "press"
ANSWERS: Final = "answers"
EDIT: Final = "edit"
REMOVED: Final = "removed"
LOGIN: Final = "bot."
_LANGUAGES: Final = "「{bot}」がこの投稿や操作を処理できませんでした: {ja}。管理者にお知らせください。"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A bot's class, as the database needs it. `everywhere`: see `bot_api.Bot`."""

    name: str
    title: str
    reading: str
    everywhere: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the bot gets to see of one thing. `said`: (text, author, photos, names of files, at, person, id). `removed`: the id of a
    message that was taken back. `post`: the one that was pressed or answered, with `answers` as they are now. None of them: a
    timer; or `link`: what became of an upload link. `gone`: there is nothing left to do."""

    due: Due
    store: Mapping[str, Any]
    said: tuple[str, str, int, tuple[str, ...], int, str, str] | None = None
    removed: str | None = None
    post: BotPost | None = None
    answers: Sequence[Given] = ()
    gone: bool = False
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """What it did. `timers`: (at, note)."""

    posts: Sequence[Post] = ()
    changes: Sequence[Post] = ()
    timers: Sequence[tuple[int, str]] = ()
    store: Mapping[str, Any] = field(default_factory=dict)
    pins: Sequence[Pin] = ()
    sends: Sequence[SendOn] = ()
    tidy: Tidy | None = None
    links: Sequence[LinkAct] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What bots' posts have in common. `zone`: they count as written there. `key`: see `messages.send`. `trust`: of zones."""

    zone: str
    key: bytes
    trust: Trust


async def in_room(reader: Reader, actor: Actor, room: str) -> list[tuple[str, str, str]]:
    """(public id, name, folder) of the bots that hear what is said there. Raises `Problem` 3001."""
    return await bots.in_room(reader, (await access.in_room(reader, actor, room)).room_id)


async def lacking(reader: Reader, plugin: str) -> bool:
    """Whether an organization has no account of the bot yet."""
    return bool(await bots.without(reader, plugin))


async def ensure(tx: Tx, plugin: Plugin) -> int:
    """An account in every organization; answers how many were made. Where nobody is there yet, nobody is told."""
    missing = await bots.without(tx, plugin.name)
    for org_id in missing:
        await add(tx, org_id, plugin)
    return len(missing)


async def add(tx: Tx, org_id: int, plugin: Plugin) -> tuple[int, str]:
    """An account in one organization: (user_id, public id)."""
    public_id = new_id(tx.now)
    login = LOGIN + plugin.name.replace("_", ".")
    if await people.login_holder(tx, org_id, login) is not None:
        login = LOGIN + public_id  # somebody has it already; a bot signs in nowhere
    user_id = await people.insert(tx, NewUser(public_id, org_id, BOT, login, plugin.title, plugin.reading))
    await bots.insert(tx, user_id, org_id, plugin.name, plugin.everywhere)
    if await bots.somebody_there(tx, org_id):
        await directory.changed(tx, org_id)
    return user_id, public_id


async def expect(tx: Tx, sent: Sequence[tuple[int, int]]) -> int:
    """Messages (room, seq) that were committed: whoever is in their rooms has them to do. Answers how many."""
    if not sent or not await bots.any_at_all(tx):
        return 0
    found = 0
    for room_id, group in groupby(sorted(sent), key=lambda one: one[0]):
        found += await bots.expect_messages(tx, room_id, [seq for _, seq in group])
    return found


async def due(reader: Reader, plugin: str, limit: int, but: Collection[int] = ()) -> list[Asked]:
    """What the bot has to do now, with what it may see of it. `but`: rooms whose turn it is not."""
    return [await asked(reader, one) for one in await bots.due(reader, plugin, limit, but)]


async def asked(reader: Reader, due_: Due) -> Asked:
    """What the bot may see of it now."""
    if await _is_out(reader, due_):
        return Asked(due_, {}, gone=True)
    packed = await bots.stored(reader, due_.bot_id, due_.room_id)
    store = msgspec.msgpack.decode(packed, type=dict[str, Any]) if packed else {}
    if due_.message_id is not None:
        return await _asked_of_post(reader, due_, store)
    if bot_links.names_link(due_) is not None:
        link = await bot_links.facts(reader, due_)
        return Asked(due_, store, link=link, gone=link is None)
    if due_.seq is None:
        return Asked(due_, store)
    found = await stored_messages.page(reader, due_.room_id, due_.seq - 1, due_.seq + 1, 1, newest=True)
    if due_.kind == REMOVED:
        return Asked(due_, store, removed=found[0].public_id if found else None, gone=not found)
    if not found or found[0].redacted_at is not None:
        return Asked(due_, store, gone=True)
    message = found[0]
    attached = (await attachments.wire_of_messages(reader, [message.id])).get(message.id, [])
    kept = [one for one in attached if one["state"] != "withdrawn"]
    photos = sum(one["kind"] == "photo" for one in kept)
    names = tuple(one["name"] for one in kept if one["kind"] != "photo")
    words = "\n".join(block["text"] for block in msgspec.msgpack.decode(message.blocks) if block.get("type") == "text")
    said = (words, message.author_name, photos, names, message.created_at, message.author, message.public_id)
    return Asked(due_, store, said)


async def _is_out(reader: Reader, due_: Due) -> bool:
    """Whether the bot is not in the room any more, or not in that part of its history: what waited for it is not for it."""
    standing = await rooms.standing_by_id(reader, due_.bot_id, due_.room_id)
    if standing is None and due_.kind == bot_links.LINK:
        return False  # whoever asked for a link asked the bot in with it
    if standing is None:
        return not await bots.is_everywhere(reader, due_.bot_id, due_.room_kind)
    return due_.seq is not None and not await access.may_see(reader, _account(due_, ""), standing, due_.seq)


async def _is_gone(reader: Reader, due_: Due) -> bool:
    """What `Asked.gone` says, as of now."""
    if await _is_out(reader, due_):
        return True
    if due_.message_id is not None:
        return (await stored_messages.by_ids(reader, [due_.message_id]))[due_.message_id].redacted_at is not None
    if due_.seq is None or due_.kind == REMOVED:
        return False
    found = await stored_messages.page(reader, due_.room_id, due_.seq - 1, due_.seq + 1, 1, newest=True)
    return not found or found[0].redacted_at is not None


async def _asked_of_post(reader: Reader, due_: Due, store: Mapping[str, Any]) -> Asked:
    """A button or the answers of a post, unless it was taken back."""
    assert due_.message_id is not None
    post = await bot_post_queries.of_message(reader, due_.message_id)
    stored = (await stored_messages.by_ids(reader, [due_.message_id]))[due_.message_id]
    answers = await bot_post_queries.answers(reader, stored.id) if post is not None and post.answered else ()
    return Asked(due_, store, post=post, answers=answers, gone=post is None or stored.redacted_at is not None)


async def finish(tx: Tx, asked: Asked, did: Did, place: Place) -> bool:
    """What the bot did, all of it, once; nothing of it where what it is about was taken back meanwhile, or the bot was taken out
    of the room. False where it was done before. Raises `Problem` for what one may not post."""
    due_ = asked.due
    if not await bots.done(tx, due_):
        return False
    if await _is_gone(tx, due_):
        return True
    if did.store != asked.store:
        await bots.store(tx, due_.bot_id, due_.room_id, due_.org_id, msgspec.msgpack.encode(did.store))
    room = max(0, ROOM_TIMERS - await bots.timers(tx, due_.bot_id, due_.room_id)) if did.timers else 0
    for at, note in did.timers[:room]:
        await bots.add_timer(tx, due_, new_id(tx.now), max(at, tx.now + _SOON), note)
    bot = _account(due_, place.zone)
    for number, post in enumerate(did.posts):
        called = replace(post, calls=asked.link.calls) if asked.link is not None else post
        await _post(tx, due_, bot, called, f"bot-{due_.key}-{number}", place)
    for post in did.changes:
        with _passing_over():
            await bot_posts.change(tx, bot, due_.room_id, post)
    if did.pins or did.sends or did.tidy:
        await _be_there(tx, due_, bot)
        for number, words in enumerate(
            await bot_acts.carry_out(tx, bot, due_, did.pins, did.sends, did.tidy, place.key)
        ):
            await _post(tx, due_, bot, Post("", (words,)), f"bot-{due_.key}-told-{number}", place)
    person = due_.by if asked.said is None else asked.said[5]
    for number, words in enumerate(await bot_links.carry_out(tx, bot, due_, did.links, person)):
        await _post(tx, due_, bot, Post("", (words,)), f"bot-{due_.key}-link-{number}", place)
    await _told_of_all(tx, asked)
    return True


async def _told_of_all(tx: Tx, asked: Asked) -> None:
    """Answers that came while the bot was being told of the others are told of next."""
    if asked.due.kind != ANSWERS or asked.post is None:
        return
    now = await bot_post_queries.of_message(tx, asked.post.message_id)
    if now is not None and now.answered != asked.post.answered:
        await bots.expect_answers(tx, now, f"a{new_id(tx.now)}", pressing.again(now, tx.now))


async def show_changes(tx: Tx, waiting: Waiting, place: Place) -> None:
    """A post shows a change that had to wait a moment; where it cannot any more, the change is dropped."""
    bot = Actor(waiting.bot_id, waiting.org_id, 0, waiting.account, "", BOT, waiting.account_name, place.zone, "")
    try:
        await bot_posts.show_waiting(tx, bot, waiting.message_id)
    except Problem as problem:
        if problem.fault not in bot_posts.NOT_HERE:
            raise
        await bot_posts.give_up(tx, waiting.message_id)


async def changes(reader: Reader, plugin: str, limit: int) -> list[Waiting]:
    """Posts whose change is to be shown now."""
    return await bot_post_queries.waiting(reader, "b.plugin = ? AND b.token_hash IS NULL", plugin, limit)


async def failed(tx: Tx, asked: Asked, ja: str, en: str, place: Place) -> bool:
    """Later again, or parked for good: then the room is told. Answers whether it was parked."""
    due_ = asked.due
    tries = due_.tries + 1
    if tries < TRIES:
        await bots.postpone(tx, due_, tries, tx.now + _LATER[due_.tries])
        return False
    if await bots.park(tx, due_, tries, clean_text(en)):
        text = _LANGUAGES.format(bot=due_.account_name, ja=ja.rstrip("。"))
        await _post(tx, due_, _account(due_, place.zone), Post("", (text,)), f"bot-parked-{due_.key}", place)
    return True


def _account(due_: Due, zone: str) -> Actor:
    return Actor(due_.bot_id, due_.org_id, 0, due_.account, "", BOT, due_.account_name, zone, "")


async def _post(tx: Tx, due_: Due, bot: Actor, post: Post, client_msg_id: str, place: Place) -> None:
    """Where the bot may not write any more, it says nothing."""
    await _be_there(tx, due_, bot)
    with _passing_over():
        await bot_posts.write(tx, bot, due_.room, post, client_msg_id, place.key, place.trust)


@contextmanager
def _passing_over() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        if problem.fault not in bot_posts.NOT_HERE:
            raise


async def _be_there(tx: Tx, due_: Due, bot: Actor) -> None:
    """A bot that is everywhere in rooms of this kind becomes a member when it first has something to say."""
    if await rooms.standing_by_id(tx, bot.user_id, due_.room_id) is None and (
        due_.kind == bot_links.LINK or await bots.is_everywhere(tx, bot.user_id, due_.room_kind)
    ):
        where = membership.Place(due_.room_id, due_.room, due_.org_id, "all", 1)
        who = Who(bot.user_id, bot.org_id, bot.id)
        await membership.enter(tx, who, where, who, OWNER if due_.room_kind == ANNOUNCEMENT else WRITER)
