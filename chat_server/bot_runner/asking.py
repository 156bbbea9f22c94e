"""Asking a bot about one thing, and taking down what it did."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from chat_server import bot_wire as wire
from chat_server.bot_api import (
    JST,
    STORE_BYTES,
    AgainLink,
    Answer,
    AskLink,
    Bot,
    ExtendLink,
    File,
    Handed,
    Link,
    Message,
    Post,
    Press,
    RevokeLink,
    Room,
    Tidy,
    TooMuch,
)
from chat_server.bot_blocks import BotBlock
from chat_server.bot_wire import Done, Task, Timer


def carry_out(bot: Bot, task: Task) -> Done:
    """Ask it. Whatever it raises is its failure."""
    try:
        return act(bot, task)
    except Exception as error:
        return Done(failure=f"{type(error).__name__}: {error}"[:300])


def act(bot: Bot, task: Task) -> Done:
    """Ask it. Raises what it raises, `TooMuch`, and msgspec.ValidationError for a card that is none."""
    room = Room(task.kind, task.name, _time(task.now), dict(task.store))
    if (said := task.message) is not None:
        message = Message(said.text, said.author, said.photos, said.files, _time(said.at), said.person, said.id)
        (bot.on_edited if task.edited else bot.on_message)(room, message)
    elif task.removed is not None:
        bot.on_removed(room, task.removed)
    elif (press := task.press) is not None:
        bot.on_press(room, Press(press.key, press.post, press.by, press.person, _answers(press.answers)))
    elif (answers := task.answers) is not None:
        bot.on_answers(room, answers.post, _answers(answers.all))
    elif task.link is not None:
        bot.on_link(room, _link(task.link))
    else:
        bot.on_timer(room, task.note)
    if len(wire.pack(room.store)) > STORE_BYTES:
        raise TooMuch(f"a bot keeps at most {STORE_BYTES} bytes for a room")
    posts, changes = tuple(map(_post, room.posts)), tuple(map(_post, room.changes))
    timers = tuple(Timer(int(timer.at.timestamp() * 1000), str(timer.note)) for timer in room.timers)
    pins = tuple(wire.Pin(one.message, one.on) for one in room.pins)
    sends = tuple(wire.SendOn(one.message, one.room) for one in room.sends)
    links = tuple(map(_act, room.links))
    return wire.done_of(wire.pack(Done(posts, changes, timers, pins, sends, _tidy(room.tidying), links, room.store)))


def _link(link: wire.Link) -> Link:
    files = tuple(
        Handed(
            one.id,
            one.name,
            one.size,
            one.state,
            one.photo,
            one.posted,
            None if one.decided is None else _time(one.decided),
            one.sentences,
            one.reason,
            one.approver,
            None if one.approved is None else _time(one.approved),
            one.why,
        )
        for one in link.files
    )
    return Link(
        link.id, link.state, link.recipient, link.company, link.purpose, link.expected, link.asker, link.person, link.calls,
        _time(link.ends), link.most_files, link.received, files, link.approvers, link.admins, link.silent,
    )  # fmt: skip


def _act(act: AskLink | ExtendLink | RevokeLink | AgainLink) -> wire.LinkAct:
    match act:
        case AskLink():
            return wire.AskLink(act.recipient, act.purpose, act.company, act.days)
        case ExtendLink():
            return wire.ExtendLink(act.link, act.days)
        case RevokeLink():
            return wire.RevokeLink(act.link)
        case AgainLink():
            return wire.AgainLink(act.link)


def _tidy(asked: Tidy | None) -> wire.Tidy | None:
    if asked is None:
        return None
    before = None if asked.before is None else int(asked.before.timestamp() * 1000)
    return wire.Tidy(before, -1 if asked.days is None else asked.days)


def _answers(all_: Sequence[wire.Answered]) -> list[Answer]:
    return [
        Answer(one.values, one.person, one.name, one.department, None if one.at is None else _time(one.at))
        for one in all_
    ]


def _post(post: Post) -> wire.Post:
    return wire.Post(post.name, tuple(map(_part, post.parts)))


def _part(part: str | BotBlock | File | Handed) -> str | BotBlock | wire.File | wire.HandedIn:
    match part:
        case File():
            return wire.File(part.name, part.data)
        case Handed():
            return wire.HandedIn(part.id)
        case _:
            return part


def _time(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at / 1000, JST)
