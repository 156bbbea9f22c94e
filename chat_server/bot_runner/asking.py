"""Asking a bot about one thing, and taking down what it did."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from chat_server import bot_wire as wire
from chat_server.bot_api import JST, STORE_BYTES, Answer, Bot, File, Message, Post, Press, Room, Tidy, TooMuch
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
    else:
        bot.on_timer(room, task.note)
    if len(wire.pack(room.store)) > STORE_BYTES:
        raise TooMuch(f"a bot keeps at most {STORE_BYTES} bytes for a room")
    posts, changes = tuple(map(_post, room.posts)), tuple(map(_post, room.changes))
    timers = tuple(Timer(int(timer.at.timestamp() * 1000), str(timer.note)) for timer in room.timers)
    pins = tuple(wire.Pin(one.message, one.on) for one in room.pins)
    sends = tuple(wire.SendOn(one.message, one.room) for one in room.sends)
    return wire.done_of(wire.pack(Done(posts, changes, timers, pins, sends, _tidy(room.tidying), room.store)))


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
    parts = (wire.File(part.name, part.data) if isinstance(part, File) else part for part in post.parts)
    return wire.Post(post.name, tuple(parts))


def _time(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at / 1000, JST)
